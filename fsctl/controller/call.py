"""One call, from the moment FreeSWITCH hands it over: feeds the hunt, carries out its actions."""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial

from fsctl.controller.aftermath import leave, see_off
from fsctl.controller.caller import LEAVING
from fsctl.controller.cancels import Cancels
from fsctl.controller.held import HeldLegs
from fsctl.controller.legs import Legs
from fsctl.controller.parting import Parting
from fsctl.controller.sounds import GREETING_TIME
from fsctl.controller.stay import Stay
from fsctl.controller.whom import Around, Whom
from fsctl.esl import commands, picking
from fsctl.esl.codec import Frame
from fsctl.esl.errors import SessionClosed
from fsctl.esl.events import Event
from fsctl.hunt import events as ev
from fsctl.hunt.admission import Admitted
from fsctl.hunt.endings import Reason, reason_of
from fsctl.hunt.machine import Hunt, Phase
from fsctl.hunt.outcomes import (
    CALLER_GONE,
    NO_ROOM,
    PREEMPTED,
    TEMPORARY_FAILURE,
)
from fsctl.store.call_records import CallOutcome

CLAIM_NEWS = 0.1
"""Seconds after which it is asked again whether somebody has the claim; 20 ms are usual."""
TOGETHER = 4
"""Legs that leave in one piece with the first: to put them together takes less than one sending."""

log = logging.getLogger(__name__)


def _unnoted(_call: "HuntedCall") -> None:
    """Write nothing down."""


