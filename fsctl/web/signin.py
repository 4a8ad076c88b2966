"""Signing in and out, the language, and a user's own account."""

from dataclasses import dataclass

from flask import Blueprint, flash, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from fsctl.admin import signed_in, users
from fsctl.admin.browsers import known_browser
from fsctl.admin.errors import WrongValue
from fsctl.admin.passwords import new_password
from fsctl.web import security
from fsctl.web.languages import COOKIE, ngettext, sentence
from fsctl.web.languages import gettext as _
from fsctl.web.panel import engine, panel, user
from fsctl.web.redirects import back_to

pages = Blueprint("signin", __name__)

YEAR = 31_536_000


@pages.get("/sign-in")
@pages.post("/sign-in")
def sign_in() -> Response | str | tuple[str, int]:
    """Ask for name and password, and let in who has them."""
    if g.user is not None:
        return _after()
    if request.method == "GET":
        return render_template("sign_in.html", name="")
    name, password = request.form.get("name", ""), request.form.get("password", "")
    address, now = request.remote_addr or "", panel().now()
    mark = request.cookies.get(security.mark_cookie(request), "")
    browser = known_browser(panel().engine, name, mark, now) if mark else None
    wait = panel().throttle.admit(name, address, now, browser)
    if wait > 0:
        return render_template("sign_in.html", name=name, problem=_too_many(wait)), 429
    found = signed_in.sign_in(panel().engine, name, password, now)
    if found is None:
        problem = _("Name and password do not belong together.")
        return render_template("sign_in.html", name=name, problem=problem), 401
    panel().throttle.succeeded(name, address, browser)
    response = _after()
    security.keep_signed_in(response, found)
    return response


def _too_many(wait: float) -> str:
    minutes = max(1, round(wait / 60))
    return ngettext(
        "Too many attempts. Try again in %(num)s minute.",
        "Too many attempts. Try again in %(num)s minutes.",
        minutes,
    )


def _after() -> Response:
    """Go to the page that was asked for, if it is one of ours."""
    return back_to(request.args.get("next", ""))


@pages.post("/sign-out")
def sign_out() -> Response:
    """End this session."""
    signed_in.sign_out(panel().engine, g.secret)
    return _stranger()


@pages.post("/sign-out-everywhere")
def sign_out_everywhere() -> Response:
    """End every session of this user, this one too."""
    signed_in.sign_out_everywhere(panel().engine, user())
    return _stranger()


def _stranger() -> Response:
    response = make_response(redirect(url_for("signin.sign_in")))
    security.forget(response)
    return response


@pages.post("/language")
def choose_language() -> Response:
    """Keep the language that somebody chose, in their browser."""
    response = back_to(request.form.get("back", ""))
    chosen = users.read_language(request.form.get("language", ""))
    response.set_cookie(
        COOKIE,
        chosen,
        max_age=YEAR,
        httponly=True,
        samesite="Lax",
        secure=request.is_secure,
        path=security.cookie_path(),
    )
    return response


@pages.get("/account")
def account() -> str:
    """Show a user's own account."""
    return render_template("account.html")


@pages.post("/account/password")
def set_password() -> Response | tuple[str, int]:
    """Give the user another password; whoever knew the old one is signed out."""
    problem = _wrong_password()
    if problem:
        return render_template("account.html", problem=problem), 422
    users.set_password(engine(), user().name, request.form["new"])
    found = signed_in.sign_in(panel().engine, user().name, request.form["new"], panel().now())
    flash(_("You have a new password. Your other sessions and your tokens have ended."), "done")
    response = make_response(redirect(url_for("signin.account")))
    if found:
        security.keep_signed_in(response, found)
    return response


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether somebody who is signed in has ``given`` their password; else how long to ``wait``."""

    given: bool
    wait: float = 0.0


def prove(password: str) -> Proof:
    """Look at the password that this request's user says is theirs."""
    wait = panel().throttle.admit_own(user().id, panel().now())
    if wait > 0:
        return Proof(False, wait)
    if not signed_in.is_password(panel().engine, user(), password):
        return Proof(False)
    panel().throttle.own_succeeded(user().id)
    return Proof(True)


def _wrong_password() -> str | None:
    """Return what is wrong with what was typed."""
    new = request.form.get("new", "")
    if new != request.form.get("again"):
        return _("The two new passwords are not the same.")
    proof = prove(request.form.get("old", ""))
    if proof.wait:
        return _too_many(proof.wait)
    if not proof.given:
        return _("That is not your password.")
    try:
        new_password(new, user().name)
    except WrongValue as error:
        return sentence(str(error))
    return None
