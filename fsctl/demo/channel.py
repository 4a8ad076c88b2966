"""One channel: its state, its variables, and the headers that describe it in events.

Owns data and their rendering only. What happens to a channel, and when, is calls.py's business.
"""

from __future__ import annotations

import time
import uuid as uuids
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

import gevent.event

from fsctl.demo.clock import stamp
from fsctl.demo.events import Header

#: A state's name: one of those below.
State = str

_NUMBERS = {
    "CS_INIT": 1,
    "CS_ROUTING": 2,
    "CS_SOFT_EXECUTE": 3,
    "CS_EXECUTE": 4,
    "CS_EXCHANGE_MEDIA": 5,
    "CS_PARK": 6,
    "CS_CONSUME_MEDIA": 7,
    "CS_HIBERNATE": 8,
    "CS_RESET": 9,
    "CS_HANGUP": 10,
    "CS_REPORTING": 11,
}

Action = tuple[str, "str | None"]

_CODEC: list[Header] = [
    (f"Channel-{way}-Codec-{what}", value)
    for way in ("Read", "Write")
    for what, value in (("Name", "PCMU"), ("Rate", "8000"), ("Bit-Rate", "64000"))
]


class Telephone(Protocol):
    """The SIP side of a channel, as far as the switch talks to it."""

    def ringing(self, early: bool) -> None:
        """Hear a 180 (or a 183 with media)."""

    def answered(self) -> None:
        """Hear a 200."""

    def ended(self, cause: str, elsewhere: bool) -> None:
        """Hear CANCEL, BYE or a final refusal."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Who calls whom, as the Caller-, Channel- and Other-Leg- headers tell it."""

    cid_name: str = ""
    cid_number: str = ""
    username: str = ""
    dialplan: str = ""
    context: str = "default"
    orig_name: str = ""
    orig_number: str = ""
    callee_name: str = ""
    callee_number: str = ""
    network_addr: str = ""
    ani: str = ""
    destination: str = ""
    source: str = "mod_sofia"
    transfer_source: str = ""
    privacy: str = ""
    index: int = 1
    created: int = 0


@dataclass(frozen=True, slots=True)
class Times:
    """Moments of a channel's life in microseconds since 1970; 0 is never."""

    created: int = 0
    answered: int = 0
    progress: int = 0
    progress_media: int = 0
    hangup: int = 0
    bridged: int = 0


