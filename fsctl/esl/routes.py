"""Where a switch's dialplan sends a number, as far as its XML tells. Without I/O.

It reads the dialplan as ``mod_dialplan_xml`` does for the conditions on ``destination_number``.
What depends on anything else (the time, a variable of the call) cannot be known here: an extension
with such a condition may take a call, and is then not said to.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from xml.etree import ElementTree

from fsctl.caches import cache_of_texts
from fsctl.esl.errors import ProtocolError

LONGEST_EXPRESSION = 4096
"""Characters of an expression that is tried; nobody writes longer ones."""
FLAGS = ("async", "full")
"""Flags that ``socket`` needs."""
_RESUMES = re.compile(r"(?:^|[ :,;|^])socket_resume=(?!false|no\b|0)", re.IGNORECASE)
_SETTING = ("set", "export", "multiset")
_NUMBER_FIELDS = ("destination_number", "${destination_number}")


class Fate(Enum):
    """What becomes of a call to a number in one context."""

    OURS = "ours"
    """It is handed to one of our addresses, or to one that a variable of the call names."""
    ANOTHER = "another controller"
    """It is handed to a controller, at an address that is not ours."""
    TAKEN = "taken"
    """An extension takes it that hands it to no controller."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where a call goes: what becomes of it, in which context and extension, to which hosts.

    ``lacks`` are flags without which a controller cannot take the call from ``socket``; ``resumes``
    is False when nothing before it sets ``socket_resume``.
    """

    fate: Fate
    context: str
    extension: str
    hosts: str = ""
    lacks: tuple[str, ...] = ()
    resumes: bool = True


@dataclass(frozen=True, slots=True)
class _Socket:
    """A call of ``socket``, with what it is told, and whether ``socket_resume`` is set by then."""

    hosts: str
    lacks: tuple[str, ...]
    resumes: bool

    @classmethod
    def of(cls, data: str, resumes: bool) -> "_Socket":
        hosts, _, flags = data.strip().partition(" ")
        given = flags.lower().split()
        known = () if "${" in flags else tuple(one for one in FLAGS if one not in given)
        return cls(hosts, known, resumes)


def read_dialplan(text: str) -> tuple[ElementTree.Element, ...]:
    """Return the contexts of a dialplan. Raises ProtocolError for what is no XML."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:  # FreeSWITCH writes none, and they can explode
        raise ProtocolError("a dialplan with entities of its own")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - without entities it is no bomb
    except ElementTree.ParseError as error:
        raise ProtocolError(f"a dialplan that is no XML: {error}") from None
    return tuple(root.iter("context"))


def routes(
    contexts: Iterable[ElementTree.Element], numbers: Sequence[str], ours: Sequence[str]
) -> Iterator[Route]:
    """Yield the route of a call in each context that has one; a number may be written several ways.

    ``ours`` are the addresses at which FreeSWITCH finds us, as HOST:PORT; ``*:PORT`` is any host.
    """
    for context in contexts:
        for number in numbers:
            route = _route(context, number, ours)
            if route is not None:
                yield route
                break


def _route(context: ElementTree.Element, number: str, ours: Sequence[str]) -> Route | None:
    resumes = False
    for extension in context.iter("extension"):
        holds, sockets, resumes = _walk(extension, number, resumes)
        place = context.get("name", ""), extension.get("name", "without a name")
        for one in sockets:
            if "${" in one.hosts or any(_is_ours(host, ours) for host in one.hosts.split("|")):
                return Route(Fate.OURS, *place, one.hosts, one.lacks, one.resumes)
        if sockets:
            return Route(Fate.ANOTHER, *place, sockets[0].hosts)
        if holds and extension.get("continue") != "true":
            return Route(Fate.TAKEN, *place)
    return None


def _walk(
    extension: ElementTree.Element, number: str, resumes: bool
) -> tuple[bool | None, list[_Socket], bool]:
    """Return whether an extension takes a number (None: not known), its calls of ``socket``, and
    whether ``socket_resume`` may be set after it; ``resumes``: it was before.

    As ``parse_exten`` in ``mod_dialplan_xml.c``: every condition that holds adds its actions, and
    the last one that was looked at decides whether the extension takes the call.
    """
    holds: bool | None = False
    sockets: list[_Socket] = []
    for condition in extension.findall("condition"):
        holds = _holds(condition, number)
        if holds is not False:
            for action in condition.iter("action"):
                application, data = action.get("application"), action.get("data", "")
                if application == "socket":
                    sockets.append(_Socket.of(data, resumes))
                elif application in _SETTING and "socket_resume=" in data:
                    resumes = _RESUMES.search(data) is not None
        stops = condition.get("break", "on-false")
        if stops == "always" or (holds, stops) in ((True, "on-true"), (False, "on-false")):
            break
    return holds, sockets, resumes


def _holds(condition: ElementTree.Element, number: str) -> bool | None:
    """Whether a condition holds for a number, None when that is not known."""
    field, text = condition.get("field"), condition.get("expression")
    if condition.get("regex") or condition.findall("condition"):
        return None
    if field is None:
        # ``<condition>`` alone always holds; one of the calendar's attributes cannot be known.
        return True if set(condition.keys()) <= {"break"} else None
    if field not in _NUMBER_FIELDS:
        return None
    expression = _compiled(text or "")
    return None if expression is None else expression.search(number) is not None


@cache_of_texts(4_096, LONGEST_EXPRESSION)
def _compiled(text: str) -> re.Pattern[str] | None:
    if "${" in text or len(text) > LONGEST_EXPRESSION:
        return None
    try:
        return re.compile(text)
    except (re.error, RecursionError, OverflowError):
        return None


def _is_ours(host: str, ours: Sequence[str]) -> bool:
    name, _, port = host.rpartition(":")
    return f"{name}:{port}" in ours or f"*:{port}" in ours
