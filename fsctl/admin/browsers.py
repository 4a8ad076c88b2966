"""Browsers in which a user of the panel has signed in before.

Somebody who guesses a user's password from elsewhere must not keep that user out. So the panel
tells the two apart before it looks at a password (``fsctl.web.throttle``). A browser keeps a mark:
when it was made, and a code whose key is the password as it is kept, with its random salt. Nothing
is kept of marks here, and a new password ends all of them. A mark lets nobody in.
"""

import hashlib
import hmac
import secrets

from sqlalchemy import Engine

from fsctl.store import web_users
from fsctl.store.engine import reading

KNOWN_FOR = 180 * 24 * 3_600
"""Seconds that a mark counts after the sign-in with which it was made."""
_LONGEST = 128
_NOBODY = "nobody has this password"


def new_mark(user_id: int, kept: str, now: float) -> str:
    """Return a mark for the browser of a user whose password is kept like this."""
    told = f"{int(now)}.{secrets.token_urlsafe(12)}"
    return f"{told}.{_code(user_id, kept, told)}"


def known_browser(engine: Engine, name: str, mark: str, now: float) -> str | None:
    """Return what names the browser with this mark; None when that user made no such mark."""
    if not mark.isascii() or len(mark) > _LONGEST or not name.isprintable():
        return None
    told, _, code = mark.rpartition(".")
    made = told.partition(".")[0]
    with reading(engine) as session:
        row = web_users.find_user(session, name)
        user_id, kept = (0, _NOBODY) if row is None else (row.id, row.password)
    if not hmac.compare_digest(code, _code(user_id, kept, told)) or row is None:
        return None
    return told if now < int(made) + KNOWN_FOR else None


def _code(user_id: int, kept: str, told: str) -> str:
    message = f"fsctl browser {user_id} {told}"
    return hmac.new(kept.encode(), message.encode(), hashlib.sha256).hexdigest()
