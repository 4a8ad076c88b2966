"""Passwords of the panel's users: what is good enough, and how they are kept.

They are kept as Argon2id (RFC 9106, its second recommendation), by argon2-cffi. That takes 64 MiB
and some 50 ms of a core on purpose, so no more than ``AT_ONCE`` are worked out together, and never
in a thread that carries calls.
"""

import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from fsctl.admin.errors import WrongValue

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 256
AT_ONCE = 2

_room = threading.BoundedSemaphore(AT_ONCE)
_hasher = PasswordHasher()


def new_password(text: str) -> str:
    """Read a new password: 10 to 256 characters, whichever. Raises WrongValue."""
    if not SHORTEST_PASSWORD <= len(text) <= LONGEST_PASSWORD:
        raise WrongValue(
            f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters, not {len(text)}"
        )
    try:
        text.encode()
    except UnicodeEncodeError:
        raise WrongValue("a password is text, this is not") from None
    return text


def keep(text: str) -> str:
    """Return a password as it is kept. Takes time on purpose."""
    with _room:
        return _hasher.hash(text)


def fits(kept: str | None, text: str) -> bool:
    """Whether this is the password that was kept.

    Without one (nobody has that name) the answer is no, and takes the same time.
    """
    text = text[: LONGEST_PASSWORD + 1]  # longer than any that was kept, and so none of them
    with _room:
        try:
            return _hasher.verify(kept or _nobodys(), text) and kept is not None
        except (VerificationError, InvalidHashError, UnicodeEncodeError):
            return False


@cache
def _nobodys() -> str:
    """Return what is compared with where there is no user: made once, by the same rule."""
    return _hasher.hash("the password of nobody")
