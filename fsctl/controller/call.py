"""One call, from the moment FreeSWITCH hands it over: feeds the hunt, carries out its actions."""

import logging
import math
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from gevent.event import Event as Signal

from fsctl.controller.legs import Legs
from fsctl.controller.showing import recording_of, shown_of
from fsctl.controller.sounds import GREETING_TIME, Sounds, playable, prompts_of
from fsctl.esl import commands
from fsctl.esl.codec import Event, Frame
from fsctl.esl.errors import EventSocketError, NoReply, SessionClosed
from fsctl.esl.presentation import Caller
from fsctl.esl.session import CallSession, OnReply
from fsctl.hunt import events as ev
from fsctl.hunt.admission import Admitted
from fsctl.hunt.machine import Hunt, Phase
from fsctl.hunt.outcomes import (
    CALLER_GONE,
    COMPLETED_ELSEWHERE,
    CONVERSATION_OVER,
    PREEMPTED,
    TEMPORARY_FAILURE,
)

LONGEST_NUMBER = 64
"""Characters of a dialled number beyond which nobody serves it: a stranger chose them."""
LINGER = 5
"""Seconds that the socket stays after the caller's hang-up, to see the last leg end."""
BOUND_MARGIN = 3.0
"""Seconds beyond the group's wait time after which the switch releases a caller without us. It must
be more than our own release needs, and with the switch's clock less than 5."""
RELEASE_TIME = 2.0
"""Seconds that the switch has to release a caller (20 ms are usual) before it is asked again."""
RELEASES = 5
"""How often it is asked. It refuses as long as a member has the caller, and may tell of that late:
a switch under overload is behind with its events by seconds (tried)."""
STRAGGLER_TIME = 0.5
"""Seconds after which a leg that should have ended is ended once more, and again."""
_FAR = 86_400.0
_NEVER = math.inf

log = logging.getLogger(__name__)


def _unnoted(_call: "HuntedCall") -> None:
    """Write nothing down."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A call as it was handed over: the caller's channel, what was dialled, who calls.

    ``user`` is the directory user whose phone it is, None for a stranger; ``domain`` is the tenant
    that the channel names, empty for none; ``host`` is where the number was called (RFC 3261, the
    Request-URI).
    """

    uuid: str
    number: str
    caller: Caller
    user: str | None
    domain: str = ""
    host: str = ""

    @classmethod
    def of(cls, session: CallSession, domain_variable: str = "domain_name") -> "Arrival":
        """Read it from the connect reply. Strangers choose most of this; nothing is cleaned yet."""
        get = session.session_data.get
        # Only a name that the switch has verified: the From user is anybody's to choose.
        user = get("variable_user_name") or get("variable_sip_auth_username") or None
        domain = get("variable_domain_name")
        number = get("Caller-Destination-Number", "")
        return cls(
            session.uuid,
            number if len(number) <= LONGEST_NUMBER else "",
            Caller(
                get("Caller-Caller-ID-Number", ""),
                get("Caller-Caller-ID-Name", ""),
                "true" in (get("Caller-Privacy-Hide-Name"), get("Caller-Privacy-Hide-Number")),
            ),
            f"{user}@{domain}" if user and domain and "@" not in user else user,
            get("variable_" + domain_variable, ""),
            get("variable_sip_req_host", ""),
        )


