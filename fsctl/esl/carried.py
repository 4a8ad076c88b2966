"""What of a caller's channel goes with every leg of theirs, as it would with ``bridge``.

These are variables that the dialplan exports (``export_vars``), SIP headers by an allow-list, and
how many groups the call has been through. Strangers choose headers, and may choose what a dialplan
exports: a value that cannot be quoted is left out, and all together are bounded.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote
from zlib import crc32

from fsctl.esl.errors import Unquotable
from fsctl.esl.quoting import carried_value, variable_name

HOPS = "sip_h_X-Fsctl-Hops"
"""Variable of callers and legs: how many groups the call has been through, and which of them hunt
still (``Route``). It is a SIP header of every INVITE too, by which a phone that calls back in says
so. Anybody may send it: they only make their own call end sooner."""
MOST = 24
"""Variables that go with a leg, exported ones first."""
MOST_TEXT = 2_000
"""Characters of their names and values: FreeSWITCH reads commands byte by byte."""

MAX_VALUE = 4096
"""Characters of a value, as it is on the wire, that are looked at."""

LONGEST_ROUTE, MOST_MARKS = 100, 8
"""Characters of a route that are read, and groups that are noted in it: strangers may write it."""

_MARK = re.compile("[0-9a-f]{8}")
_HEADER = "variable_sip_h_"
_EXPORTS = "export_vars"
_NO = ("false", "no", "off", "0", "disabled", "inactive", "disallow")
_NOLOCAL = re.compile(r"(?:nolocal:|_nolocal_)(.+)", re.IGNORECASE)
_NOLOCAL_LINE = re.compile(rb"^variable_(nolocal:[\w.-]{1,64}): ?(.*)$", re.MULTILINE | re.I)
_KEPT_BACK = re.compile(
    r"(?:fsctl|origination|originate|ent_originate|leg|group_confirm|execute_on|exec|api|bridge"
    r"|intercept|limit|park|loopback|monitor_early_media|user_recurse|sip_h_x-fsctl)[_-].*"
    r"|(?:hangup|transfer)_after_bridge|(?:fail|hangup)_on_single_reject"
    r"|ignore_(?:early_media|ring_ready)|(?:return_)?ring_ready|instant_ringback"
    r"|(?:call|progress)_timeout|forked_dial|no_throttle_limits|local_var_clobber"
    r"|uuid|export_vars|max_forwards|outbound_redirect_fatal|socket_resume",
    re.IGNORECASE,
)
"""What decides how a leg is called, won and ended, or has it run something: that is ours. Most of
these are what ``switch_ivr_originate.c`` reads."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Carried:
    """``variables`` are quoted, by name; those in ``exported`` a leg exports in its turn."""

    variables: Mapping[str, str] = field(default_factory=dict)
    exported: tuple[str, ...] = ()

    def of_leg(self, route: Route) -> dict[str, str]:
        """Return the variables of a leg of a call that came by this route."""
        exports = "\\,".join((HOPS, *self.exported))
        return {**self.variables, HOPS: route.text, _EXPORTS: exports}


@dataclass(frozen=True, slots=True)
class Route:
    """Through how many groups a call came, and the marks of those that hunt for it still."""

    hops: int = 0
    hunting: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The route as a channel has it."""
        return "-".join((str(int(self.hops)), *self.hunting))


START = Route()


def mark_of(group: str) -> str:
    """Return a short mark of a group's name."""
    return f"{crc32(group.encode()):08x}"


def read_route(text: str) -> Route:
    """Return what a channel says of its route; of what nobody writes it reads nothing."""
    count, *marks = text[:LONGEST_ROUTE].split("-")
    hops = int(count) if count.isascii() and count.isdigit() and len(count) < 4 else 0
    return Route(hops, tuple(one for one in marks if _MARK.fullmatch(one))[:MOST_MARKS])


NOTHING = Carried()


@dataclass(frozen=True, slots=True)
class Carrying:
    """What is carried: ``headers`` are names of SIP headers, a ``*`` at the end for any ending."""

    headers: tuple[str, ...] = ("X-*",)

    def read(self, channel: Mapping[str, str], block: bytes = b"") -> Carried:
        """Return what a caller's channel has to be carried; ``block`` is it as the switch wrote it.

        (A name with a colon, as of ``nolocal:NAME``, cannot be told from its value otherwise.)
        """
        exports = channel.get("variable_export_vars", "")
        names = [name for name in channel if name[:15] == _HEADER]
        if not exports and not names:
            return NOTHING
        if channel.get("variable_sip_copy_custom_headers", "true").lower() in _NO:
            names = []  # as mod_sofia does
        found = dict(_exported(channel, block, exports))
        own = {name for name in exports.split(",") if not _NOLOCAL.fullmatch(name)}
        known = {name.casefold() for name in found}
        for name in names:
            variable = name[len("variable_") :]
            if self._passes(name[len(_HEADER) :]) and variable.casefold() not in known:
                found[variable] = channel[name]
        quoted = dict(_bounded(found.items()))
        return Carried(quoted, tuple(name for name in quoted if name in own))

    def _passes(self, header: str) -> bool:
        name = header.casefold()
        for pattern in self.headers:
            wanted, star, _ = pattern.casefold().partition("*")
            if name.startswith(wanted) if star else name == wanted:
                return True
        return False


def hops_of(channel: Mapping[str, str]) -> str:
    """Return what a channel says of the groups it has been through, "" for nothing.

    A telephone may write the header's name in its own way.
    """
    if found := channel.get(f"variable_{HOPS}", ""):
        return found
    wanted = f"variable_{HOPS}".casefold()
    names = (name for name in channel if name[:15] == _HEADER and name.casefold() == wanted)
    return next((channel[name] for name in names), "")


def _exported(channel: Mapping[str, str], block: bytes, exports: str) -> Iterator[tuple[str, str]]:
    """Yield exported variables as ``switch_channel_process_export`` in ``switch_channel.c``."""
    apart: dict[str, str] = {}
    if "nolocal:" in exports:
        apart = {name.decode(): _decoded(value) for name, value in _NOLOCAL_LINE.findall(block)}
    for name in exports.split(","):
        remote = _NOLOCAL.fullmatch(name)
        value = apart.get(name) or channel.get(f"variable_{name}")
        if value:
            yield (remote[1] if remote else name), value


def _decoded(value: bytes) -> str:
    return unquote(value[:MAX_VALUE].decode("utf-8", "replace"), errors="replace").strip(" \r")


def _bounded(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield the first of them, quoted, as far as they may go and there is room."""
    count = size = 0
    for name, text in pairs:
        if _KEPT_BACK.fullmatch(name):
            continue
        try:
            value = carried_value(text) if variable_name(name) else ""
        except Unquotable as error:
            log.debug("%.80s is not passed on to the legs: %s", name, error)
            continue
        count, size = count + 1, size + len(name) + len(value)
        if count > MOST or size > MOST_TEXT:
            log.debug("too many variables for the legs: %s and the following are left out", name)
            return
        yield name, value
