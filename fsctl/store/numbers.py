"""Telephone numbers: how a typed or dialled text becomes the key that a group is found by.

Owns the two forms that the database keeps: a city number in E.164 with its ``+`` (ITU-T E.164: 15
digits at most), and an internal number as dialled. Knows no table. Both functions take text from
strangers.
"""

import re
from contextlib import suppress
from typing import Literal, NamedTuple

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumber

Kind = Literal["city", "internal"]

LONGEST_TEXT = 64
LONGEST_E164 = 15
LONGEST_INTERNAL = 8

_INTERNAL = re.compile(rf"[0-9*#]{{1,{LONGEST_INTERNAL}}}")
# People and web pages put these between digits; the last four are typographic hyphens and spaces.
_SEPARATORS = dict.fromkeys(map(ord, " \t-./()\u00a0\u2010\u2011\u2013\u202f"))
_OPTIONAL_ZERO = re.compile(r"([^()]*)\([ \u00a0]*0[ \u00a0]*\)(.+)", re.DOTALL)
"""A trunk zero as it is printed, ``+48 (0)58 ...``: dialled within the country or not at all."""


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
    optional = _without_optional_zero(text)
    if optional is not None:
        return _with_optional_zero(text, compact, optional, region)
    value = _public(compact, region, valid=not _is_international(compact))
    if value is None and _INTERNAL.fullmatch(compact) and not _is_international(compact):
        return Number(compact, "internal")
    value = value or _public(compact, region, valid=False)
    if value is None:
        raise _why_not(text, compact, region)
    return Number(value, "city")


def is_assigned(number: str) -> bool:
    """Whether a number in E.164 lies in a range that its country has assigned."""
    return _e164(number, None, valid=True) is not None


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
        keys.append(normalise(text, region).value)
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


def _without_optional_zero(text: str) -> str | None:
    """Return the digits without a ``(0)`` in front or after a country code; None if it has none."""
    match = _OPTIONAL_ZERO.fullmatch(text)
    if match is None:
        return None
    before = match[1].translate(_SEPARATORS).removeprefix("+").removeprefix("00")
    if before and not (before.isdecimal() and int(before) in COUNTRY_CODE_TO_REGION_CODE):
        return None
    return (match[1] + match[2]).translate(_SEPARATORS)


def _with_optional_zero(text: str, kept: str, dropped: str, region: str) -> Number:
    """Return the public number of a text with ``(0)``.

    Only the plan says whether the zero belongs to the number, as in Italy. Where it has both, the
    text does not say which is meant.
    """
    found = [_public(digits, region, valid=True) for digits in (kept, dropped)]
    values = sorted({value for value in found if value is not None})
    if len(values) > 1:
        raise NumberError(f"{text!a} can be two numbers: write {' or '.join(values)}")
    value = values[0] if values else _public(dropped, region, valid=False)
    if value is None:
        raise _why_not(text, dropped, region)
    return Number(value, "city")


def _is_international(compact: str) -> bool:
    return compact.startswith(("+", "00"))


def _public(compact: str, region: str, *, valid: bool) -> str | None:
    """Return the E.164 form of a number with or without an international prefix."""
    if compact.startswith("00"):
        compact = "+" + compact[2:]
    return _e164(compact, None if compact.startswith("+") else region, valid=valid)


def _why_not(text: str, compact: str, region: str) -> NumberError:
    """Return why a text is no number, and what it may have meant."""
    meant = _without_leading_zero(compact, region)
    if meant is not None:
        return NumberError(
            f"{text!a} is not a possible number: no number there begins with 0; write {meant}"
        )
    if _is_international(compact):
        return NumberError(f"{text!a} is not a possible international number")
    return NumberError(
        f"{text!a} is neither a telephone number of {region} nor an internal number "
        f"(1 to {LONGEST_INTERNAL} of 0-9, * and #)"
    )


def _without_leading_zero(compact: str, region: str) -> str | None:
    """Return the valid number that is left without a zero that its plan does not have."""
    where = None if _is_international(compact) else region
    digits = "+" + compact[2:] if compact.startswith("00") else compact
    with suppress(phonenumbers.NumberParseException):
        parsed = phonenumbers.parse(digits, where)
        if parsed.italian_leading_zero:
            return _e164(f"+{parsed.country_code}{parsed.national_number}", None, valid=True)
    return None


def _e164(digits: str, region: str | None, *, valid: bool) -> str | None:
    """Return the E.164 form if the number is valid (or only possible), else None."""
    if not re.fullmatch(r"\+?[0-9]+", digits):
        return None
    try:
        parsed = phonenumbers.parse(digits, region)
        fits = phonenumbers.is_valid_number if valid else _is_possible
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


def _is_possible(number: PhoneNumber) -> bool:
    """Whether the country's plan can have the number, assigned or not.

    The library looks at the length alone, and takes numbers without their area code.
    """
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason != phonenumbers.ValidationResult.IS_POSSIBLE:
        return False
    return not number.italian_leading_zero or _has_plan_with(number)


def _has_plan_with(number: PhoneNumber) -> bool:
    """Whether a plan of the number's country code has numbers that look like it."""
    code = number.country_code or 0
    digits = phonenumbers.national_significant_number(number)
    plans = (
        PhoneMetadata.metadata_for_region_or_calling_code(code, region)
        for region in COUNTRY_CODE_TO_REGION_CODE.get(code, ())
    )
    general = (plan.general_desc for plan in plans if plan is not None)
    patterns = (one.national_number_pattern for one in general if one is not None)
    return any(re.fullmatch(pattern, digits) for pattern in patterns if pattern)
