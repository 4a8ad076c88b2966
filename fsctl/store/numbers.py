"""Telephone numbers: how a typed or dialled text becomes the key that a group is found by.

Owns the two forms that the database keeps: a city number in E.164 with its ``+`` (ITU-T E.164: 15
digits at most), and an internal number as dialled. Knows no table. Both functions take text from
strangers.
"""

import re
from contextlib import suppress
from typing import Literal, NamedTuple

import phonenumbers

Kind = Literal["city", "internal"]

LONGEST_TEXT = 64
LONGEST_E164 = 15
LONGEST_INTERNAL = 8

_INTERNAL = re.compile(rf"[0-9*#]{{1,{LONGEST_INTERNAL}}}")
# People and web pages put these between digits; the last four are typographic hyphens and spaces.
_SEPARATORS = dict.fromkeys(map(ord, " \t-./()\u00a0\u2010\u2011\u2013\u202f"))


class NumberError(ValueError):
    """The text is no number that a caller could dial; the message is one line."""


class Number(NamedTuple):
    """A number as the database keeps it."""

    value: str
    kind: Kind


def normalise(text: str, region: str) -> Number:
    """Return the number that the text means in the region (ISO 3166).

    With an international prefix (``+`` or ``00``) it must be possible in its country's plan.
    Without one it is, in this order: a valid national number, an internal number, a possible
    national number. Raises NumberError.
    """
    compact = _compact(text)
    if compact.startswith(("+", "00")):
        digits = compact.removeprefix("+") if compact[0] == "+" else compact[2:]
        value = _e164("+" + digits, None, valid=False)
        if value is None:
            raise NumberError(f"{text!a} is not a possible international number")
        return Number(value, "city")
    value = _e164(compact, region, valid=True)
    if value is None and _INTERNAL.fullmatch(compact):
        return Number(compact, "internal")
    value = value or _e164(compact, region, valid=False)
    if value is None:
        raise NumberError(
            f"{text!a} is neither a telephone number of {region} nor an internal number "
            f"(1 to {LONGEST_INTERNAL} of 0-9, * and #)"
        )
    return Number(value, "city")


def dialled(text: str, region: str) -> tuple[str, ...]:
    """Return the keys under which a dialled destination may be kept, the likeliest first.

    Providers hand over a number as ``+48...``, ``0048...``, ``48...`` or in its national form.
    Never raises: what cannot be a number has no keys.
    """
    try:
        compact = _compact(text)
    except NumberError:
        return ()
    keys: list[str | None] = []
    with suppress(NumberError):
        keys.append(normalise(compact, region).value)
    keys.append(compact if _INTERNAL.fullmatch(compact) else None)
    keys.append(_e164("+" + compact.lstrip("+"), None, valid=False))
    return tuple(dict.fromkeys(key for key in keys if key is not None))


def _compact(text: str) -> str:
    """Take the separators out; only ``+`` in front, digits, ``*`` and ``#`` may remain."""
    if len(text) > LONGEST_TEXT:
        raise NumberError(f"a number of {len(text)} characters is too long")
    compact = text.translate(_SEPARATORS)
    if not compact:
        raise NumberError(f"{text!a} is not a number: it has no digits")
    if not re.fullmatch(r"\+?[0-9*#]+", compact):
        raise NumberError(
            f"{text!a} is not a number: only digits, *, # and a leading + can be dialled"
        )
    return compact


def _e164(digits: str, region: str | None, *, valid: bool) -> str | None:
    """Return the E.164 form if the number is valid (or only possible), else None."""
    if not re.fullmatch(r"\+?[0-9]+", digits):
        return None
    try:
        parsed = phonenumbers.parse(digits, region)
        fits = phonenumbers.is_valid_number if valid else phonenumbers.is_possible_number
        value = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
        again = phonenumbers.parse(value, None)
    except phonenumbers.NumberParseException:
        return None
    # A trunk prefix can hide behind a trunk prefix (+44 0 0 ...): what changes when it is read
    # again is nobody's number.
    if not fits(parsed) or parsed.country_code != again.country_code:
        return None
    if phonenumbers.format_number(again, phonenumbers.PhoneNumberFormat.E164) != value:
        return None
    return value if len(value) <= LONGEST_E164 + 1 else None