class HuntedCall:
    """One hunt for a caller in a group, until he is with a member, elsewhere, in line or gone."""

    def __init__(
        self,
        stay: Stay,
        admitted: Admitted,
        note: Callable[["HuntedCall"], None] = _unnoted,
        around: Around = Around(),  # noqa: B008 - it is immutable
        taker: Event | None = None,
    ) -> None:
        """``taker`` is the event that says who has picked up a caller for whom nobody rings."""
        self.stay = stay
        self.caller = caller = stay.caller
        self.session = caller.session
        self.group = admitted.group
        self.clock = time.monotonic
        self.came = stay.began if stay.deadline is None else time.time()
        """When the hunt began, in epoch seconds: the moment of the call, the greeting's end, or
        that of the caller's turn in line."""
        answered = admitted.group.answer_first or caller.answered
        self.legs: Legs = Legs(caller.uuid, answered)
        self.hunt = Hunt(admitted.schedule, self.clock())
        self._note = note
        self._sounds = stay.sounds
        self._whom = Whom(self.group, caller.arrival, around, caller.hops + 1)
        capacity = around.capacities.of(caller.arrival.switch)
        self._held = HeldLegs(capacity, self.session)
        self._cancels = Cancels(caller, self.legs, self._held, self._whom.too_late)
        self._actions: deque[ev.Action] = deque()
        self.parting = Parting(stay, self.group, around.places)
        self._begun = False
        self._taker = taker

    @property
    def can_be_picked_up(self) -> bool:
        """Whether a telephone of the group rings or rang, and the caller still waits.

        Not before all that is to be played was ordered: it would be played into a conversation.
        """
        return self._begun and bool(self.hunt.legs) and self.hunt.phase is Phase.HUNTING

    def run(self) -> Hunt:
        """Hunt until the call is over for us, and return how it went.

        Raises EventSocketError when the switch is lost; the caller is then the switch's.
        """
        hunt = self.hunt
        try:
            self._begin(hunt)
            while not hunt.ended:
                if hunt.phase is Phase.RELEASING and self._may_go_on:
                    self._send_on(hunt)
                else:
                    self._step(hunt)
            self._let_others_hunt(hunt)
            if self.parting.sent:
                return hunt  # and close at once
            if hunt.winner:
                self._note(self)  # the conversation may outlive us
            with suppress(SessionClosed):  # which changes nothing any more
                leave(self, hunt)
                see_off(self, hunt)
        finally:
            self._held.clear()
            self.caller.hunted = self.caller.hunted or bool(self.legs.count)
            self.caller.answered = self.legs.caller_answered
            if self.parting.next_group is None and not self.parting.stands:
                self.caller.over.set()
        return hunt

    @property
    def _may_go_on(self) -> bool:
        """Whether the caller is to go on and no phone rings any more.

        Nor will: a leg that was called off calls none, however long its job takes.
        """
        return self.parting.waits and not self.legs.may_ring

    @property
    def outlasts(self) -> bool:
        """Whether the connection must not close at the end, but when the caller hangs up.

        FreeSWITCH closes its end when the jobs of all legs have ended. If that takes longer than
        the caller takes to go on, the close is too late to do no harm.
        """
        late = self.parting.sent and bool(self.legs.open)
        return self.hunt.winner is not None or self.caller.leaving or late

    def _let_others_hunt(self, hunt: Hunt) -> None:
        """Tell the group's line that this hunt is over, and whether it found everybody busy."""
        in_vain = hunt.winner is None and hunt.cause != CALLER_GONE
        busy = in_vain and reason_of(hunt.cause) is Reason.BUSY
        self.stay.lines.end(self.stay, busy, hunt.winner is not None)
        if not self.parting.stands:
            self.stay.lines.leave(self.stay)

    def _begin(self, hunt: Hunt) -> None:
        """Start the first leg, then make the switch look after the caller, and start the others.

        The first leg goes ahead because a telephone should ring as soon as it can, and does not
        wait for many others to be put together. Its events must be asked for before it: of a user
        with several phones they tell which there are, and a refusal may come within a millisecond.
        """
        caller = self.caller
        if self._taker:
            self.take_in(self._taker, hunt)
            return
        if self._sounds.greets and not self._greet(hunt):
            return
        caller.hear_legs()
        if self._whom.may_pass_over:
            caller.look_after()  # all may be passed over, and it is over at once
        self._sounds.load()
        first, *others = self._tick(hunt, hunt.began) or (None,)
        if first:
            self._carry_out([first])
        if len(others) > TOGETHER:
            self.session.flush()
        self.session.let_others_first()
        if self._sounds.loaded:
            caller.look_after()  # a sound that cannot be played ends at once, which must be heard
        # Else ringing first: the event that tells of it is for nobody, and costs the switch most.
        self._sounds.ring(self.clock())
        caller.look_after()
        self._bound(hunt)
        self._carry_out(others)
        self._held.ask()
        self._begun = True
        log.info("hunts in group %r", self.group.name, extra={"group": self.group.name})

    def _greet(self, hunt: Hunt) -> bool:
        """Let the caller hear the greeting; the hunt begins at its end. False when he left."""
        self.caller.look_after()
        self._bound(hunt, GREETING_TIME)
        self._sounds.greet()
        until = self.clock() + GREETING_TIME
        while event := self.session.next_event(until):
            self.take_in(event, hunt)
            if hunt.ended:
                return False
            if self._sounds.greeted(event):
                break
        self.came = self.stay.began = time.time()
        hunt.began = self.clock()
        return True

    def _bound(self, hunt: Hunt, later: float = 0.0) -> None:
        """Have the switch end the wait if we do not, so many seconds ``later`` than the hunt."""
        left = hunt.began + hunt.schedule.wait + later - self.clock()
        self.caller.bound(left, bool(self._sounds.loaded))

    def _step(self, hunt: Hunt) -> None:
        """Wait for the next events or the next moment of the schedule, and act."""
        due = self._due(hunt)
        until = min(due, self._sounds.due) if hunt.phase is Phase.HUNTING else due
        if self._held.waiting:
            until = min(until, self._held.due)
        event = self.session.next_event(until)
        while event is not None:
            self.take_in(event, hunt)
            if event.name == "CHANNEL_EXECUTE_COMPLETE" and hunt.phase is Phase.HUNTING:
                self._sounds.take_in(event)
            if hunt.ended or self.parting.waits:
                return
            event = self.session.waiting_event()
        now, due = self.clock(), self._due(hunt)
        if hunt.phase is Phase.HUNTING:
            self._sounds.tick(now)
            if self._held.waiting:
                for start in self._held.ready(hunt, self.legs):
                    self._order(start)
        if now < due:
            return
        if hunt.phase is Phase.RELEASING:
            self.parting.release_again(hunt)
        else:
            self._carry_out(self._tick(hunt, due))

    def _tick(self, hunt: Hunt, due: float) -> list[ev.Action]:
        """Do what was ``due`` at this moment, and note how late that is for a leg."""
        now = self.clock()
        actions = hunt.tick(now)
        self.stay.lateness += [now - due for one in actions if isinstance(one, ev.StartLeg)]
        return actions

    def _due(self, hunt: Hunt) -> float:
        """Return when something has to be done even though the switch says nothing."""
        due = hunt.due
        return self.parting.due if due is None else due

    def take_in(self, event: Event, hunt: Hunt) -> None:
        """Have the hunt know of an event, and do what follows of it."""
        if event.name in LEAVING:
            self._follow(event, hunt)
        for told in self.legs.translate(event):
            if actions := hunt.handle(told, self.clock()):
                self._carry_out(actions)
            if isinstance(told, ev.LegEnded) and self._vanished(told, hunt):
                # It may have taken that back. ``socket_resume`` is left as it is: a parked caller
                # goes on without it (tried), and somebody else may have the caller by now.
                self._bound(hunt)
        if self.legs.refused:
            for number in self._held.try_again(hunt, self.legs):
                self._not_rung(number, NO_ROOM)
        if event.name == "CHANNEL_CREATE":
            self._cancels.take_in(event)

    def _follow(self, event: Event, hunt: Hunt) -> None:
        """Note that the caller hangs up, or is about to be transferred by somebody else."""
        self.caller.follow(event)
        if self.caller.leaving and not hunt.ended:
            self.parting.came_to = CallOutcome.HANDED_BACK
            self._carry_out(hunt.handle(ev.CallerGone(CALLER_GONE), self.clock()))

    def _vanished(self, end: ev.LegEnded, hunt: Hunt) -> bool:
        """Whether a member who was about to have the caller is gone, and the hunt goes on."""
        answered = self.legs[end.leg].answered
        return bool(answered) and end.cause not in PREEMPTED and not hunt.ended

    # Carrying out

    def _carry_out(self, actions: Iterable[ev.Action]) -> None:
        # Some actions have others, which come behind them.
        begun = bool(self._actions)
        self._actions.extend(actions)
        while self._actions and not begun:
            action = self._actions[0]
            if isinstance(action, ev.StartLeg):
                self._start(action)
            elif isinstance(action, ev.CancelLeg):
                self.cancel(action.leg, action.cause)
            elif isinstance(action, ev.CancelAll):
                self._cancel_all(action.cause)
            else:
                self.parting.give_up(action.cause, stood=self._taker is not None)
            self._actions.popleft()

    def _start(self, start: ev.StartLeg) -> None:
        self.legs.add(start.leg, self._whom.confirms(start.member))
        self._whom.ask(start.member, self.session.post, partial(self._call, start))

    def _call(self, start: ev.StartLeg, passed_over: str) -> None:
        """Call a member; who is passed over is a leg that has failed."""
        leg = self.legs[start.leg]
        if not_called := leg.cancelled or passed_over:
            self._not_rung(leg.number, not_called)
            return
        if not self._held.holds(start):
            self._order(start)

    def _order(self, start: ev.StartLeg) -> None:
        extras = self._whom.extras(start.member, self.came, self._sounds.loaded)
        command = self._whom.originate(self.legs[start.leg].job, start, extras)
        self.session.post(command, partial(self._originated, start.leg))

    def _not_rung(self, number: int, cause: str) -> None:
        self.legs[number].over = True
        self._carry_out(self.hunt.handle(ev.LegEnded(number, cause), self.clock()))

    def _originated(self, number: int, reply: Frame) -> None:
        """A refused originate is a leg that failed; the hunt goes on without it."""
        if not reply.data.startswith("+OK"):
            self._not_rung(number, TEMPORARY_FAILURE)

    def cancel(self, number: int, cause: str) -> None:
        """End a leg with a cause, whatever it does."""
        others = self.hunt.phase is Phase.CONNECTED
        if ends := self._cancels.cancel(number, cause, others):
            self._not_rung(number, ends)

    def _cancel_all(self, cause: str) -> None:
        for number, ends in self._cancels.cancel_all(cause, self.hunt.phase is Phase.GONE):
            self._not_rung(number, ends)

    def _send_on(self, hunt: Hunt) -> None:
        """Let a caller go on for whom no leg is left.

        Who has picked the caller up in this instant may not be known here yet.
        """
        if not picking.is_claimed(self.session.send(commands.claims(self.caller.uuid)).data):
            self._carry_out(self.parting.go(hunt))
            return
        event = self.session.next_event(self.clock() + CLAIM_NEWS)
        if event is not None:
            self.take_in(event, hunt)
        if hunt.phase is Phase.RELEASING and self.clock() >= self._due(hunt):
            self.parting.release_again(hunt)
