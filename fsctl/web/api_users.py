"""The panel's users for programs, with a token of an administrator of every domain."""

import math
from typing import Any

from flask import Blueprint, Response

from fsctl.admin import users as admin
from fsctl.admin.errors import WrongValue
from fsctl.store.web_tables import ROLES
from fsctl.store.web_users import User
from fsctl.web.api_answers import answer, body, done, problem, text
from fsctl.web.panel import engine, panel, user
from fsctl.web.signin import prove
from fsctl.web.users import log_change, user_with_id

pages = Blueprint("users", __name__, url_prefix="/users")

TERMS = ("role", "domain", "language")


@pages.get("")
def list_users() -> Response:
    """List the users."""
    return answer({"users": [_shown(one) for one in admin.list_users(panel().engine)]})


@pages.post("")
def add_user() -> Response:
    """Let somebody sign in."""
    sent = _known(body(), "name", "password", *TERMS)
    made = admin.add_user(
        engine(),
        text(sent, "name"),
        text(sent, "password"),
        role=text(sent, "role", ROLES[0]),
        domain=text(sent, "domain", ""),
        language=text(sent, "language", ""),
    )
    log_change(made.name, "was added")
    return answer(_shown(made), 201)


@pages.get("/<int:user_id>")
def get_user(user_id: int) -> Response:
    """Return a user."""
    return answer(_shown(user_with_id(user_id)))


@pages.patch("/<int:user_id>")
def set_user(user_id: int) -> Response:
    """Change what is given of a user."""
    found = user_with_id(user_id)
    sent = _known(body(), *TERMS)
    wanted = {name: text(sent, name) for name in sent}
    changed = admin.set_user(engine(), found.name, by=user().name, **wanted)
    log_change(found.name, "was changed")
    return answer(_shown(changed))


@pages.delete("/<int:user_id>")
def remove_user(user_id: int) -> Response:
    """Remove a user with their sessions and tokens."""
    found = user_with_id(user_id)
    admin.remove_user(engine(), found.name, by=user().name)
    log_change(found.name, "was removed")
    return done()


@pages.put("/<int:user_id>/password")
def set_password(user_id: int) -> Response:
    """Give a user a new password, and end their sessions and tokens.

    One's own takes the current password: a token that got into wrong hands must not be enough.
    """
    found = user_with_id(user_id)
    sent = _known(body(), "password", "current_password")
    if found.id == user().id:
        refused = _not_proved(text(sent, "current_password", ""))
        if refused:
            return refused
    admin.set_password(engine(), found.name, text(sent, "password"))
    log_change(found.name, "has a new password")
    return done()


def _not_proved(current: str) -> Response | None:
    """Return why the program may not have its user's password changed."""
    if not current:
        raise WrongValue("send current_password too, to change your own password")
    proof = prove(current)
    if proof.wait:
        refusal = problem(429, "too many wrong passwords; try again later")
        refusal.headers["Retry-After"] = str(math.ceil(proof.wait))
        return refusal
    return None if proof.given else problem(403, "current_password is wrong")


@pages.delete("/<int:user_id>/sessions")
def sign_out(user_id: int) -> Response:
    """End every session of a user."""
    found = user_with_id(user_id)
    ended = admin.sign_out_user(engine(), found.name)
    log_change(found.name, "was signed out")
    return answer({"ended": ended})


@pages.get("/<int:user_id>/tokens")
def list_tokens(user_id: int) -> Response:
    """List the labels of a user's tokens."""
    return answer({"tokens": admin.list_tokens(panel().engine, user_with_id(user_id).name)})


@pages.post("/<int:user_id>/tokens")
def add_token(user_id: int) -> Response:
    """Make a token; it is told this once."""
    found = user_with_id(user_id)
    label = text(_known(body(), "label"), "label")
    token = admin.add_token(engine(), found.name, label)
    log_change(found.name, "has a new token")
    return answer({"label": label, "token": token}, 201)


@pages.delete("/<int:user_id>/tokens/<text:label>")
def remove_token(user_id: int, label: str) -> Response:
    """Take a token back."""
    found = user_with_id(user_id)
    admin.remove_token(engine(), found.name, label)
    log_change(found.name, "has a token less")
    return done()


def _shown(one: User) -> dict[str, Any]:
    return {key: getattr(one, key) for key in ("id", "name", *TERMS)}


def _known(sent: dict[str, Any], *names: str) -> dict[str, Any]:
    for name in sent:
        if name not in names:
            raise WrongValue(f"there is no setting {name[:64]!a}")
    return sent
