"""Passwords of the panel's users: what is good enough, and how they are kept.

As NIST SP 800-63B asks, length and what is tried first decide what is good enough, not kinds of
characters, and no password expires. zxcvbn knows what is tried first: common passwords, words,
names, dates, rows of keys, and what is made of these. It works offline.

They are kept as Argon2id (RFC 9106, its second recommendation), by argon2-cffi. That takes 64 MiB
and some 50 ms of a core on purpose, so no more than ``AT_ONCE`` are worked out together, and never
in a thread that carries calls.
"""

import re
import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from fsctl.admin.errors import WrongValue

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 256
AT_ONCE = 2
_KNOWN = ("fsctl", "freeswitch", "panel", "huntgroup", "telefon", "centrala")
"""Words that come to mind here, besides those that come to mind anywhere."""

MOST_GUESSES = 10**8
"""A password that is found in fewer is refused. The panel looks at 2,000 guesses in a quarter of an
hour at most, from as many networks: that makes a year and a half."""
_LOOKED_AT = 32
"""Characters. What is hard to guess up to there is hard to guess."""
_MEANT_FOR_LETTERS = str.maketrans(dict.fromkeys("({[<|+%!", "~"))
"""Signs that zxcvbn takes for several letters each: it tries them all, for seconds."""

_room = threading.BoundedSemaphore(AT_ONCE)
_hasher = PasswordHasher()


def new_password(text: str, name: str) -> str:
    """Read a user's new password: 10 to 256 characters, hard to guess. Raises WrongValue."""
    if not SHORTEST_PASSWORD <= len(text) <= LONGEST_PASSWORD:
        raise WrongValue(
            f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters, not {len(text)}"
        )
    try:
        text.encode()
    except UnicodeEncodeError:
        raise WrongValue("a password is text, this is not") from None
    if _guesses(text, name) < MOST_GUESSES:
        raise WrongValue(
            "this password is easily guessed: do not use common passwords, single words, names, "
            "dates or keyboard patterns; use several unrelated words"
        )
    return text


def _guesses(text: str, name: str) -> float:
    """Return after how many guesses somebody finds a password who knows how people choose them."""
    from zxcvbn import zxcvbn  # noqa: PLC0415 - its lists are large, and few commands ask

    known = [name, *re.split(r"[\W_]+", name), *_KNOWN]
    guessed = "".join(text.split())[:_LOOKED_AT].translate(_MEANT_FOR_LETTERS)
    return float(zxcvbn(guessed, user_inputs=known)["guesses"]) if guessed else 0.0


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