class HuntedCall:
    """A call whose group is known, until the caller is with a member or gone."""

    def __init__(
        self,
        session: CallSession,
        arrival: Arrival,
        admitted: Admitted,
        note: Callable[["HuntedCall"], None] = _unnoted,
    ) -> None:
        self.session = session
        self.arrival = arrival
        self.group = admitted.group
        self.clock = time.monotonic
        self.came = time.time()
        """When the hunt began, in epoch seconds: the moment of the call, or the greeting's end."""
        self.legs = Legs(arrival.uuid, answered=admitted.group.answer_first)
        self.hunt = Hunt(admitted.schedule, self.clock())
        self.hunt_over = Signal()
        """Set when no caller waits here any more: a conversation, or nothing, is left."""
        self._note = note
        self._sounds = Sounds(self.group, arrival.uuid, session.post)
        self._shown = shown_of(self.group, arrival)
        self._prompts = prompts_of(self.group)
        self._too_late = playable(self.group.too_late) or ""
        self._released = 0.0
        self._releases = 0
        self.lateness: list[float] = []
        """By how many seconds each leg whose moment had come was ordered late."""

    def run(self) -> Hunt:
        """Hunt until the call is over for us, and return how it went.

        Raises EventSocketError when the switch is lost; the caller is then the switch's.
        """
        hunt = self.hunt
        try:
            self._begin(self.arrival.uuid, hunt)
            while not hunt.ended:
                self._step(hunt)
            if hunt.winner:
                self._note(self)  # the conversation may outlive us
            with suppress(SessionClosed):  # which changes nothing any more
                self._leave(hunt)
                self._see_off(hunt)
        finally:
            self.hunt_over.set()
        return hunt

    def _begin(self, uuid: str, hunt: Hunt) -> None:
        """Start the first leg, then make the switch look after the caller, and start the others.

        The first leg goes ahead because a telephone should ring as soon as it can. Only the results
        of jobs must be heard before it: a leg's own events take longer than to be asked for, and
        the hunt can do without any of them.
        """
        if self._sounds.greets and not self._greet(hunt):
            return
        self._post_checked(commands.hear_jobs(uuid))
        first, *others = self._tick(hunt, hunt.began) or (None,)
        if first:
            self._carry_out([first])
        self.session.flush()
        if self._sounds.greets:
            self.session.post(commands.unbind(uuid))
        else:
            self._look_after(uuid)
        self._sounds.ring(self.clock())
        self._bound(hunt)
        self._carry_out(others)
        log.info("hunts in group %r", self.group.name, extra={"group": self.group.name})

    def _look_after(self, uuid: str) -> None:
        """Listen to the caller's channel, and make the switch look after it."""
        for command in commands.hear_channels(uuid):
            self._post_checked(command)
        self._post_checked(commands.prepare(uuid))

    def _greet(self, hunt: Hunt) -> bool:
        """Let the caller hear the greeting; the hunt begins at its end. False when he left."""
        self._look_after(self.arrival.uuid)
        self._bound(hunt, GREETING_TIME)
        self._sounds.greet()
        until = self.clock() + GREETING_TIME
        while event := self.session.next_event(until):
            self._take_in(event, hunt)
            if hunt.ended:
                return False
            if self._sounds.greeted(event):
                break
        self.came = time.time()
        hunt.began = self.clock()
        return True

    def _post_checked(self, command: str) -> None:
        self.session.post(command, _expecting_ok(command))

    def _bound(self, hunt: Hunt, later: float = 0.0) -> None:
        """Have the switch end the wait if we do not, so many seconds ``later`` than the hunt."""
        left = hunt.began + hunt.schedule.wait + later - self.clock()
        seconds = max(left, 0.0) + BOUND_MARGIN
        sounds = bool(self._sounds.loaded)
        self.session.post(commands.bound(self.arrival.uuid, seconds, sounds))

    def _step(self, hunt: Hunt) -> None:
        """Wait for the next event or the next moment of the schedule, and act."""
        heard = hunt.phase is Phase.HUNTING
        event = self.session.next_event(min(self._due(hunt), self._sounds.due if heard else _NEVER))
        if event is not None:
            self._take_in(event, hunt)
        now, due = self.clock(), self._due(hunt)
        if hunt.phase is Phase.HUNTING:
            self._sounds.tick(now)
            if event is not None:
                self._sounds.take_in(event)
        if now < due:
            return
        if hunt.phase is Phase.RELEASING:
            self._release_again(hunt)
        else:
            self._carry_out(self._tick(hunt, due))

    def _tick(self, hunt: Hunt, due: float) -> list[ev.Action]:
        """Do what was ``due`` at this moment, and note how late that is for a leg."""
        now = self.clock()
        actions = hunt.tick(now)
        self.lateness += [now - due for one in actions if isinstance(one, ev.StartLeg)]
        return actions

    def _due(self, hunt: Hunt) -> float:
        """Return when something has to be done even though the switch says nothing."""
        return self._released + RELEASE_TIME if hunt.due is None else hunt.due

    def _take_in(self, event: Event, hunt: Hunt) -> None:
        for told in self.legs.translate(event):
            self._carry_out(hunt.handle(told, self.clock()))
            if isinstance(told, ev.LegEnded) and self._vanished(told, hunt):
                # It may have taken that back. ``socket_resume`` is left as it is: a parked caller
                # goes on without it (tried), and somebody else may have the caller by now.
                self._bound(hunt)
        self._end_if_unwanted(event)

    def _vanished(self, end: ev.LegEnded, hunt: Hunt) -> bool:
        """Whether a member who was about to have the caller is gone, and the hunt goes on."""
        answered = self.legs[end.leg].answered
        return bool(answered) and end.cause not in PREEMPTED and not hunt.ended

    def _end_if_unwanted(self, event: Event) -> None:
        """End a channel that came into being after its leg was called off: the cancel missed it."""
        leg = self.legs.leg_of(event) if event.name == "CHANNEL_CREATE" else None
        if leg and leg.cancelled:
            self.session.post(commands.cancel(leg.job, leg.cancelled))

    # Carrying out

    def _carry_out(self, actions: Iterable[ev.Action]) -> None:
        for action in actions:
            if isinstance(action, ev.StartLeg):
                self._start(action)
            elif isinstance(action, ev.CancelLeg):
                self._cancel(action.leg, action.cause)
            elif isinstance(action, ev.CancelAll):
                self._cancel_all(action.cause)
            else:
                self._release(action.cause)

    def _start(self, start: ev.StartLeg) -> None:
        user = start.member
        prompt = self._prompts.get(user, "")
        leg = self.legs.add(start.leg, bool(prompt))
        if self.group.domain and "@" not in user:
            user = f"{user}@{self.group.domain}"
        order = commands.LegOrder(leg.number, leg.job, user, start.ring_for, prompt)
        recording = recording_of(self.group, self.arrival, start.member, self.came)
        extras = commands.Extras(self._sounds.loaded, recording, self._too_late)
        self.session.post(
            commands.originate(self.arrival.uuid, order, self._shown, extras),
            partial(self._originated, leg.number),
        )

    def _originated(self, number: int, reply: Frame) -> None:
        """A refused originate is a leg that failed; the hunt goes on without it."""
        if not reply.data.startswith("+OK"):
            self.legs[number].over = True
            self._carry_out(self.hunt.handle(ev.LegEnded(number, TEMPORARY_FAILURE), self.clock()))

    def _cancel(self, number: int, cause: str) -> None:
        leg = self.legs[number]
        leg.cancelled = cause
        if leg.asked and self._too_late and cause == COMPLETED_ELSEWHERE:
            for channel in leg.asked:
                self.session.post(commands.tell_too_late(channel, self._too_late))
            leg.asked.clear()
        else:
            self.session.post(commands.cancel(leg.job, cause))

    def _cancel_all(self, cause: str) -> None:
        for leg in self.legs.open:
            leg.cancelled = leg.cancelled or cause
            if leg.asked:  # it may have lost the tag that all others have
                self.session.post(commands.cancel(leg.job, cause))
        self.session.post(commands.cancel_all(self.arrival.uuid, cause))

    def _release(self, cause: str) -> None:
        self._released = self.clock()
        self._releases += 1
        self.session.post(commands.release(self.arrival.uuid, cause))

    def _release_again(self, hunt: Hunt) -> None:
        """Ask again, never by force: the caller may be in a conversation that we know nothing of.

        Raises NoReply in the end. A conversation goes on then, and so does a caller who has none,
        in the dialplan.
        """
        if self._releases >= RELEASES:
            raise NoReply("the switch does not say what became of the caller")
        self._release(hunt.cause)

    # After the hunt

    def _leave(self, hunt: Hunt) -> None:
        """Take back what the switch would have done without us."""
        self.session.post(commands.unbind(self.arrival.uuid))
        if hunt.winner:
            self.legs[hunt.winner.number].cancelled = ""
        if hunt.winner and hunt.winner.ended is not None:
            # Hung up before the two were bridged: the switch leaves the caller, who has been
            # answered, alone in silence (tried). Any other conversation it ends by itself.
            self.session.send(commands.kill(self.arrival.uuid, CONVERSATION_OVER))
        self.session.flush()

    def _see_off(self, hunt: Hunt) -> None:
        """Stay until every leg that was called off has ended, and the conversation too."""
        winner = hunt.winner.number if hunt.winner else None
        again = self.clock() + STRAGGLER_TIME
        end = self.clock() + (_FAR if hunt.phase is Phase.CONNECTED else LINGER)
        while (still := self.legs.open) and self.clock() < end:
            if all(leg.number == winner for leg in still):
                self.hunt_over.set()
            event = self.session.next_event(min(again, end))
            if event is not None:
                self._take_in(event, hunt)
                if event.get("Unique-ID") == self.arrival.uuid and hunt.phase is Phase.CONNECTED:
                    end = min(end, self.clock() + LINGER)
            elif self.clock() >= again:
                again = self.clock() + STRAGGLER_TIME
                self._end_stragglers(hunt)

    def _end_stragglers(self, hunt: Hunt) -> None:
        """End once more whom the first order missed, though we may never have heard of a channel.

        After a disconnect notice that was not as foreseen nothing is heard any more.
        """
        if hunt.phase is Phase.GONE:
            self.session.post(commands.end_all(self.arrival.uuid, hunt.cause or CALLER_GONE))
            return
        for leg in self.legs.open:
            if leg.cancelled:
                self._cancel(leg.number, leg.cancelled)


