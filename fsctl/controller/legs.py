"""The legs of one call as the switch has them: channels and jobs behind the hunt's leg numbers.

Turns the switch's events into the hunt's. A leg is one originate; when its user has several phones
it has several channels, of which FreeSWITCH keeps the one that answers first. A telephone that has
picked the caller up is a leg, too, which nobody ordered: it has no job.
"""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from fsctl.esl.events import Event
from fsctl.esl.session import CALLER_LEFT
from fsctl.hunt import events as ev
from fsctl.hunt.outcomes import CALLER_GONE, NO_ANSWER, PREEMPTED, Outcome, outcome_of

_SIP_CODE = re.compile("[1-6][0-9][0-9]")
_NO_CHANNEL = "DESTINATION_OUT_OF_ORDER"
"""What ``originate`` says when ``mod_sofia`` got no channel, and of some failures after that."""
_TO_CANCEL = "487"
_FOR_ALL = 600, 603, 607, 608
"""Final replies that speak for all phones of a user (RFC 3261, 21.6, RFC 8197, RFC 8688)."""


@dataclass(slots=True)
class SwitchLeg:
    """What the switch has of a leg.

    A leg is over when its job has failed, or when the channel that its job has kept is over. The
    other phones of its user do not end it: two may be picked up in the same instant, and
    ``switch_ivr_originate`` hangs up all but one of them before its job ends.

    ``kept`` is that channel, ``channels`` are alive, ``ringing`` ring, ``answered`` picked up,
    ``lost`` are the causes of those that are over; ``cancelled`` is the cause with which we wished
    for the leg's end. Of a leg that ``confirms`` the switch says that it has answered only once its
    member has pressed 1; ``asked`` are the channels that were picked up before. A leg that was
    ``called_off`` in the switch before it had a channel will call no phone. ``bridged`` says that
    it was seen in a conversation with the caller. ``refusal`` is to be told when the leg gets
    another channel.
    """

    number: int
    job: str
    kept: str = ""
    channels: set[str] = field(default_factory=set)
    answered: set[str] = field(default_factory=set)
    lost: dict[str, str] = field(default_factory=dict)
    cancelled: str = ""
    over: bool = False
    sip_code: int | None = None
    confirms: bool = False
    asked: set[str] = field(default_factory=set)
    ringing: set[str] = field(default_factory=set)
    called_off: bool = False
    bridged: bool = False
    refusal: Sequence[ev.Event] = ()

    @property
    def unheard(self) -> bool:
        """Whether this leg has had no channel yet, as far as is known."""
        return not (self.over or self.kept or self.channels or self.lost or self.answered)

    def cause_of_failure(self, word: str) -> str:
        """Return how a leg ended whose job failed with ``word``, the cause of the first phone.

        A phone that was picked up and hung up at once counts more.
        """
        picked_up = (self.lost[one] for one in self.answered if one in self.lost)
        return next((cause for cause in picked_up if cause not in PREEMPTED), word)


