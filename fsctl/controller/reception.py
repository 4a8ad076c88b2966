"""Receives callers: finds out what comes next for each, group after group, and writes it down.

What comes next is a hunt (``call``), a place in line (``line``), another group, or somewhere else.
"""

import logging
import random
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from weakref import WeakSet

from msgspec import structs

from fsctl.controller.call import HuntedCall
from fsctl.controller.caller import Caller
from fsctl.controller.directory import Directory
from fsctl.controller.line import InLine, Left, Lines
from fsctl.controller.memories import Memories
from fsctl.controller.onward import send_on
from fsctl.controller.recorder import Recorder
from fsctl.controller.records import given_up, line_record, record_of, refusal_of
from fsctl.controller.stay import Stay
from fsctl.controller.whom import Around, user_of
from fsctl.esl import commands
from fsctl.esl.errors import EventSocketError
from fsctl.esl.session import CALLER_LEFT, CallSession
from fsctl.hunt.admission import REASONS, Admitted, Refusal, admit
from fsctl.hunt.endings import (
    MOST_HOPS,
    RELEASE,
    TOO_MANY_HOPS,
    Ending,
    Kind,
    Reason,
    all_onward,
    ending_for,
    following,
)
from fsctl.hunt.group import Group
from fsctl.hunt.ledger import Leg
from fsctl.hunt.line import Welcome
from fsctl.hunt.machine import Hunt
from fsctl.hunt.memory import NOTHING
from fsctl.hunt.nesting import takers
from fsctl.hunt.outcomes import CALLER_GONE
from fsctl.hunt.schedule import Schedule, without
from fsctl.store.call_records import CallOutcome, CallRecord

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsctl.controller.directory import Keys
    from fsctl.controller.metrics import Meter

APART = 0.001
"""Seconds between the beginnings of two records of a call at least: by them they are told apart."""
REFUSAL_TIME = 2.0
"""Seconds for the switch to hang up a refused caller before we leave the call to it."""
BUSY = "USER_BUSY"
"""Cause of a caller who has waited in line for too long (SIP 486)."""

log = logging.getLogger(__name__)

Part = HuntedCall | InLine
"""What goes on for a caller."""


@dataclass(frozen=True, slots=True)
class Books:
    """Where calls are written down and counted: None for nowhere."""

    recorder: Recorder | None = None
    meter: "Meter | None" = None


