"""The panel as a WSGI application: what every request passes through, and where its pages are.

Owns the order of things: who is signed in, whether the change was asked for by a page of ours,
whether this user may make it; only then a page's own code. What nobody has allowed is refused.
"""

import hashlib
import secrets
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

from flask import Flask, Response, current_app, g, redirect, render_template, request
from flask import url_for as flask_url_for
from sqlalchemy import Engine
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from fsctl.admin import signed_in
from fsctl.admin.allowed import allowing
from fsctl.admin.errors import AdminError
from fsctl.admin.users import may_manage
from fsctl.settings import Settings
from fsctl.store.errors import NoRoom, StoreError
from fsctl.store.web_users import User
from fsctl.web import (
    api,
    api_answers,
    calls,
    groups,
    history,
    languages,
    live,
    members,
    navigation,
    security,
    signin,
    sizes,
    transfer,
    users,
)
from fsctl.web.arguments import Id, Text
from fsctl.web.door import Door, door_of
from fsctl.web.languages import gettext as _
from fsctl.web.panel import Panel, explain, may_change, panel, say
from fsctl.web.redirects import back_to, page_before, this_page
from fsctl.web.switches import Switches
from fsctl.web.throttle import Throttle

OPEN = frozenset({"static", "signin.sign_in", "signin.choose_language", "api.openapi"})
"""Endpoints for anybody."""
EVERY_ROLE = frozenset(
    {
        "signin.sign_in",
        "signin.choose_language",
        "signin.sign_out",
        "signin.sign_out_everywhere",
        "signin.set_password",
        "members.timeline",
    }
)
"""Endpoints that change no group, for viewers too. Any other change needs an administrator."""


def create_app(engine: Engine, settings: Settings, now: Callable[[], float] = time.time) -> Flask:
    """Return the panel for a database."""
    app = Flask(__name__)
    # It signs messages for the next page and visitors' forms; nothing that must outlive a restart.
    app.secret_key = secrets.token_bytes(32)
    app.session_interface = security.Cookies()
    app.request_class = sizes.PanelRequest
    app.config.update(
        SESSION_COOKIE_NAME="fsctl_visit",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SEND_FILE_MAX_AGE_DEFAULT=31_536_000,
    )
    engine = allowing(engine, settings.allowed, external=bool(settings.external_dial))
    app.extensions["panel"] = Panel(engine, settings, Throttle(), Switches(settings.esl_url), now)
    app.extensions["door"] = door = Door(app, settings.web_proxies, _find_user)
    app.before_request(security.check_host)
    app.before_request(_who)
    app.before_request(_how_much)
    app.before_request(security.check_csrf)
    app.before_request(_may)
    app.after_request(security.add_headers)
    app.after_request(door.welcome)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(AdminError, _refused)
    app.register_error_handler(StoreError, _unavailable)
    app.url_map.converters |= {"int": Id, "text": Text}
    app.url_map.merge_slashes = False
    _prepare_templates(app)
    for part in (signin, groups, members, calls, live, history, transfer, users, api):
        app.register_blueprint(part.pages)
    app.wsgi_app = security.BehindProxy(app.wsgi_app, settings.web_proxies)  # type: ignore[method-assign]
    return app


def _prepare_templates(app: Flask) -> None:
    environment = app.jinja_env
    environment.add_extension("jinja2.ext.i18n")
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        languages.gettext, languages.ngettext, newstyle=False, pgettext=languages.pgettext
    )
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.filters.update(
        seconds=languages.seconds,
        decimal=languages.decimal,
        clock=languages.clock,
        percent=languages.percent,
        moment=languages.moment,
        day=languages.day,
        time_of_day=languages.time_of_day,
        sentence=languages.sentence,
    )
    environment.globals.update(
        csrf_token=security.csrf_token,
        asset=_asset,
        may_change=may_change,
        csrf=navigation.csrf,
        here=navigation.here,
        link=navigation.link,
        this_page=this_page,
        menu=navigation.menu,
        role_name=navigation.role_name,
        tabs=navigation.tabs,
        language=languages.language,
        language_names=languages.NAMES,
    )


