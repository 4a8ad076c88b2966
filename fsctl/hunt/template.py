"""Texts with placeholders: what a telephone shows, where a recording goes.

Pure. Which placeholders a text may have is for whoever reads it; what a filled one may hold is for
``fsctl.esl.quoting``.
"""

import re
from collections.abc import Collection, Mapping

from fsctl.caches import cache_of_texts

SHOWN = ("name", "number", "group", "dialled")
"""Placeholders of what a member's telephone shows: the caller's name and number, the group's name,
the number that was dialled."""
RECORDED = ("group", "number", "dialled", "member", "date", "time", "uuid")
"""Placeholders of a recording's file: of them a file's name is made, whoever calls."""

ASKED = ("user", "domain")
"""Placeholders of what is asked about a member."""
DIALLING = ("number", "digits")
"""Placeholders of how a telephone number is dialled: in E.164, and the same without its ``+``."""
OUTSIDE = ("number", "dialled")
"""Placeholders of the caller's number as a telephone outside shows it."""

LONGEST_CACHED = 1_000
"""Characters of a template that is cached taken apart."""
_PLACEHOLDER = re.compile(r"\{([a-z]+)\}")


def stray(template: str, known: Collection[str]) -> str | None:
    """Return the first thing in braces that is no known placeholder, None when all is well."""
    rest = _PLACEHOLDER.sub(lambda found: "" if found[1] in known else found[0], template)
    found = re.search(r"[{}][^{}]*\}?", rest)
    return found[0] if found else None


def fill(template: str, values: Mapping[str, str]) -> str:
    """Return the text with each known placeholder replaced, once: no value is read again."""
    texts = _taken_apart(template).copy()
    for place in range(1, len(texts), 2):
        name = texts[place]
        texts[place] = values.get(name, f"{{{name}}}")
    return "".join(texts)


@cache_of_texts(1_000, LONGEST_CACHED)
def _taken_apart(template: str) -> list[str]:
    """Return a template's texts and, between them, the names of its placeholders."""
    return _PLACEHOLDER.split(template)


def dialling(template: str, number: str) -> str:
    """Return the dial string for a telephone number in E.164."""
    return fill(template, {"number": number, "digits": number.removeprefix("+")})
