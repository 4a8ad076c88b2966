"""The ends of a call's legs that are no longer wanted, as the switch is told of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fsctl.esl import commands
from fsctl.hunt.outcomes import COMPLETED_ELSEWHERE

if TYPE_CHECKING:
    from fsctl.controller.caller import Caller
    from fsctl.controller.held import HeldLegs
    from fsctl.controller.legs import Legs
    from fsctl.esl.events import Event


class Cancels:
    """Cancels legs of one call, those too that wait for room or have no channel yet.

    ``too_late`` is what a member hears who pressed 1 when somebody else had the caller.
    """

    def __init__(self, caller: Caller, legs: Legs, held: HeldLegs, too_late: str) -> None:
        self._caller = caller
        self._legs = legs
        self._held = held
        self._too_late = too_late

    def cancel(self, number: int, cause: str, others: bool) -> str:
        """Cancel a leg; returns what it ends with if the switch has not heard of it, else "".

        ``others`` says that all others but the winner are to be cancelled as well.
        """
        leg = self._legs[number]
        leg.cancelled = cause
        if not leg.job:
            return ""  # it was not rung, and holds the claim
        if ends := self._held.cancel(number, cause):
            return ends
        post = self._caller.session.post
        if leg.asked and self._too_late and cause == COMPLETED_ELSEWHERE:
            for channel in leg.asked:
                post(commands.tell_too_late(channel, self._too_late))
            leg.asked.clear()
        else:
            self._caller.call_off(self._legs.open if others else [leg])
            post(commands.cancel(leg.job, cause))
        return ""

    def cancel_all(self, cause: str, gone: bool) -> Iterator[tuple[int, str]]:
        """Cancel all legs, of a caller who is ``gone`` or not; yields legs of which the switch has
        not heard, with what they end with."""
        post = self._caller.session.post
        for leg in self._legs.open:
            leg.cancelled = leg.cancelled or cause
            if ends := self._held.cancel(leg.number, cause):
                yield leg.number, ends
            elif leg.asked:  # it may have lost the tag that all others have
                post(commands.cancel(leg.job, cause))
        if not gone:
            self._caller.call_off(self._legs.open)
        post(commands.cancel_all(self._caller.uuid, cause))

    def take_in(self, event: Event) -> None:
        """End a new channel whose leg was called off: the cancel missed it."""
        leg = self._legs.leg_of(event)
        if leg and leg.cancelled:
            self._caller.session.post(commands.cancel(leg.job, leg.cancelled))
        if leg and len(leg.channels) > 1:
            self._held.capacity.order()  # its user has several phones
