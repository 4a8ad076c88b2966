"""Who may sign in to the panel: add, set, list, remove, a new password, tokens for programs.

Each change is one transaction, and in the audit log, which holds no password and no token; errors
are those of ``fsctl.admin.groups``. Users are no part of the groups: their changes do not move the
groups' revision, and an export does not have them.
"""

import hashlib
import secrets
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from fsctl.admin import passwords, values
from fsctl.admin.actor import actor_of
from fsctl.admin.difference import PASSWORD, SIGN_OUT
from fsctl.admin.errors import Refused, WrongValue
from fsctl.admin.versions import Conflict, digest
from fsctl.catalogs import LANGUAGES
from fsctl.store import web_users
from fsctl.store.audit import Document, write_user_entry
from fsctl.store.engine import reading, writing
from fsctl.store.limits import LONGEST_NAME
from fsctl.store.tables import name_key
from fsctl.store.web_tables import LONGEST_LABEL, ROLES, WebToken, WebUser
from fsctl.store.web_users import User

MANAGER = (ROLES[0], "")
"""The role and domain of who manages the panel's users."""
TOKEN_PREFIX = "fsctl_"  # noqa: S105 - what a token begins with is no secret


def user_name(text: str) -> str:
    """Read a user's name: 1 to 64 printable characters without spaces."""
    name = unicodedata.normalize("NFC", text)
    if not 1 <= len(name) <= LONGEST_NAME:
        raise WrongValue(f"a user's name has 1 to {LONGEST_NAME} characters, not {len(name)}")
    if not name.isprintable() or " " in name or name.startswith("-"):
        raise WrongValue(
            "a user's name has printable characters without spaces, and does not start "
            f'with "-", unlike {name!a}'
        )
    return name


def read_role(text: str) -> str:
    """Read a role."""
    if text not in ROLES:
        raise WrongValue(f"a role is {' or '.join(ROLES)}, not {text[:LONGEST_NAME]!a}")
    return text


def read_language(text: str) -> str:
    """Read a language of the panel; ``""`` is the browser's."""
    if text not in ("", *LANGUAGES):
        raise WrongValue(f"a language is {' or '.join(LANGUAGES)}, not {text[:LONGEST_NAME]!a}")
    return text


def add_user(
    engine: Engine,
    name: str,
    password: str,
    *,
    role: str = ROLES[0],
    domain: str = "",
    language: str = "",
) -> User:
    """Let somebody sign in; with a ``domain`` they see and change that domain's groups only."""
    row = WebUser(
        name=user_name(name),
        name_key=name_key(user_name(name)),
        role=read_role(role),
        domain=values.domain(domain),
        language=read_language(language),
        password=passwords.keep(passwords.new_password(password, name)),
    )
    with _changing(engine) as session:
        if web_users.find_user(session, row.name) is not None:
            raise Refused(f'there is a user "{row.name}" already')
        session.add(row)
        session.flush()
        _write_down(session, "add user", None, _document(session, row))
        return web_users.plain_user(row)


def set_user(
    engine: Engine,
    name: str,
    *,
    role: str | None = None,
    domain: str | None = None,
    language: str | None = None,
    by: str = "",
    seen: str | None = None,
) -> User:
    """Change what is given of a user; None leaves a value as it is.

    ``by`` is the user of the panel who asks for it, if it is one: see ``_allowed``. ``seen`` is the
    version of the user from which the change was made.
    """
    if role is None and domain is None and language is None:
        raise WrongValue("nothing to change: give a role, a domain or a language")
    with _changing(engine) as session:
        _allowed(session, by)
        row = _existing(session, name)
        _refuse_changed(row, seen)
        if by and name_key(by) == row.name_key and (role or row.role, domain or "") != MANAGER:
            raise Refused("nobody takes their own rights away: another administrator can")
        before = _document(session, row)
        row.role = row.role if role is None else read_role(role)
        row.domain = row.domain if domain is None else values.domain(domain)
        row.language = row.language if language is None else read_language(language)
        session.flush()
        after = _document(session, row)
        if before != after:
            _write_down(session, "set user", before, after)
        return web_users.plain_user(row)


def set_password(engine: Engine, name: str, password: str) -> User:
    """Give a user a new password, and end their sessions and tokens.

    Somebody may have known the old one, and have made what lets them in without it.
    """
    kept = passwords.keep(passwords.new_password(password, name))
    with _changing(engine) as session:
        row = _existing(session, name)
        before = _document(session, row)
        row.password = kept
        web_users.end_sessions_of(session, row.id)
        web_users.remove_tokens_of(session, row.id)
        _write_down(session, PASSWORD, before, _document(session, row))
        return web_users.plain_user(row)


