"""The panel's users: who may sign in, managed by an administrator of every domain.

Nobody can lock themselves out here (``fsctl.admin.users`` sees to it); the command line can do
everything. Changes are logged, here and in the audit log, with who made them, never a password or a
token.
"""

import logging

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from fsctl.admin import users as admin
from fsctl.admin.errors import AdminError
from fsctl.admin.versions import Conflict
from fsctl.store.web_tables import ROLES
from fsctl.store.web_users import User
from fsctl.web import conflicts
from fsctl.web.languages import NAMES, ngettext
from fsctl.web.languages import gettext as _
from fsctl.web.panel import engine, explain, panel, say, user

pages = Blueprint("users", __name__)

View = Response | str | tuple[str, int]
log = logging.getLogger(__name__)


def user_with_id(user_id: int) -> User:
    """Return a user; otherwise there is no such page."""
    found = next((one for one in admin.list_users(panel().engine) if one.id == user_id), None)
    return found or abort(404)


def log_change(name: str, what: str) -> None:
    """Write down what somebody who is signed in has done with a user."""
    log.info("user %r %s, by %r", name, what, user().name)


@pages.get("/users")
def list_users() -> str:
    """List the users."""
    return render_template("users/list.html", users=admin.list_users(panel().engine))


@pages.get("/users/add")
@pages.post("/users/add")
def add() -> View:
    """Add a user."""
    form = request.form
    if request.method == "GET":
        return _form("users/add.html")
    if form.get("new") != form.get("again"):
        return _form("users/add.html", _("The two new passwords are not the same.")), 422
    try:
        made = admin.add_user(
            engine(),
            form.get("name", "").strip(),
            form.get("new", ""),
            role=form.get("role", ""),
            domain=form.get("domain", "").strip(),
            language=form.get("language", ""),
        )
    except AdminError as error:
        return _form("users/add.html", explain(error)), 422
    log_change(made.name, "was added")
    say(_("The user was added."))
    return redirect(url_for("users.one", user_id=made.id))


@pages.get("/users/<int:user_id>")
@pages.post("/users/<int:user_id>")
def one(user_id: int) -> View:
    """Show and change a user's role, domain and language."""
    found = user_with_id(user_id)
    if request.method == "GET":
        return _page(found)
    form = request.form
    try:
        admin.set_user(
            engine(),
            found.name,
            role=form.get("role"),
            domain=form.get("domain", "").strip(),
            language=form.get("language"),
            by=user().name,
            seen=conflicts.seen(),
        )
    except Conflict as error:
        return _page(user_with_id(user_id), explain(error), conflict=True), 409
    except AdminError as error:
        return _page(found, explain(error)), 422
    log_change(found.name, "was changed")
    say(_("Saved. It is in force at once."))
    return redirect(url_for("users.one", user_id=user_id))


@pages.post("/users/<int:user_id>/password")
def set_password(user_id: int) -> View:
    """Give somebody else a new password, and end their sessions."""
    found = user_with_id(user_id)
    form = request.form
    if found.id == user().id:  # asks for the old one
        return redirect(url_for("signin.account"))
    if form.get("new") != form.get("again"):
        return _page(found, _("The two new passwords are not the same.")), 422
    try:
        admin.set_password(engine(), found.name, form.get("new", ""))
    except AdminError as error:
        return _page(found, explain(error)), 422
    log_change(found.name, "has a new password")
    say(_("The user has a new password. Their sessions and tokens have ended."))
    return redirect(url_for("users.one", user_id=user_id))


@pages.post("/users/<int:user_id>/sign-out")
def sign_out(user_id: int) -> Response:
    """End every session of a user."""
    found = user_with_id(user_id)
    ended = admin.sign_out_user(engine(), found.name)
    log_change(found.name, "was signed out")
    say(ngettext("%(num)s session was ended.", "%(num)s sessions were ended.", ended))
    return redirect(url_for("users.one", user_id=user_id))


@pages.post("/users/<int:user_id>/tokens")
def tokens(user_id: int) -> View:
    """Make a token, which is shown this once, or take one back."""
    found = user_with_id(user_id)
    taken = request.form.get("remove")
    try:
        if taken is not None:
            admin.remove_token(engine(), found.name, taken)
            log_change(found.name, "has a token less")
            say(_("The token lets nobody in any more."))
            return redirect(url_for("users.one", user_id=user_id))
        token = admin.add_token(engine(), found.name, request.form.get("label", "").strip())
    except AdminError as error:
        return _page(found, explain(error)), 422
    log_change(found.name, "has a new token")
    return _page(found, token=token)


@pages.get("/users/<int:user_id>/remove")
@pages.post("/users/<int:user_id>/remove")
def remove(user_id: int) -> View:
    """Ask whether a user is to go, and remove them."""
    found = user_with_id(user_id)
    if request.method == "GET":
        return _removal(found)
    try:
        admin.remove_user(engine(), found.name, by=user().name, seen=conflicts.seen())
    except Conflict as error:
        return _removal(user_with_id(user_id), explain(error)), 409
    except AdminError as error:
        return _page(found, explain(error)), 422
    log_change(found.name, "was removed")
    say(_("The user was removed."))
    return redirect(url_for("users.list_users"))


def _removal(found: User, problem: str | None = None) -> str:
    version = admin.version_of(found)
    return render_template("users/remove.html", one=found, version=version, problem=problem)


def _form(template: str, problem: str | None = None) -> str:
    return render_template(
        template, problem=problem, form=request.form, roles=ROLES, languages=NAMES
    )


def _page(
    found: User, problem: str | None = None, token: str | None = None, *, conflict: bool = False
) -> str:
    form = request.form if problem and "role" in request.form else None
    now = {"role": found.role, "domain": found.domain, "language": found.language}
    seen = None if conflict or form is None else conflicts.seen()
    return render_template(
        "users/one.html",
        one=found,
        version=seen or admin.version_of(found),
        conflict=conflicts.shown_of_user(now, form) if conflict and form else None,
        form=form or now,
        roles=ROLES,
        languages=NAMES,
        problem=problem,
        token=token,
        tokens=admin.list_tokens(panel().engine, found.name),
    )