class Legs:
    """All legs of one hunt. ``caller`` is the uuid of the caller's channel.

    A caller may be hunted for again, by another process too, while a leg of this hunt still lives:
    legs are told apart by their jobs, of which there are no two alike. ``answered`` says that the
    call is answered before a member has it: then its answer tells nothing of a member.
    """

    def __init__(self, caller: str, answered: bool = False) -> None:
        self.caller = caller
        self.answered_before = answered
        self._caller_answered = False
        self._by_number: dict[int, SwitchLeg] = {}
        self._by_job: dict[str, SwitchLeg] = {}
        self.refused: list[int] = []
        """Legs for which the switch has just made no channel. They are open: whoever takes them
        from here orders them again (``renew``) or ends them."""
        self._pickers: dict[str, SwitchLeg] = {}
        """Legs of those who picked the caller up, by channel."""

    def add(self, number: int, confirms: bool = False) -> SwitchLeg:
        """Return a new leg with a job of its own, whose name is as short as it can be unique."""
        leg = SwitchLeg(number, new_job(), confirms=confirms)
        self._by_number[number] = self._by_job[leg.job] = leg
        return leg

    def renew(self, number: int) -> SwitchLeg:
        """Give a leg that was refused a new job, and return it."""
        leg = self._by_number[number]
        leg.job = new_job()
        self._by_job[leg.job] = leg
        return leg

    def _add_picker(self, channel: str) -> SwitchLeg:
        """Return the leg of a channel that has claimed the caller without being rung."""
        number = len(self._by_number) + 1
        leg = self._by_number[number] = self._pickers[channel] = SwitchLeg(number, "", channel)
        leg.channels.add(channel)
        leg.answered.add(channel)
        return leg

    def __getitem__(self, number: int) -> SwitchLeg:
        return self._by_number[number]

    @property
    def caller_answered(self) -> bool:
        """Whether the caller has been answered, by us or by a member who is gone again."""
        return self.answered_before or self._caller_answered

    @property
    def count(self) -> int:
        """How many legs the hunt has had."""
        return len(self._by_number)

    @property
    def open(self) -> list[SwitchLeg]:
        """The legs that the switch has not ended yet."""
        return [leg for leg in self._by_number.values() if not leg.over]

    @property
    def may_ring(self) -> bool:
        """Whether a phone rings or may yet: for all open legs but those that were called off."""
        return any(not (leg.called_off and leg.unheard) for leg in self.open)

    @property
    def sip_codes(self) -> dict[int, int]:
        """The telephones' final SIP replies by leg, for the legs that had one."""
        return {leg.number: leg.sip_code for leg in self._by_number.values() if leg.sip_code}

    def leg_of(self, event: Event) -> SwitchLeg | None:
        """Return the leg that an event of a channel belongs to, None for another call's."""
        if event.call_tag != self.caller:
            return None
        if event.picker:
            return self._pickers.get(event.uuid)
        return self._by_job.get(event.leg_tag)

    def translate(self, event: Event) -> Sequence[ev.Event]:
        """Return what this event means to the hunt, and keep the books on channels."""
        if event.name == "BACKGROUND_JOB":
            return self._result(event)
        if event.name == CALLER_LEFT:
            return [*self._taken(), ev.CallerGone(CALLER_GONE)]
        if event.uuid == self.caller:
            return self._of_caller(event)
        return self._of_channel(event) if event.call_tag == self.caller else ()

    def _of_channel(self, event: Event) -> Sequence[ev.Event]:
        leg = self.leg_of(event)
        if leg is None:
            # The first that is heard of who picks the caller up: the answer, if the channel was
            # not answered before, else the bridge.
            if not picks_up(event, self.caller):
                return ()
            picker = self._add_picker(event.uuid)
            return [ev.PickedUp(picker.number, event.picker), *self._of_leg(picker, event)]
        if event.name == "CHANNEL_HANGUP_COMPLETE":  # may come after the job's result
            _keep_reply(leg, event)
        return () if leg.over else self._of_leg(leg, event)

    def _result(self, event: Event) -> Sequence[ev.Event]:
        leg = self._by_job.get(event.job)
        result = event.job_result()
        if leg is None or leg.over or result is None:
            return ()
        done, word = result
        if not done and word == _NO_CHANNEL and leg.unheard and not leg.cancelled:
            self.refused.append(leg.number)
            return ()
        if not done:
            leg.over = True
            return [ev.LegEnded(leg.number, leg.cause_of_failure(word))]
        leg.kept = word
        leg.answered.add(word)
        return [ev.LegAnswered(leg.number), *self._end(leg)]

    def _of_caller(self, event: Event) -> Sequence[ev.Event]:
        if event.name == "CHANNEL_HANGUP_COMPLETE":
            # Whom the caller was given to, even if the two were not yet bridged (``intercept``).
            return [*self._bridged(event.bridge), ev.CallerGone(event.cause)]
        if event.name == "CHANNEL_ANSWER":
            self._caller_answered = not self.answered_before
        elif event.name == "CHANNEL_BRIDGE":
            return self._bridged(event.other_leg)
        return ()

    def _taken(self) -> Sequence[ev.Event]:
        """Tell who had the caller, who is gone before the two were bridged but was answered: the
        one member who picked up."""
        takers = [
            leg
            for leg in self._by_number.values()
            if leg.answered and not leg.answered <= leg.lost.keys()
        ]
        if self._caller_answered and len(takers) == 1:
            return [ev.LegConnected(takers[0].number)]
        return ()

    def _bridged(self, channel: str) -> Sequence[ev.Event]:
        return [
            _talks(leg)
            for leg in self._by_number.values()
            if channel in leg.answered or channel in leg.channels
        ]

    def _of_leg(self, leg: SwitchLeg, event: Event) -> Sequence[ev.Event]:
        name = event.name
        if name == "CHANNEL_CREATE":
            leg.channels.add(event.uuid)
            told, leg.refusal = leg.refusal, ()
            return () if leg.cancelled else told
        if name in ("CHANNEL_PROGRESS", "CHANNEL_PROGRESS_MEDIA"):
            leg.ringing.add(event.uuid)
            return [ev.LegRinging(leg.number)]
        if name == "CHANNEL_ANSWER" and leg.confirms:
            leg.asked.add(event.uuid)
        elif name == "CHANNEL_ANSWER":
            leg.answered.add(event.uuid)
            return [ev.LegAnswered(leg.number)]
        elif name == "CHANNEL_BRIDGE":
            return [_talks(leg)]
        elif name == "CHANNEL_HANGUP_COMPLETE":
            return self._channel_over(leg, event)
        return ()

    def _channel_over(self, leg: SwitchLeg, event: Event) -> Sequence[ev.Event]:
        channel = event.uuid
        leg.channels.discard(channel)
        leg.asked.discard(channel)
        leg.ringing.discard(channel)
        leg.lost[channel] = event.cause
        told: list[ev.Event] = []
        if channel in leg.answered and not event.ring_tag:
            # It has made the claim: who wins has no such tag, which the job may tell later.
            leg.kept = channel
            if self._caller_answered:
                # It took the caller, if only for an instant: FreeSWITCH reports a bridge up to 60
                # ms after the caller was answered.
                told.append(ev.LegConnected(leg.number))
        return [*told, *(self._end(leg) or self._refused(leg, event))]

    def _refused(self, leg: SwitchLeg, event: Event) -> Sequence[ev.Event]:
        """Tell of a refusal, if the leg has other phones: the first may refuse the call before the
        next has a channel. Without others the job's result follows."""
        refusal = _refusal(leg, event)
        if leg.channels:
            return refusal
        leg.refusal = refusal
        return ()

    def _end(self, leg: SwitchLeg) -> Sequence[ev.Event]:
        """End a leg whose kept channel is over."""
        if leg.kept not in leg.lost:
            return ()
        leg.over = True
        return [ev.LegEnded(leg.number, leg.lost[leg.kept])]