def remove_user(engine: Engine, name: str, *, by: str = "", seen: str | None = None) -> User:
    """Remove a user with their sessions and tokens; ``by`` and ``seen`` as in ``set_user``."""
    with _changing(engine) as session:
        _allowed(session, by)
        row = _existing(session, name)
        _refuse_changed(row, seen)
        if by and name_key(by) == row.name_key:
            raise Refused("nobody removes themselves: another administrator can")
        user = web_users.plain_user(row)
        _write_down(session, "remove user", _document(session, row), None)
        session.delete(row)
        return user


def version_of(user: User) -> str:
    """Return what tells a user from what they were before any change."""
    return digest({"role": user.role, "domain": user.domain, "language": user.language})


def _refuse_changed(row: WebUser, seen: str | None) -> None:
    if seen is not None and version_of(web_users.plain_user(row)) != seen:
        raise Conflict(f'somebody else has changed user "{row.name}" meanwhile; look at it again')


def may_manage(user: User) -> bool:
    """Whether a user of the panel manages its users: an administrator of every domain does."""
    return (user.role, user.domain) == MANAGER


def _allowed(session: Session, by: str) -> None:
    """Refuse a change by a user of the panel who has been kept from it meanwhile.

    Of two who take each other's rights away only the first succeeds, so that somebody is left. The
    command line, which acts for nobody, may do everything.
    """
    if by:
        row = web_users.lock_row(session, by)
        if row is None or not may_manage(web_users.plain_user(row)):
            raise Refused(f'user "{by}" does not manage users any more')


def list_users(engine: Engine) -> list[User]:
    """Return every user, by name."""
    with reading(engine) as session:
        return [web_users.plain_user(row) for row in web_users.list_rows(session)]


def sign_out_user(engine: Engine, name: str) -> int:
    """End every session of a user; return how many there were."""
    with _changing(engine) as session:
        row = _existing(session, name)
        _write_down_as_it_is(session, SIGN_OUT, row)
        return web_users.end_sessions_of(session, row.id)


# Tokens, with which programs sign in


def digest_of(secret: str) -> str:
    """Return what is kept of a random secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def add_token(engine: Engine, name: str, label: str) -> str:
    """Return a new token of a user; it is told this once. ``label`` is for taking it back."""
    if not 1 <= len(label) <= LONGEST_LABEL or not label.isprintable():
        raise WrongValue(f"a token's label has 1 to {LONGEST_LABEL} printable characters")
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    with _changing(engine) as session:
        row = _existing(session, name)
        if label in web_users.tokens_of(session, row.id):
            raise Refused(f'user "{row.name}" has a token "{label}" already')
        before = _document(session, row)
        session.add(WebToken(user_id=row.id, label=label, digest=digest_of(token)))
        session.flush()
        _write_down(session, "add token", before, _document(session, row))
    return token


def remove_token(engine: Engine, name: str, label: str) -> User:
    """Take a token back: whoever has it is a stranger from now on."""
    with _changing(engine) as session:
        row = _existing(session, name)
        before = _document(session, row)
        if not web_users.remove_token(session, row.id, label):
            raise Refused(f'user "{row.name}" has no token "{label}"')
        _write_down(session, "remove token", before, _document(session, row))
        return web_users.plain_user(row)


def list_tokens(engine: Engine, name: str) -> list[str]:
    """Return the labels of a user's tokens."""
    with reading(engine) as session:
        return web_users.tokens_of(session, _existing(session, name).id)


def user_with_token(engine: Engine, token: str) -> User | None:
    """Return whose token this is; None for nobody's."""
    with reading(engine) as session:
        return web_users.user_of_token(session, digest_of(token))


# The audit log


def _document(session: Session, row: WebUser) -> Document:
    """Return what the audit log has of a user."""
    return {
        "name": row.name,
        "role": row.role,
        "domain": row.domain,
        "language": row.language,
        "tokens": web_users.tokens_of(session, row.id),
    }


def _write_down(
    session: Session, action: str, before: Document | None, after: Document | None
) -> None:
    bind = session.get_bind()
    assert isinstance(bind, Engine)  # noqa: S101 - sessions are made by fsctl.store.engine
    write_user_entry(session, actor_of(bind), action, before, after)


def _write_down_as_it_is(session: Session, action: str, row: WebUser) -> None:
    """Write down what changes nothing that may be told of."""
    document = _document(session, row)
    _write_down(session, action, document, document)


@contextmanager
def _changing(engine: Engine) -> Iterator[Session]:
    try:
        with writing(engine) as session:
            yield session
    except IntegrityError as error:
        raise Refused("somebody else is changing the same; nothing was changed") from error


def _existing(session: Session, name: str) -> WebUser:
    row = web_users.find_user(session, user_name(name))
    if row is None:
        raise Refused(f'there is no user "{name}"; see: fsctl user list')
    return row