def meet(session: CallSession, patience: float) -> None:
    """Ask the switch which call it brings, for so many seconds, and prepare to hear of it.

    Raises as ``CallSession.connect``.
    """
    ahead = [(command, _expecting_ok(command)) for command in commands.LISTEN]
    session.connect(patience, LINGER, ahead)


def _expecting_ok(command: str) -> OnReply:
    """Return what warns of a refusal, unless it only says that the caller has hung up meanwhile."""

    def check(reply: Frame) -> None:
        if not reply.data.startswith(("+OK", "-ERR No such channel")):
            said = reply.data[:100].strip()
            log.warning("the switch refused %s: %s", command[:60], said)

    return check


def give_back(session: CallSession, begun: bool) -> None:
    """Let the dialplan have the call again: our fault must not cost the caller.

    Once a hunt has ``begun`` its legs stop as "completed elsewhere", since the dialplan is about to
    ring the same phones; FreeSWITCH moves on when our socket closes and no leg is left.
    """
    orders = (
        (commands.unbind(session.uuid), commands.cancel_all(session.uuid, COMPLETED_ELSEWHERE))
        if begun
        else commands.DECLINE
    )
    try:
        for order in orders:
            session.post(order)
        session.flush()
    except EventSocketError as error:
        log.warning("could not be given back: %s", error)