def _refusal(leg: SwitchLeg, event: Event) -> Sequence[ev.Event]:
    """Tell of a phone that refused the call, or was hung up before the switch took notice of its
    answer, while others of its user may still ring.

    A phone that is picked up counts more.
    """
    cause = event.cause
    if leg.kept or leg.cancelled:
        return ()
    if event.uuid in leg.answered:
        lost = cause not in PREEMPTED and leg.answered <= leg.lost.keys()
        return [ev.AnswerLost(leg.number)] if lost else ()
    if leg.asked or not leg.answered <= leg.lost.keys():
        return ()
    if cause in PREEMPTED or cause in (CALLER_GONE, NO_ANSWER):
        return ()
    code = event.invite_failure or event.term_status
    rejected = outcome_of(cause) is Outcome.REJECTED and not code
    if rejected or (code.isdigit() and int(code) in _FOR_ALL):
        return [ev.PhoneRefused(leg.number, cause, True)]
    return () if leg.ringing else [ev.PhoneRefused(leg.number, cause, False)]


def _talks(leg: SwitchLeg) -> ev.Event:
    leg.bridged = True
    return ev.LegConnected(leg.number)


def picks_up(event: Event, caller: str) -> bool:
    """Whether an event says that a telephone has picked a caller up."""
    return (
        event.name in ("CHANNEL_ANSWER", "CHANNEL_BRIDGE")
        and event.call_tag == caller
        and bool(event.picker)
    )


def new_job() -> str:
    """Return a name for a job, of which no controller has another: no secret, so no system call."""
    return f"{random.getrandbits(64):016x}"


def _keep_reply(leg: SwitchLeg, event: Event) -> None:
    """Keep the final SIP reply of a leg's telephone, as ``mod_sofia`` leaves it on the channel."""
    reply = event.invite_failure or event.term_status
    if leg.sip_code and reply == _TO_CANCEL:
        return  # a phone that was still to ring: what another of its user said tells more
    if reply and _SIP_CODE.fullmatch(reply):
        leg.sip_code = int(reply)