class Reception:
    """Serves callers one after the other; ``keys`` turns a number into the ways it may be kept."""

    def __init__(
        self,
        directory: Directory,
        keys: "Callable[[str, str], Keys]",
        memories: Memories,
        around: Around,
        lines: Lines,
        books: Books,
    ) -> None:
        self.directory = directory
        self.lines = lines
        self._keys = keys
        self._memories = memories
        self._around = around
        self._recorder, self._meter = books.recorder, books.meter
        self._told: WeakSet[Stay] = WeakSet()
        """Those of which the end of the hunt is counted and logged."""

    def find(self, number: str, domain: str) -> Group | None:
        """Return the group that a number calls. Raises Unavailable when that is not known."""
        return self.directory.find(self._keys(number, domain))

    def receive(self, caller: Caller, group: Group | None) -> Part | None:
        """Return what comes first for a caller of a group; None when he is refused or has gone
        elsewhere."""
        return self._lead(caller, group, time.time())

    def after(self, part: Part) -> Part | None:
        """Return what comes after something that is over; None when that was all."""
        if isinstance(part, InLine):
            return self._after_line(part)
        if part.hunt.winner:
            self.lines.freed(user_of(part.hunt.winner.member, part.group.domain))
        there = part.caller.session.connected
        if part.parting.stands and there:
            part.stay.take_in(part)
            return InLine(part.stay)
        if part.parting.next_group is None:
            return None
        if not there:
            # The caller left in that moment, and no other group has a record.
            part.parting.went = ""
            return None
        self.note(part)
        part.stay.over()
        part.caller.hops += 1
        return self._lead(part.caller, part.parting.next_group, self._later(part.stay.began))

    def _lead(self, caller: Caller, group: Group | None, began: float) -> Part | None:
        """Return what comes for a caller in a group, or in those to which it sends him on."""
        while True:
            found = self._decide(caller, group, began)
            if not isinstance(found, Refusal):
                return found
            record = refusal_of(caller.arrival, group, found, began)
            reason = REASONS.get(found)
            onward = self._turn_away(caller, group, reason, record, found.sentence)
            if onward is None:
                return None
            group, began = onward, self._later(began)
            caller.hops += 1

    def _decide(self, caller: Caller, group: Group | None, began: float) -> Part | Refusal:
        if caller.hops >= MOST_HOPS or (group and caller.arrival.is_leg_of(group)):
            return Refusal.TOO_MANY_HOPS
        admitted = self._admit(caller, group, time.time())
        if isinstance(admitted, Refusal):
            return admitted
        welcome = self.lines.welcome(admitted.group)
        if welcome is Welcome.FULL:
            return Refusal.FULL
        stay = Stay(caller, admitted.group, began, self.lines)
        if welcome is Welcome.STAND:
            return InLine(stay)
        call = HuntedCall(stay, admitted, self.note, self._around)
        self.lines.begin(stay)  # nothing can fail from here on that would not end it
        return call

    def _admit(self, caller: Caller, group: Group | None, now: float) -> Admitted | Refusal:
        memory = self._memories.of(group) if group else NOTHING
        chance = random.getrandbits(64)
        external = bool(self._around.outside.dial)
        user = caller.arrival.user
        return admit(group, user, memory, chance, now, external, self._memories.of)

    @staticmethod
    def _later(began: float) -> float:
        return max(time.time(), began + APART)

    # Out of the line

    def _after_line(self, one: InLine) -> Part | None:
        stay = one.stay
        if one.left is Left.TURN:
            return self._hunt_again(stay)
        if one.left is Left.TAKEN:
            nobody = Admitted(stay.group, Schedule((), stay.group.wait))
            return HuntedCall(stay, nobody, self.note, self._around, one.taker)
        now = time.time()
        if one.left is Left.OVER:
            record = line_record(stay, CallOutcome.LINE_OVER, BUSY, now)
            why = "the wait in line was too long"
            reason = Reason.LINE_OVER
            onward = self._turn_away(stay.caller, stay.group, reason, record, why, stay)
            return self._after_stay(stay, onward)
        outcome = CallOutcome.HANDED_BACK if one.was_taken else CallOutcome.GAVE_UP
        self._put(line_record(stay, outcome, CALLER_GONE, now), stay)
        log.info("%s in line after %.1f s", outcome, now - stay.began)
        stay.over()
        with suppress(EventSocketError):  # or the switch would keep a task for as long as the wait
            stay.caller.unbind()
            stay.caller.session.flush()
        return None

    def _hunt_again(self, stay: Stay) -> Part | None:
        """Hunt for a caller whose turn it is: in his group as it is now, open as when he came."""
        latest = self._as_it_is(stay)
        stay.group = latest or stay.group
        admitted = self._admit(stay.caller, latest, stay.began)
        if isinstance(admitted, Admitted):
            schedule = without(admitted.schedule, stay.rejected)
            return HuntedCall(stay, replace(admitted, schedule=schedule), self.note, self._around)
        now = time.time()
        record = line_record(stay, CallOutcome(admitted.outcome), admitted.value, now)
        about = REASONS.get(admitted), record, admitted.sentence, stay
        onward = self._turn_away(stay.caller, stay.group, *about)
        return self._after_stay(stay, onward)

    def _as_it_is(self, stay: Stay) -> Group | None:
        """Return a caller's group as it is by now, as far as that is known; None when his number is
        known to call no group any more."""
        arrival = stay.caller.arrival
        keys = self._keys(arrival.number, arrival.domain)
        called = self.directory.copy_of(keys)
        if called is None:
            return None if self.directory.has_copy(keys) else stay.group
        wanted = stay.group.name, stay.group.domain
        found = (one for one in (called, *all_onward(called)) if (one.name, one.domain) == wanted)
        return next(found, stay.group)

    def _after_stay(self, stay: Stay, onward: Group | None) -> Part | None:
        stay.over()
        if onward is None:
            return None
        stay.caller.hops += 1
        return self._lead(stay.caller, onward, self._later(stay.began))

    # Whom nobody takes

    def _turn_away(
        self,
        caller: Caller,
        group: Group | None,
        reason: Reason | None,
        record: CallRecord,
        why: str,
        stay: Stay | None = None,
    ) -> Group | None:
        """Send a caller to where the ending for a reason says, or release him; write that down.

        Returns the group that comes next, None when none does.
        """
        log.info("refused: %s", why, extra={"outcome": str(record.outcome)})
        ending = ending_for(group, reason) if group and reason else RELEASE
        ending, onward = following(group, ending, caller.hops) if group else (RELEASE, None)
        cause = ending.cause or record.cause
        if cause == TOO_MANY_HOPS:
            record = structs.replace(record, cause=cause)
        gone = onward is not None or self._sent_on(caller, group, ending, cause, stay)
        self._put(structs.replace(record, onward=str(ending) if gone else ""), stay)
        if not gone:
            caller.unbind()
            refuse(caller.session, cause, guarded=stay is not None or caller.hunted)
        return onward

    def _sent_on(
        self, caller: Caller, group: Group | None, ending: Ending, cause: str, stay: Stay | None
    ) -> bool:
        if group is None or ending.kind in (Kind.RELEASE, Kind.GROUP):
            return False
        caller.unbind()
        sounds = stay.sounds.loaded if stay else ()
        about = ending, group, cause, caller.hops + 1, sounds
        return send_on(caller.session, self._around.places, *about)

    # Writing down

    def close(self, part: Part, handed_back: bool = False) -> None:
        """Write down what a caller's last part was who is not served any more."""
        if isinstance(part, HuntedCall):
            self.note(part)
        elif handed_back or part.stay not in self._told:
            outcome = given_up(part.stay.caller)
            self._put(line_record(part.stay, outcome, "", time.time()), part.stay)
        part.stay.over()

    def note(self, call: HuntedCall) -> None:
        """Write a hunt down, as far as it has come."""
        record = record_of(call, time.time())
        if call.stay not in self._told:
            self._count(record, call.stay)
            if call.hunt.ended:
                _log_end(call.hunt, record.outcome)
        if record.answered_by is not None:
            self._remember(call, record)
        if self._recorder:
            self._recorder.put(record)

    def _put(self, record: CallRecord, stay: Stay | None) -> None:
        if stay:
            self._count(record, stay)
        elif self._meter:
            self._meter.refused(record.outcome)
        if self._recorder:
            self._recorder.put(record)

    def _count(self, record: CallRecord, stay: Stay) -> None:
        if stay not in self._told:
            self._told.add(stay)
            if self._meter:
                self._meter.hunted(record, stay.lateness)

    def _remember(self, call: HuntedCall, record: CallRecord) -> None:
        """Have the next call know who has this one's caller, or had."""
        for group, member in takers(call.group, str(record.answered_by)):
            self._memories.answered(group, member, record.began + record.wait_seconds)
            if record.talk_seconds is not None:
                self._memories.over(group, member, record.ended)


