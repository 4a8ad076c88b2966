"""Queries for the panel's users, sessions and tokens. Callers bring the session.

Owns their SQL. What a password is worth, and how long somebody stays signed in, is not said here:
that is ``fsctl.admin.users`` and ``fsctl.admin.signed_in``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from fsctl.store.tables import name_key
from fsctl.store.web_tables import WebSession, WebToken, WebUser


@dataclass(frozen=True, slots=True)
class User:
    """A user of the panel. ``domain`` is ``""`` for one who may see every domain.

    ``language`` is ``""`` for whatever the browser asks for.
    """

    id: int
    name: str
    role: str
    domain: str
    language: str


def plain_user(row: WebUser) -> User:
    """Return the plain value of a row, without the password."""
    return User(row.id, row.name, row.role, row.domain, row.language)


def find_user(session: Session, name: str) -> WebUser | None:
    """Return the row of the user of that name, whatever its case."""
    return session.scalars(select(WebUser).where(WebUser.name_key == name_key(name))).one_or_none()


def list_rows(session: Session) -> Sequence[WebUser]:
    """Return every user, by name."""
    return sorted(session.scalars(select(WebUser)), key=lambda row: row.name_key)


def lock_row(session: Session, name: str) -> WebUser | None:
    """Return the row of a user as ``find_user`` does; nobody else changes it meanwhile."""
    statement = select(WebUser).where(WebUser.name_key == name_key(name)).with_for_update()
    return session.scalars(statement).one_or_none()


def count_users(session: Session) -> int:
    """Return how many users there are."""
    return session.scalar(select(func.count()).select_from(WebUser)) or 0


def add_session(session: Session, digest: str, user_id: int, now_ms: int) -> None:
    """Write down that somebody is signed in."""
    session.add(WebSession(digest=digest, user_id=user_id, began_ms=now_ms, seen_ms=now_ms))


def session_of(session: Session, digest: str) -> tuple[WebSession, WebUser] | None:
    """Return the session with this digest, and whose it is."""
    statement = select(WebSession, WebUser).join(WebUser, WebUser.id == WebSession.user_id)
    row = session.execute(statement.where(WebSession.digest == digest)).one_or_none()
    return None if row is None else (row[0], row[1])


def see_session(session: Session, digest: str, now_ms: int) -> None:
    """Write down that a session was used."""
    session.execute(update(WebSession).where(WebSession.digest == digest).values(seen_ms=now_ms))


def end_session(session: Session, digest: str) -> None:
    """Forget one session."""
    session.execute(delete(WebSession).where(WebSession.digest == digest))


def end_sessions_of(session: Session, user_id: int) -> int:
    """Forget every session of a user; return how many there were."""
    rows = session.scalars(
        delete(WebSession).where(WebSession.user_id == user_id).returning(WebSession.digest)
    )
    return len(rows.all())


def end_old_sessions(session: Session, seen_before_ms: int, began_before_ms: int) -> None:
    """Forget the sessions that were not used, or that began, since then."""
    old = or_(WebSession.seen_ms < seen_before_ms, WebSession.began_ms < began_before_ms)
    session.execute(delete(WebSession).where(old))


def user_of_token(session: Session, digest: str) -> User | None:
    """Return whose token has this digest."""
    statement = select(WebUser).join(WebToken, WebToken.user_id == WebUser.id)
    row = session.scalars(statement.where(WebToken.digest == digest)).one_or_none()
    return None if row is None else plain_user(row)


def tokens_of(session: Session, user_id: int) -> list[str]:
    """Return the labels of a user's tokens, in order."""
    statement = select(WebToken.label).where(WebToken.user_id == user_id)
    return sorted(session.scalars(statement))


def remove_tokens_of(session: Session, user_id: int) -> None:
    """Take every token of a user back."""
    session.execute(delete(WebToken).where(WebToken.user_id == user_id))


def remove_token(session: Session, user_id: int, label: str) -> bool:
    """Take a token back; False if there is none of that label."""
    rows = session.scalars(
        delete(WebToken)
        .where(WebToken.user_id == user_id, WebToken.label == label)
        .returning(WebToken.id)
    )
    return bool(rows.all())
