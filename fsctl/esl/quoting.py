"""The one place where values become part of a command. Allow-list first, then escape.

``originate`` takes a command apart several times: at spaces (single quotes and backslashes count),
the ``{}`` block at commas, each variable at ``=``; and values may be expanded as ``${}`` on the way
(field notes, "Quoting"; ``switch_utils.c``, ``switch_ivr_originate.c``). Nothing that any of these
readers treats as special is let through, and the two that people's names do need, space and comma,
are escaped the way all of them understand.
"""

import re
import unicodedata
from functools import lru_cache

from fsctl.esl.errors import Unquotable

MAX_VALUE = 80
"""Characters kept of a value that a stranger chose."""

_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+@-]{0,254}")
_NUMBER = re.compile(r"\+?[A-Za-z0-9*#][A-Za-z0-9*#._-]{0,63}")
_ENDS_VALUE = re.compile(r"[\s{}\[\]<>'\"$|^;=]|(?<!\\),|\\(?![,s])")
_APOSTROPHE = "\N{RIGHT SINGLE QUOTATION MARK}"
# Not "/", ":" and "@": of a name that holds them FreeSWITCH shows a part only (tried).
_PLAIN = frozenset(" +-_.#*&!?," + _APOSTROPHE)
_ESCAPES = str.maketrans({" ": "\\s", ",": "\\,"})


def token(text: str) -> str:
    """Return ``text`` if it is one word that no reader takes apart: a uuid, user, cause or number.

    Raises Unquotable otherwise: such a word comes from us or was checked when it was configured.
    """
    if not _TOKEN.fullmatch(text):
        raise Unquotable(f"{text[:60]!r} cannot be part of a command")
    return text


def number(text: str) -> str:
    """Return ``text`` if it can be dialled: no reader of a dial string takes it apart.

    Raises Unquotable otherwise.
    """
    if not _NUMBER.fullmatch(text):
        raise Unquotable(f"{text[:60]!r} cannot be dialled")
    return text


def clean(text: str, limit: int = MAX_VALUE) -> str:
    """Return what may be kept of a text that a stranger chose, at most ``limit`` characters.

    Letters and digits of any script, marks, spaces and a few signs stay. An apostrophe becomes the
    typographic one, every run of anything else one space.
    """
    text = unicodedata.normalize("NFC", text[: 8 * limit]).replace("'", _APOSTROPHE)
    kept = "".join(char if _allowed(char) else " " for char in text)
    return " ".join(kept.split())[:limit].strip()


def _allowed(char: str) -> bool:
    return char in _PLAIN or unicodedata.category(char)[0] in "LMN"


@lru_cache(maxsize=1024)  # all legs of a call show the same caller
def value(text: str, limit: int = MAX_VALUE) -> str:
    """Return a stranger's text as the value of a variable in a ``{}`` block."""
    return clean(text, limit).translate(_ESCAPES)


def variables(pairs: dict[str, str]) -> str:
    """Return a ``{}`` block of channel variables; values must have come through this module.

    Raises Unquotable for a name or value that could end the block or add a variable to it.
    """
    for name, text in pairs.items():
        token(name)
        if _ENDS_VALUE.search(text):
            raise Unquotable(f"{text[:60]!r} cannot be the value of {name}")
    return "{" + ",".join(f"{name}={text}" for name, text in pairs.items()) + "}"
