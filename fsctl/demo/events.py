"""Events as they cross the socket: headers, their two encodings, and who gets them.

Owns the event object and the switch's distribution of events to subscribers with FreeSWITCH's
filter rules. Knows nothing of channels: whoever fires an event brings its headers.
"""

from __future__ import annotations

import json
import operator
import re
from collections import Counter
from collections.abc import Callable

import orjson

from fsctl.demo.quoting import url_encode

Header = tuple[str, "str | list[str]"]


class _Lowered(dict[str, str]):
    """Header names in lower case, each worked out once."""

    def __missing__(self, name: str) -> str:
        if len(self) > _MOST_NAMES:
            self.clear()
        self[name] = lowered = name.lower()
        return lowered


_MOST_NAMES = 10_000
_LOWERED = _Lowered()
_NAME = operator.itemgetter(0)


class Event:
    """One event: ordered headers (a name may come twice, a value may be a list) and a body."""

    __slots__ = ("_json", "_lookup", "_plain", "body", "headers", "name")

    def __init__(self, name: str, headers: list[Header], body: str | None = None) -> None:
        self.name = name
        self.headers = headers
        self.body = body
        self._lookup: dict[str, Header] | None = None
        self._plain: bytes | None = None
        self._json: bytes | None = None

    def get(self, header: str) -> str | None:
        """Return the first value of a header, its name in lower case."""
        if self._lookup is None:
            rows = self.headers[::-1]
            self._lookup = dict(zip(map(_LOWERED.__getitem__, map(_NAME, rows)), rows, strict=True))
        found = self._lookup.get(header)
        return None if found is None else _flat(found[1])

    def encoded(self, style: str) -> bytes:
        """Return the event as ``plain`` or ``json`` text, without the frame around it."""
        if style == "json":
            if self._json is None:
                self._json = self._as_json()
            return self._json
        if self._plain is None:
            self._plain = self.as_plain()
        return self._plain

    def as_plain(self) -> bytes:
        """Encode like ``switch_event_serialize``: URL-encoded values, ``_undef_`` for none."""
        lines = [
            f"{name}: {url_encode(_flat(value)) or '_undef_'}\n" for name, value in self.headers
        ]
        head = "".join(lines).encode()
        if not self.body:
            return head + b"\n"
        body = _bytes(self.body)
        return head + b"Content-Length: %d\n\n" % len(body) + body

    def _as_json(self) -> bytes:
        pairs: list[Header] = list(self.headers)
        if self.body:
            pairs += [("Content-Length", str(len(_bytes(self.body)))), ("_body", self.body)]
        once = dict(pairs)
        if len(once) == len(pairs):
            return _dumps(once)
        # A dictionary cannot say a name twice; FreeSWITCH's text does.
        return b"{" + b",".join(_dumps({name: value})[1:-1] for name, value in pairs) + b"}"


def _flat(value: str | list[str]) -> str:
    return value if isinstance(value, str) else "ARRAY::" + "|:".join(value)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _dumps(value: dict[str, str | list[str]]) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # bytes that are no UTF-8 travel as they came
        return _bytes(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


class Subscription:
    """What one socket wants to hear: event names, filters, ``myevents``.

    The rules are ``event_handler`` in mod_event_socket.c. ``push`` takes what passes.
    """

    def __init__(self, push: Callable[[Event], None]) -> None:
        self.push = push
        self.names: set[str] = set()
        self.filters: list[tuple[str, str]] = []
        self.mine: str | None = None
        self.enabled = False

    def passes(self, event: Event) -> bool:
        """Tell whether this event is to be sent."""
        if not self.enabled or not ("ALL" in self.names or event.name in self.names):
            return False
        if self.filters and not self._filtered(event):
            return False
        if self.mine is None:
            return True
        return self.mine in (event.get("unique-id"), event.get("job-owner-uuid"))

    def _filtered(self, event: Event) -> bool:
        """Positive filters are OR-ed; one negative match sends the event away for good."""
        send = False
        for header, value in self.filters:
            found = event.get(header)
            if found is None:
                continue
            positive, wanted = signed(value)
            if send and positive:
                continue
            if value.startswith("/"):
                hit = _matches(wanted, found)
            else:
                hit = found.casefold() == wanted.casefold()
            if hit and not positive:
                return False
            send = send or hit
        return send

    def keys(self) -> set[tuple[str, str]] | None:
        """Return (header, value) pairs of which a passing event has one; None if any may pass."""
        if self.filters:
            plain = all(signed(v)[0] and not v.startswith("/") for _, v in self.filters)
            if not plain:
                return None
            return {(name, signed(value)[1].casefold()) for name, value in self.filters}
        if self.mine is None:
            return None
        return {("unique-id", self.mine), ("job-owner-uuid", self.mine)}


def signed(value: str) -> tuple[bool, str]:
    """Read a filter value's sign: ``+`` and ``-`` at its start are never part of the value."""
    positive = True
    for at, char in enumerate(value):
        if char in "+-":
            positive = char == "+"
        elif char != " ":
            return positive, value[at:]
    return positive, ""


def _matches(pattern: str, value: str) -> bool:
    body, _, flags = pattern[1:].rpartition("/")
    try:
        return re.search(body, value, re.IGNORECASE if "i" in flags else 0) is not None
    except re.error:
        return False


class Bus:
    """Hands every event to the sockets that want it, without asking all the others."""

    def __init__(self) -> None:
        self._keys: dict[Subscription, set[tuple[str, str]] | None] = {}
        self._index: dict[tuple[str, str], set[Subscription]] = {}
        self._headers: Counter[str] = Counter()
        self._unkeyed: set[Subscription] = set()
        self._names: Counter[str] = Counter()
        self._counted: dict[Subscription, frozenset[str]] = {}

    def wants(self, name: str) -> bool:
        """Tell whether anybody listens to events of this name at all."""
        return self._names[name] > 0 or self._names["ALL"] > 0

    def update(self, subscription: Subscription) -> None:
        """Take note of a new or changed subscription."""
        self.remove(subscription)
        if not subscription.enabled:
            return
        names = frozenset(subscription.names)
        keys = subscription.keys()
        self._counted[subscription] = names
        self._names.update(names)
        self._keys[subscription] = keys
        if keys is None:
            self._unkeyed.add(subscription)
            return
        for key in keys:
            self._index.setdefault(key, set()).add(subscription)
            self._headers[key[0]] += 1

    def remove(self, subscription: Subscription) -> None:
        """Forget a subscription; harmless when there is none."""
        self._names.subtract(self._counted.pop(subscription, frozenset()))
        self._unkeyed.discard(subscription)
        for key in self._keys.pop(subscription, None) or ():
            self._index[key].discard(subscription)
            if not self._index[key]:
                del self._index[key]
            self._headers[key[0]] -= 1
            if not self._headers[key[0]]:
                del self._headers[key[0]]

    def publish(self, event: Event) -> None:
        """Push the event to everyone whom it passes."""
        candidates = set(self._unkeyed)
        for header in self._headers:
            value = event.get(header)
            if value is not None:
                candidates |= self._index.get((header, value.casefold()), _NOBODY)
        for subscription in candidates:
            if subscription.passes(event):
                subscription.push(event)


_NOBODY: set[Subscription] = set()