def refuse(session: CallSession, cause: str, guarded: bool) -> None:
    """Hang a caller up, and wait until the switch has done it.

    ``guarded``: unless somebody has him, as can be of whom was hunted for before.
    """
    release = commands.release(session.uuid, cause) if guarded else commands.hang_up(cause)
    session.post(release)
    until = time.monotonic() + REFUSAL_TIME
    while time.monotonic() < until:
        event = session.next_event(until)
        if event is not None and event.name == CALLER_LEFT:
            return


def _log_end(hunt: Hunt, outcome: str) -> None:
    after = hunt.over_at or 0.0
    facts: dict[str, object] = {"outcome": str(outcome), "wait_seconds": round(after, 3)}
    if hunt.winner:
        member = hunt.winner.member
        facts["answered_by"] = member
        log.info("answered by %s after %.1f s", member, after, extra=facts)
    else:
        log.info("ended after %.1f s: %s", after, hunt.cause, extra=facts)
    if log.isEnabledFor(logging.DEBUG):
        for leg in hunt.legs.values():
            _log_leg(leg)


def _log_leg(leg: Leg) -> None:
    outcome = leg.outcome.value if leg.outcome else "not over"
    log.debug(
        "leg %d: %s from %.2f s on, %s %s",
        leg.number,
        leg.member,
        leg.started,
        outcome,
        leg.cause,
        extra={"member": leg.member, "outcome": outcome, "cause": leg.cause},
    )
