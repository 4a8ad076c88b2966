"""A caller's stay with one group: as many hunts, and as much of its line between, as that takes.

Owns what outlives a single hunt and makes one record of all of them.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from msgspec.structs import replace

from fsctl.controller.caller import Caller
from fsctl.controller.sounds import Sounds
from fsctl.hunt.endings import Reason
from fsctl.hunt.line import Ticket
from fsctl.hunt.outcomes import Outcome
from fsctl.store.call_records import Attempt, attempts_of

if TYPE_CHECKING:
    from fsctl.controller.call import HuntedCall
    from fsctl.controller.line import Lines
    from fsctl.hunt.group import Group

MOST_KEPT = 1_000
"""Attempts that are kept of a stay, the latest: an hour in line may be long."""


class Stay:
    """``began`` is when the caller came to the group, in epoch seconds."""

    def __init__(self, caller: Caller, group: Group, began: float, lines: Lines) -> None:
        self.caller = caller
        self.group = group
        self.began = began
        """The moment of the call, or the end of its greeting."""
        self.lines = lines
        self.ticket = Ticket(round(began, 3), caller.uuid)
        self.sounds: Sounds = Sounds(
            group,
            caller.uuid,
            caller.session.post,
            caller.hears,
            caller.media,
            caller.arrival.ringback,
        )
        self.attempts: list[Attempt] = []
        """Of the hunts before the one that goes on, if any does."""
        self.rejected: set[str] = set()
        """Members who rejected the call: it rings them no more."""
        self.deadline: float | None = None
        """When the longest wait in line is over, in monotonic seconds; None for one never there."""
        self.line_seconds: float | None = None
        self.told = (0, -math.inf)
        """The place that the caller was told last, and when, in monotonic seconds."""
        self.lateness: list[float] = []
        """By how many seconds each leg whose moment had come was ordered late."""
        self.hunts = False
        """Whether it counts among those that are hunted for now."""

    def after_busy(self) -> Reason | None:
        """Return why the caller goes who found everybody busy; None: he stands in line for them.

        A place in line is his from now on then.
        """
        if self.group.line is None:
            return Reason.BUSY
        if self.deadline is not None:
            return Reason.LINE_OVER if time.monotonic() >= self.deadline else None
        return None if self.lines.keep_place(self) else Reason.FULL

    def take_in(self, call: HuntedCall) -> None:
        """Keep what a hunt was that found everybody busy, before the next.

        Who is tried again and again in vain has one attempt, the latest: those that nobody heard
        would be without number.
        """
        found = self.attempts_with(call)[len(self.attempts) :]
        self.rejected.update(one.member for one in found if one.outcome == Outcome.REJECTED.value)
        again = {one.member for one in found}
        kept = [one for one in self.attempts if one.ringing is not None or one.member not in again]
        self.attempts = [*kept, *found][-MOST_KEPT:]

    def attempts_with(self, call: HuntedCall) -> tuple[Attempt, ...]:
        """Return all attempts, those of this hunt last; times count from the stay's beginning."""
        later = max(0.0, call.came - self.began)
        found = attempts_of(call.hunt.legs.values(), call.legs.sip_codes)
        return (*self.attempts, *(_later(one, later) for one in found))

    def over(self) -> None:
        """The caller is with a member, elsewhere or gone."""
        self.lines.leave(self)
        begun = self.sounds.begun
        self.caller.hears = self.caller.hears or begun
        self.caller.answered = self.caller.answered or (begun and self.group.answer_first)


def _later(attempt: Attempt, by: float) -> Attempt:
    if not by:
        return attempt

    def moved(at: float | None) -> float | None:
        return None if at is None else at + by

    return replace(
        attempt,
        started=attempt.started + by,
        ringing=moved(attempt.ringing),
        answered=moved(attempt.answered),
        connected=moved(attempt.connected),
        ended=moved(attempt.ended),
    )