@cache
def _version(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]


def _asset(name: str) -> str:
    """Return where a static file is, under a name that changes with what is in it."""
    assert current_app.static_folder is not None  # noqa: S101 - it is the package's own
    version = _version(Path(current_app.static_folder) / name)
    return flask_url_for("static", filename=name, v=version)


# What every request passes through


def _who() -> None:
    """Find out who is signed in, and note it for the next request."""
    _find_user()
    if g.user:
        door_of(current_app).see(request.environ)


def _find_user() -> None:
    g.user = g.secret = None
    if request.endpoint == "static":
        return
    if request.path.startswith(security.API):
        g.user = api.user_of_token()
        return
    secret = request.cookies.get(security.session_cookie(request))
    if secret:
        g.user = signed_in.user_of(panel().engine, secret, panel().now())
        g.secret = secret if g.user else None


def _how_much() -> None:
    """Bound what may be sent, before a form is read."""
    sizes.limit_body(g.user)


def _may() -> AnyResponse | None:
    """Send strangers to the sign-in page, and refuse what a user's role does not let them do."""
    user: User | None = g.user
    if request.endpoint in OPEN:
        return None
    if request.path.startswith(security.API):
        return _may_program(user)
    if user is None:
        if request.method in security.SAFE and "text/html" in request.headers.get("Accept", ""):
            return redirect(flask_url_for("signin.sign_in", next=_wanted()))
        return Response(_("Sign in first."), 401, mimetype="text/plain")
    why_not = _why_not(user)
    return _page_of_error(403, why_not) if why_not else None


def _why_not(user: User) -> str | None:
    """Return why somebody who is signed in may not have this page."""
    if request.blueprint == "users" and not may_manage(user):
        return _("Users are managed by an administrator of every domain.")
    if (
        request.method not in security.SAFE
        and user.role != "administrator"
        and request.endpoint not in EVERY_ROLE
    ):
        return _("Your role lets you look, not change.")
    return None


def _may_program(user: User | None) -> AnyResponse | None:
    """Refuse what comes without a token, or is more than its user's role lets them do."""
    if user is None:
        refusal = api_answers.problem(
            401, "send Authorization: Bearer TOKEN; see: fsctl user token"
        )
        refusal.headers["WWW-Authenticate"] = "Bearer"
        return refusal
    if request.method not in security.SAFE and user.role != "administrator":
        return api_answers.problem(403, "a viewer changes nothing")
    if request.blueprint == "api.users" and not may_manage(user):
        return api_answers.problem(403, "an administrator of every domain manages users")
    return None


def _wanted() -> str | None:
    """Return where a stranger wanted to go, for after the sign-in."""
    return this_page() if request.path != "/" else None


# What goes wrong


def _http_error(error: HTTPException) -> AnyResponse:
    code = error.code or 500
    if request.path.startswith(security.API):
        refusal = api_answers.problem(code, error.description or error.name)
        refusal.headers.extend(
            (name, value) for name, value in error.get_headers() if name == "Allow"
        )
        return refusal
    texts = {
        403: _("This page is too old, or it was not ours. Go back, reload it and try again."),
        404: _("There is no such page, or it is not yours to see."),
        413: _("That is more than can be sent at once."),
    }
    if code < 400:
        return error.get_response()
    return _page_of_error(code, texts.get(code, error.name))


def _refused(error: AdminError) -> AnyResponse:
    """Show why a change was not made, on the page it came from."""
    say(explain(error), "error")
    return back_to(page_before())


def _unavailable(error: StoreError) -> AnyResponse:
    current_app.logger.error("%s", error)
    if isinstance(error, NoRoom):
        full = _("The database's disk is full, so nothing was changed. Calls go on as before.")
        return _page_of_error(503, full)
    return _page_of_error(503, _("The database does not answer. Try again in a moment."))


def _page_of_error(code: int, message: str) -> AnyResponse:
    return Response(render_template("error.html", message=message, code=code), code)
