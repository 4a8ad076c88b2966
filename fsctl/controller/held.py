"""The legs of one call that wait until the switch has room for them."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from fsctl.controller.capacity import STATUS, Capacity
from fsctl.esl.codec import Frame
from fsctl.hunt.events import StartLeg
from fsctl.hunt.outcomes import NO_ANSWER, NO_ROOM

if TYPE_CHECKING:
    from fsctl.controller.legs import Legs
    from fsctl.esl.session import CallSession
    from fsctl.hunt.machine import Hunt

TRIES = 3
"""Refusals after which a leg has failed when the switch does not say that it is full: a phone
that cannot be called at all may be refused in the same way."""


class HeldLegs:
    """In the order of their turn."""

    def __init__(self, capacity: Capacity, session: CallSession) -> None:
        self.capacity = capacity
        self.waiting: dict[int, StartLeg] = {}
        self._session = session
        self._refused: dict[int, int] = {}

    @property
    def due(self) -> float:
        """When the next leg may be ordered, or the switch is to be asked; infinity for none."""
        return self.capacity.opens() if self.waiting else math.inf

    def holds(self, start: StartLeg) -> bool:
        """Whether a leg waits for its turn from now on; else it is to be ordered."""
        if not self.waiting and self.capacity.admits():
            return False
        self._hold(start)
        return True

    def _hold(self, start: StartLeg) -> None:
        self.waiting[start.leg] = start
        self.capacity.held += 1

    def ready(self, hunt: Hunt, legs: Legs) -> Iterator[StartLeg]:
        """Yield those for which the switch has room now, or ask whether it has."""
        if self.due > time.monotonic():
            return
        self.ask()
        while self.waiting and self.capacity.admits():
            start = next(iter(self.waiting.values()))
            self._drop(start.leg)
            legs.renew(start.leg)
            left = hunt.began + hunt.legs[start.leg].stop_at - time.monotonic()
            yield replace(start, ring_for=max(0.0, left))

    def try_again(self, hunt: Hunt, legs: Legs) -> Iterator[int]:
        """Let those wait for which the switch has just made no channel; yields who has failed."""
        while legs.refused:
            leg = hunt.legs[legs.refused.pop(0)]
            self.capacity.refuse()
            tries = self._refused[leg.number] = self._refused.get(leg.number, 0) + 1
            if hunt.ended or (tries >= TRIES and not self.capacity.full):
                yield leg.number
            else:
                self._hold(StartLeg(leg.number, leg.member, 0.0))
        self.ask()

    def ask(self) -> None:
        """Ask the switch for its limits, if it was not asked of late."""
        if self.capacity.to_be_asked():
            self._session.post(STATUS, self._learn)

    def _learn(self, reply: Frame) -> None:
        self.capacity.learn(reply)
        if self.waiting:
            self._session.wake()

    def cancel(self, leg: int, cause: str) -> str:
        """Let a leg wait no more that is called off; returns what it ends with, "" if it rings."""
        if leg not in self.waiting:
            return ""
        self._drop(leg)
        return NO_ROOM if cause == NO_ANSWER else cause

    def clear(self) -> None:
        """Let no leg wait any more."""
        for leg in list(self.waiting):
            self._drop(leg)

    def _drop(self, leg: int) -> None:
        del self.waiting[leg]
        self.capacity.held -= 1
