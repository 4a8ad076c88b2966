"""Signing in and staying signed in: by password, then by a session in the database.

A session ends by itself after ``IDLE`` seconds without a request and after ``LONGEST`` in any case.
What the browser holds is a random secret; the database knows its digest only.
"""

import secrets
from dataclasses import dataclass

from sqlalchemy import Engine

from fsctl.admin import browsers, passwords
from fsctl.admin.users import digest_of
from fsctl.store import web_users
from fsctl.store.engine import reading, writing
from fsctl.store.web_users import User

IDLE = 3_600
LONGEST = 12 * 3_600
SEEN_EVERY = 60
"""Seconds between two notes that a session is used: not every request writes."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A user who is signed in, and the secret that the browser shows for it.

    ``mark`` is what the browser is known by at the next sign-in (``fsctl.admin.browsers``).
    """

    user: User
    secret: str
    mark: str


def sign_in(engine: Engine, name: str, password: str, now: float) -> SignedIn | None:
    """Sign somebody in; None when name and password do not belong together, whichever is wrong.

    Takes the same time for a name that nobody has.
    """
    with reading(engine) as session:
        row = web_users.find_user(session, name) if name.isprintable() else None
        user = None if row is None else web_users.plain_user(row)
        kept = None if row is None else row.password
    if not passwords.fits(kept, password) or user is None or kept is None:
        return None
    secret = secrets.token_urlsafe(32)
    with writing(engine) as session:
        web_users.end_old_sessions(session, _ms(now - IDLE), _ms(now - LONGEST))
        web_users.add_session(session, digest_of(secret), user.id, _ms(now))
    return SignedIn(user, secret, browsers.new_mark(user.id, kept, now))


def is_password(engine: Engine, user: User, password: str) -> bool:
    """Whether this is the user's password."""
    with reading(engine) as session:
        row = web_users.find_user(session, user.name)
        kept = None if row is None else row.password
    return passwords.fits(kept, password)


def user_of(engine: Engine, secret: str, now: float, *, used: bool = True) -> User | None:
    """Return who is signed in with this secret; None for nobody, or nobody any more.

    ``used``: somebody does something; else only the time that is left is looked at.
    """
    digest = digest_of(secret)
    with reading(engine) as session:
        found = web_users.session_of(session, digest)
        if found is None:
            return None
        kept, user = found[0], web_users.plain_user(found[1])
        over = kept.seen_ms < _ms(now - IDLE) or kept.began_ms < _ms(now - LONGEST)
        stale = kept.seen_ms < _ms(now - SEEN_EVERY)
    if over:
        sign_out(engine, secret)
        return None
    if stale and used:
        with writing(engine) as session:
            web_users.see_session(session, digest, _ms(now))
    return user


def sign_out(engine: Engine, secret: str) -> None:
    """End one session."""
    with writing(engine) as session:
        web_users.end_session(session, digest_of(secret))


def sign_out_everywhere(engine: Engine, user: User) -> int:
    """End every session of a user; return how many there were."""
    with writing(engine) as session:
        return web_users.end_sessions_of(session, user.id)


def _ms(moment: float) -> int:
    return round(moment * 1000)
