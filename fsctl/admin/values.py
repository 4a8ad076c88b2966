"""Reading what an administrator types: names, users, seconds, numbers.

Owns the rules for a value on its own, without a look at the database. Everything here returns the
value as it is kept, or raises WrongValue.
"""

import re
import unicodedata

from fsctl.admin.errors import WrongValue
from fsctl.hunt.domain import read_domain
from fsctl.hunt.group import INNER, inner_name
from fsctl.store import numbers
from fsctl.store.limits import LONGEST_DELAY_MS, LONGEST_NAME
from fsctl.store.numbers import Number, NumberError

_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_USER = re.compile(
    rf"[A-Za-z0-9][A-Za-z0-9._+-]{{0,63}}(?:@(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*)?"
)
_SECONDS = re.compile(r"(-?)([0-9]{1,9})(?:[.,]([0-9]{1,3}))?")


def group_name(text: str) -> str:
    """Read a group's name: 1 to 64 printable characters, in Unicode's composed form (NFC)."""
    name = unicodedata.normalize("NFC", text)
    if not 1 <= len(name) <= LONGEST_NAME:
        raise WrongValue(f"a group's name has 1 to {LONGEST_NAME} characters, not {len(name)}")
    if not name.isprintable():
        raise WrongValue(f"a group's name has printable characters only, not {name!a}")
    if name != name.strip(" "):
        raise WrongValue(f'a group\'s name neither starts nor ends with a space: "{name}"')
    if name.startswith("-"):
        raise WrongValue(f'a group\'s name cannot start with "-", as an option does: "{name}"')
    return name


def domain(text: str) -> str:
    """Read the name of a domain; ``""`` is the only one that an installation has."""
    try:
        return read_domain(text)
    except ValueError as error:
        raise WrongValue(f"{shown(text)} is not a domain: {error}") from None


def line(what: str, text: str, longest: int) -> str:
    """Read a line about something: at most so many printable characters."""
    if len(text) > longest:
        raise WrongValue(f"a {what} has at most {longest} characters, not {len(text)}")
    if not text.isprintable():
        raise WrongValue(f"a {what} is one line of printable characters")
    return text


def user(text: str) -> str:
    """Read the name of a user in FreeSWITCH's directory, with or without ``@domain``."""
    if not _USER.fullmatch(text):
        raise WrongValue(
            f"{shown(text)} is not a user name: write up to 64 letters (a-z), digits and . _ + -, "
            "beginning with a letter or digit, if need be with @domain"
        )
    return text


def member(text: str) -> str:
    """Read who is to be a member: a user, ``group:NAME``, or a telephone number that begins with +.

    Without its ``+`` a number would be a user: many directories name theirs so.
    """
    name = inner_name(text)
    if name is not None:
        return INNER + group_name(name)
    return number(text, "ZZ").value if text.startswith("+") else user(text)


def parse_seconds(text: str) -> float:
    """Read any time from 0 to 3600 seconds, as precise as groups keep theirs."""
    return milliseconds("time", text, 0, LONGEST_DELAY_MS) / 1000


def number(text: str, region: str) -> Number:
    """Read a telephone number as it is written in the region (ISO 3166)."""
    try:
        return numbers.normalise(text, region)
    except NumberError as error:
        raise WrongValue(str(error)) from None


def milliseconds(what: str, value: str | float, least: int, most: int) -> int:
    """Read seconds written with a point or, as in Poland, a comma; to the millisecond."""
    text = str(value)
    match = _SECONDS.fullmatch(text)
    if match is None:
        raise WrongValue(
            f"{what} {shown(text)} is not a time: write seconds, for example 5 or 0.5, "
            "with at most 3 decimals"
        )
    sign, whole, fraction = match.groups()
    found = int(whole) * 1000 + int((fraction or "").ljust(3, "0"))
    found = -found if sign else found
    if not least <= found <= most:
        raise WrongValue(f"{what} is {least // 1000} to {most // 1000} seconds, not {text}")
    return found


def shown(text: str) -> str:
    """Return what somebody typed as a message repeats it: quoted, in ASCII, not too long."""
    return ascii(text if len(text) <= LONGEST_NAME else text[:LONGEST_NAME] + "...")