@dataclass(eq=False, slots=True)
class Channel:
    """A channel. ``state`` is where it is to go, ``running`` what its thread still does."""

    name: str
    inbound: bool
    profile: Profile
    phone: Telephone
    uuid: str = field(default_factory=lambda: str(uuids.uuid4()))
    presence_id: str = ""
    state: State = "CS_INIT"
    running: State = "CS_INIT"
    callstate: str = "DOWN"
    hit_dialplan: bool = False
    ring_ready: bool = False
    early: bool = False
    answered: bool = False
    bridged: bool = False
    elsewhere: bool = False
    interrupted: bool = False
    controlled: bool = False
    playing: str = ""
    confirmed: bool = False
    cause: str = ""
    partner: Channel | None = None
    other: tuple[str, Channel, Profile] | None = None
    times: Times = field(default_factory=Times)
    variables: dict[str, str | list[str]] = field(default_factory=dict)
    limits: set[str] = field(default_factory=set)
    messages: deque[dict[str, str]] = field(default_factory=deque)
    actions: deque[Action] = field(default_factory=deque)
    queued: list[Action] | None = None
    has_thread: bool = False
    signal: gevent.event.Event = field(default_factory=gevent.event.Event)
    watchers: list[gevent.event.Event] = field(default_factory=list)
    _rendered: tuple[Profile | None, Times | None, list[Header]] = (None, None, [])

    def __post_init__(self) -> None:
        now = stamp()
        self.times = Times(created=now)
        self.profile = replace(self.profile, created=now)

    @property
    def down(self) -> bool:
        """Hung up, or on the way there."""
        return bool(self.cause)

    @property
    def media(self) -> bool:
        """Voice goes through: answered, or early media."""
        return self.answered or self.early

    def wake(self) -> None:
        """Tell the channel's thread, and who watches the channel, to look again."""
        self.signal.set()
        for watcher in self.watchers:
            watcher.set()

    def order(self, message: dict[str, str]) -> None:
        """Let the channel's thread do what a ``sendmsg`` says."""
        self.messages.append(message)
        self.wake()

    def become(self, state: State) -> None:
        """Ask for another state; a channel that is going down cannot be called back."""
        if not self.down:
            self.state = state
            self.wake()

    def enter(self, state: State) -> None:
        """Be in a state, thread and all."""
        self.become(state)
        if not self.down:
            self.running = state

    def wait(self, until: Callable[[], bool], timeout: float | None = None) -> bool:
        """Sleep the channel's thread until a condition holds; False after ``timeout`` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not until():
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return False
            self.signal.clear()
            self.signal.wait(left)
        return True

    def get(self, name: str) -> str | None:
        """Return a variable's text."""
        value = self.variables.get(name)
        return "|:".join(["ARRAY::", *value]) if isinstance(value, list) else value

    def true(self, name: str) -> bool:
        """Tell whether a variable says yes, in one of FreeSWITCH's words (``switch_true``)."""
        value = (self.get(name) or "").lower()
        return value in _YES or (value.lstrip("-").isdigit() and int(value) != 0)

    def set(self, name: str, value: str | list[str] | None) -> None:
        """Set a variable, which moves it to the end; an empty value takes it off."""
        self.variables.pop(name, None)
        if isinstance(value, str) and value.startswith("ARRAY::"):
            value = value.removeprefix("ARRAY::").split("|:")
        if name and value:
            self.variables[name] = value

    def clone_profile(self, **changes: str) -> None:
        """Begin a new caller profile, as a transfer or a bridge does."""
        self.profile = replace(
            self.profile, index=self.profile.index + 1, created=stamp(), **changes
        )

    def mark(self, **moments: int) -> None:
        """Note when something happened, in microseconds since 1970."""
        self.times = replace(self.times, **moments)

    def answer_state(self) -> str:
        """Return the Answer-State header's value."""
        if self.down:
            return "hangup"
        return "answered" if self.answered else "early" if self.early else "ringing"

    def headers(self) -> list[Header]:
        """Return what ``switch_channel_event_set_data`` adds to an event about this channel."""
        way = "inbound" if self.inbound else "outbound"
        head: list[Header] = [
            ("Channel-State", self.running),
            ("Channel-Call-State", self.callstate),
            ("Channel-State-Number", str(_NUMBERS[self.state])),
            ("Channel-Name", self.name),
            ("Unique-ID", self.uuid),
            ("Call-Direction", way),
            ("Presence-Call-Direction", way),
            ("Channel-HIT-Dialplan", "true" if self.hit_dialplan else "false"),
            ("Channel-Presence-ID", self.presence_id),
            ("Channel-Call-UUID", self.get("call_uuid") or self.uuid),
            ("Answer-State", self.answer_state()),
            ("Hangup-Cause", self.cause),
        ]
        if self.media:
            head += _CODEC
        head += self._caller_headers()
        if self.other:
            role, peer, profile = self.other
            head.append(("Other-Type", role))
            head += peer.profile_headers("Other-Leg-", profile)
        rows = [header for header in head if header[1]]
        rows += zip(
            map(_PREFIXED.__getitem__, self.variables), self.variables.values(), strict=True
        )
        return rows

    def _caller_headers(self) -> list[Header]:
        """Return the Caller- headers, made anew only when something in them has changed."""
        profile, times, rows = self._rendered
        if profile is not self.profile or times is not self.times:
            rows = self.profile_headers("Caller-")
            self._rendered = (self.profile, self.times, rows)
        return rows

    def profile_headers(self, prefix: str, profile: Profile | None = None) -> list[Header]:
        """Return a caller profile under a prefix (``switch_caller_profile_event_set_data``).

        Another channel's profile shows no times: FreeSWITCH's copy has none.
        """
        own, shown = profile is None, profile or self.profile
        way = "inbound" if self.inbound else "outbound"
        hidden = "true" if "id" in shown.privacy else "false"
        moments = [
            ("Profile-Created-Time", shown.created),
            ("Channel-Created-Time", self.times.created),
            ("Channel-Answered-Time", self.times.answered),
            ("Channel-Progress-Time", self.times.progress),
            ("Channel-Progress-Media-Time", self.times.progress_media),
            ("Channel-Hangup-Time", self.times.hangup),
            ("Channel-Transfer-Time", 0),
            ("Channel-Resurrect-Time", 0),
            ("Channel-Bridged-Time", self.times.bridged),
            ("Channel-Last-Hold", 0),
            ("Channel-Hold-Accum", 0),
        ]
        rows = [
            ("Direction", way),
            ("Logical-Direction", way),
            ("Username", shown.username),
            ("Dialplan", shown.dialplan),
            ("Caller-ID-Name", shown.cid_name),
            ("Caller-ID-Number", shown.cid_number),
            ("Orig-Caller-ID-Name", shown.orig_name),
            ("Orig-Caller-ID-Number", shown.orig_number),
            ("Callee-ID-Name", shown.callee_name),
            ("Callee-ID-Number", shown.callee_number),
            ("Network-Addr", shown.network_addr),
            ("ANI", shown.ani),
            ("Destination-Number", shown.destination),
            ("Unique-ID", self.uuid),
            ("Source", shown.source),
            ("Transfer-Source", shown.transfer_source if own else ""),
            ("Context", shown.context),
            ("Channel-Name", self.name),
            ("Profile-Index", str(shown.index) if own else ""),
            *((name, str(at if own else 0)) for name, at in moments),
            ("Screen-Bit", "true"),
            ("Privacy-Hide-Name", hidden),
            ("Privacy-Hide-Number", hidden),
        ]
        return [(prefix + name, value) for name, value in rows if value]


class _Prefixed(dict[str, str]):
    """Variables' names as event headers, each worked out once."""

    def __missing__(self, name: str) -> str:
        if len(self) > _MOST_NAMES:
            self.clear()
        self[name] = header = f"variable_{name}"
        return header


_MOST_NAMES = 10_000
_PREFIXED = _Prefixed()
_YES = ("yes", "on", "true", "t", "enabled", "active", "allow")
