"""How many legs a switch takes: what it announces, what it refuses, and which legs wait meanwhile.

FreeSWITCH has two limits (``switch.conf``): channels in all, and new channels in a second. Beyond
either it makes no channel, for our legs nor for calls that come in. So we stay below the second,
and a leg that was refused is ordered again while its member is to ring.
"""

import logging
import math
import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from fsctl.esl.codec import Frame

OWN_SHARE = 0.8
"""Our part of the new channels in a second; the rest is left to calls that come in."""
PAUSE = 1.0
"""Seconds that legs wait after a refusal: the switch begins to count anew each second."""
FRESH = 60.0
"""Seconds for which what the switch announced is believed, as long as it refuses nothing."""
STATUS = "api status"
"""The command that asks a switch for its limits."""

_SESSIONS = re.compile(r"^(\d{1,9}) session\(s\) - peak", re.MULTILINE)
_RATE = re.compile(r"session\(s\) per Sec out of max (\d{1,9})")
_MOST = re.compile(r"^(\d{1,9}) session\(s\) max", re.MULTILINE)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Announced:
    """What ``status`` says: channels now and at most, and new ones in a second at most."""

    sessions: int
    most: int
    rate: int


def read_status(text: str) -> Announced | None:
    """Return what the answer to ``status`` announces, None for another answer."""
    found = [pattern.search(text) for pattern in (_SESSIONS, _MOST, _RATE)]
    numbers = [int(match[1]) for match in found if match]
    return Announced(*numbers) if len(numbers) == len(found) else None


class Capacity:
    """One switch, as all calls of this process know it. Times are monotonic seconds."""

    def __init__(self, share: float = OWN_SHARE, clock: Callable[[], float] = time.monotonic):
        self.refusals = 0
        """Legs that the switch has made no channel for."""
        self.held = 0
        """Legs that wait now."""
        self._share = share
        self._clock = clock
        self._rate = math.inf
        self._room = math.inf
        self._opens = self._asked = -math.inf
        self._warned = -math.inf
        self._ordered: deque[float] = deque()

    def opens(self) -> float:
        """Return when the next leg may be ordered: now or before, if it may be at once."""
        if self.full:
            return self._asked + PAUSE
        if len(self._ordered) < self._rate:
            return self._opens
        return max(self._opens, self._ordered[-int(self._rate)] + 1.0)

    def admits(self) -> bool:
        """Whether a leg may be ordered now, which counts it."""
        now, ordered = self._clock(), self._ordered
        while ordered and ordered[0] <= now - 1.0:
            ordered.popleft()
        if now < self._opens or self._room < 1 or len(ordered) >= self._rate:
            return False
        self._room -= 1
        ordered.append(now)
        return True

    def order(self) -> None:
        """Count a channel that the switch makes besides: the member has several phones."""
        self._room -= 1
        self._ordered.append(self._clock())

    def refuse(self) -> None:
        """Note that the switch has made no channel."""
        self.refusals += 1
        self._opens = self._clock() + PAUSE

    def _refuses(self, now: float) -> bool:
        """Whether the switch has refused a leg of late."""
        return now < self._opens + PAUSE

    @property
    def full(self) -> bool:
        """Whether the switch has announced that it has as many channels as it takes."""
        return self._room < 1

    def to_be_asked(self) -> bool:
        """Whether the switch should be asked now; then somebody does."""
        now = self._clock()
        if now - self._asked < (PAUSE if self.full or self._refuses(now) else FRESH):
            return False
        self._asked = now
        return True

    def learn(self, reply: Frame) -> None:
        """Take in what ``status`` says."""
        announced = read_status(reply.data)
        if announced is None:
            return
        now = self._clock()
        self._rate = max(1.0, math.floor(announced.rate * self._share))
        left = announced.most - announced.sessions
        self._room = left if self._refuses(now) or left < 1 else math.inf
        if self._refuses(now) and now - self._warned >= FRESH:
            self._warned = now
            log.warning(
                "the switch is full: %d of %d sessions, at most %d new sessions a second;"
                " legs wait and are tried again",
                announced.sessions,
                announced.most,
                announced.rate,
            )


_MOST_SWITCHES = 64


class Capacities:
    """The switches of this process, by ``Core-UUID``; ``processes`` share what a switch takes."""

    def __init__(self, processes: int = 1) -> None:
        self._share = OWN_SHARE / processes
        self._of: dict[str, Capacity] = {}
        self._gone = 0

    def of(self, switch: str) -> Capacity:
        """Return what is known of a switch. Those that were restarted are forgotten in time."""
        known = self._of.get(switch)
        if known is None:
            known = self._of[switch] = Capacity(self._share)
            if len(self._of) > _MOST_SWITCHES:
                self._gone += self._of.pop(next(iter(self._of))).refusals
        return known

    @property
    def refusals(self) -> int:
        """Legs that a switch has made no channel for, since the start."""
        return self._gone + sum(one.refusals for one in self._of.values())

    @property
    def held(self) -> int:
        """Legs that wait for a switch now."""
        return sum(one.held for one in self._of.values())
