"""What a request gives in its path, and numbers in its query or its form: all are read here.

A number is some ASCII digits, at most ``MOST_DIGITS``, between bounds that whoever reads it names.
Anything else is no number: neither Python nor a database is asked to convert it.
"""

from flask import request
from werkzeug.routing import BaseConverter, IntegerConverter

MOST_DIGITS = 18
"""Every number with as many digits fits into 64 bits, as both databases keep ids."""

LARGEST_ID = 10**MOST_DIGITS - 1


class Id(IntegerConverter):
    """The id in a path. A path with a longer number leads nowhere: 404."""

    regex = f"[0-9]{{1,{MOST_DIGITS}}}"


class Text(BaseConverter):
    """A name in a path, whatever it is made of: a group within a group may be called ``a/b``."""

    regex = ".+"
    part_isolating = False


def whole_number(text: str, least: int, most: int) -> int | None:
    """Return the number that a text is; None when it is none, or beyond the bounds."""
    if not (text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS):
        return None
    found = int(text)
    return found if least <= found <= most else None


def asked_number(name: str, default: int, least: int, most: int) -> int:
    """Return a number of the query; ``default`` where there is none, or none within the bounds."""
    found = whole_number(request.args.get(name, ""), least, most)
    return default if found is None else found
