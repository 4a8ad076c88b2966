"""A caller whom we serve, wherever in our groups and lines he is: his connection, and what the
switch does for him meanwhile."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING

from gevent.event import Event as Signal

from fsctl.controller import handover
from fsctl.controller.legs import new_job
from fsctl.esl import commands, leaving
from fsctl.esl.errors import EventSocketError
from fsctl.esl.events import Event
from fsctl.esl.session import CALLER_LEFT, CallSession

if TYPE_CHECKING:
    from fsctl.controller.arrival import Arrival
    from fsctl.controller.legs import SwitchLeg

BOUND_MARGIN = 3.0
"""Seconds beyond the promised wait after which the switch releases a caller without us. It must be
more than our own release needs, and with the switch's clock less than 5."""

LEAVING = frozenset({"CHANNEL_HANGUP_COMPLETE", CALLER_LEFT, leaving.TELLS})
"""Events that may tell that a caller leaves."""

log = logging.getLogger(__name__)


class Caller:
    """``hunted`` is whether anybody was called for them before, ``hears`` whether something was
    played to them, ``media`` whether their channel has media, ``answered`` whether they have been
    answered."""

    def __init__(self, session: CallSession, arrival: Arrival) -> None:
        self.session = session
        self.arrival = arrival
        self.over: Signal = Signal()
        """Set when no caller waits here any more: a conversation, or nothing, is left."""
        self.hops = arrival.hops
        self.hunted = False
        self.hears = False
        self.media = arrival.media
        self.answered = arrival.answered
        self.gone_at: float | None = None
        """When the caller was seen to have hung up (``time.monotonic()``, seconds)."""
        self.lost = False
        """Whether the switch went away while the caller waited."""
        self.given_back = False
        """Whether the dialplan has the caller again, since we stop."""
        self.leaving = False
        """Whether the caller is about to be transferred, and not by us."""
        self.bounded_at = 0.0
        """When the switch was last told to end the wait (``time.monotonic()``, seconds)."""
        self._called_off: list[str] = []
        self._sign = new_job()
        """What tells that it is this connection's caller who is about to be transferred."""
        self._hears_legs = self._looked_after = self._bounded = False

    @property
    def gone(self) -> bool:
        """Whether the caller is known to have hung up."""
        return self.gone_at is not None

    @property
    def uuid(self) -> str:
        """The caller's channel."""
        return self.arrival.uuid

    def hear_legs(self) -> None:
        """Hear of this call's legs, and the results of its jobs, from now on."""
        if not self._hears_legs:
            self._hears_legs = True
            for command in commands.hear_legs(self.uuid):
                self._post_checked(command)

    def look_after(self) -> None:
        """Listen to the caller's channel, and make the switch look after it."""
        if not self._looked_after:
            self._looked_after = True
            self._post_checked(commands.hear_caller(self.uuid))
            self._post_checked(commands.prepare(self.uuid, self._sign))

    def bound(self, seconds: float, sounds: bool) -> None:
        """Have the switch end the wait itself if we have not, so many seconds from now.

        ``sounds`` says that something may be played to the caller.
        """
        self.unbind()
        self._bounded = True
        self.bounded_at = time.monotonic()
        after = max(seconds, 0.0) + BOUND_MARGIN
        self.session.post(commands.bound(self.uuid, after, sounds))

    def unbind(self) -> None:
        """Take that back."""
        if self._bounded:
            self._bounded = False
            self.session.post(commands.unbind(self.uuid))

    def call_off(self, legs: Iterable[SwitchLeg]) -> None:
        """Have legs call no phone that a cancel would miss, having no channel yet.

        The switch itself ends them when the caller is gone.
        """
        missed = [leg for leg in legs if leg.job and leg.unheard and not leg.called_off]
        if not missed:
            return
        for leg in missed:
            leg.called_off = True
            self._called_off.append(leg.job)
        self.session.post(commands.call_off(self.uuid, self._called_off))

    def talks(self) -> None:
        """Note that the caller has a member.

        A phone that is answered at once may have had ``socket_resume`` taken off before we set it.
        """
        self._post_checked(commands.stay_when_closed(self.uuid))
        self._post_checked(leaving.while_talking(self.uuid, self._sign))

    def follow(self, event: Event) -> None:
        """Note whether the caller has hung up, or is about to be transferred by somebody else."""
        if self.gone_at is None and self.is_gone(event):
            self.gone_at = time.monotonic()
        self.leaving = self.leaving or leaving.is_leaving(event, self._sign)

    def let_go(self) -> None:
        """Close the connection of a caller whom somebody else may have, and without harm to them.

        Before a transfer there is time for it. Once that is over, or when nothing is known of one,
        it stays until the caller hangs up: they may be in another group by now, and a close would
        take them out of it.
        """
        with suppress(EventSocketError):
            while not (self.gone or self.closes_in_time()):
                event = self.session.next_event(inf)
                if event is not None:
                    self.follow(event)
        self.session.stop()

    def closes_in_time(self) -> bool:
        """Close the connection if the caller is about to be transferred; whether it is closed."""
        leaves, self.leaving = self.leaving and self.session.connected, False
        if not leaves:
            return not self.session.connected
        question = leaving.still_here(self.uuid)
        if not leaving.is_still_here(self.session.send(question).data, self._sign):
            log.warning("a transfer was noticed too late: the socket stays open until the hang-up")
            return False
        self.session.stop()
        return True

    def is_gone(self, event: Event) -> bool:
        """Whether an event says that the caller has hung up."""
        over = event.name == "CHANNEL_HANGUP_COMPLETE" and event.uuid == self.uuid
        return over or event.name == CALLER_LEFT

    def _post_checked(self, command: str) -> None:
        self.session.post(command, handover.expecting_ok(command))
