"""The controller: accepts calls, finds their groups, and keeps each call's trouble its own."""

import logging
import math
import random
import socket as plain
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from weakref import WeakSet

from gevent.event import Event as Signal

from fsctl.controller.arrival import Arrival
from fsctl.controller.call import HuntedCall
from fsctl.controller.codes import DialledCodes
from fsctl.controller.directory import Directory, Keys, Unavailable
from fsctl.controller.handover import GREETING, give_back, meet
from fsctl.controller.memories import Memories
from fsctl.controller.onward import send_on
from fsctl.controller.presence import Presence
from fsctl.controller.recorder import Recorder
from fsctl.controller.records import record_of, refusal_of
from fsctl.controller.whom import Around
from fsctl.esl import commands
from fsctl.esl.codec import MAX_FRAME, Room
from fsctl.esl.errors import EventSocketError, SessionClosed
from fsctl.esl.listener import MAX_CONNECTIONS, Listener, Network, decline
from fsctl.esl.session import CALLER_LEFT, REPLY_TIME, CallSession
from fsctl.hunt.admission import REASONS, Admitted, Refusal, admit
from fsctl.hunt.endings import MOST_HOPS, RELEASE, Kind, ending_for, group_after
from fsctl.hunt.group import Group
from fsctl.hunt.ledger import Leg
from fsctl.hunt.machine import Hunt
from fsctl.hunt.memory import NOTHING
from fsctl.hunt.nesting import takers
from fsctl.logs import about_call, begin_call
from fsctl.store.call_keys import mask_number
from fsctl.store.call_records import CallOutcome, CallRecord
from fsctl.store.lookups import in_domain

if TYPE_CHECKING:
    from fsctl.controller.metrics import Meter

APART = 0.001
"""Seconds between the beginnings of two records of a call at least: by them they are told apart."""
REFUSAL_TIME = 2.0
"""Seconds for the switch to hang up a refused caller before we leave the call to it."""

RECORDS_TIME = 5.0
"""Seconds to bring the last records to the database; beyond that they wait on the disk."""

STRANGERS_EVERY = 10.0
"""Seconds between two log lines about connections that brought no call: a flood fills no disk."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one connection may cost: bytes of a frame, seconds for a reply; and how many there are.

    A connection that has not said within ``reply_time`` which call it brings is closed.
    """

    max_connections: int = MAX_CONNECTIONS
    max_frame: int = MAX_FRAME
    reply_time: float = REPLY_TIME


class Controller:
    """Serves calls on a listening socket.

    ``keys`` turns a dialled number into the ways in which it may be kept; ``domain_variable`` is
    the channel variable that names a call's tenant. Without a ``recorder`` nothing is written down,
    without a ``meter`` nothing is counted. Of callers' numbers the log hides the last ``hidden``
    digits.
    """

    def __init__(
        self,
        sock: plain.socket,
        allowed: Sequence[Network],
        directory: Directory,
        keys: Callable[[str], Keys],
        limits: Limits | None = None,
        recorder: Recorder | None = None,
        domain_variable: str = "domain_name",
        memories: Memories | None = None,
        meter: "Meter | None" = None,
        hidden: int = 0,
        presence: Presence | None = None,
        around: Around = Around(),  # noqa: B008 - it is immutable
        codes: DialledCodes | None = None,
    ) -> None:
        self.directory = directory
        self.memories = memories or Memories()
        self.calls: set[HuntedCall] = set()
        """Calls under way, hunting or talking."""
        self._arriving: set[Signal] = set()
        self._keys = keys
        self.recorder = recorder
        self.draining = False
        """Whether no more calls are taken."""
        self._meter = meter
        self._hidden = hidden
        self._told: WeakSet[HuntedCall] = WeakSet()
        """Those of whose hunt the end is counted and logged."""
        self._domain_variable = domain_variable
        self._presence = presence or Presence()
        self._around = replace(around, talks=self._presence.talks)
        self._codes = codes
        self._limits = limits or Limits()
        self._room = Room()
        self._strangers = 0
        self._said_strangers = -math.inf
        limits = self._limits
        self._listener = Listener(
            sock, allowed, self._serve, limits.max_connections, GREETING, limits.reply_time
        )

    @property
    def address(self) -> str:
        """Where FreeSWITCH should connect, as HOST:PORT."""
        return self._listener.place

    def start(self) -> None:
        """Begin to take calls."""
        self.directory.start()
        self.memories.start()
        self._presence.start()
        if self.recorder:
            self.recorder.start()
        self._listener.start()

    def drain(self) -> None:
        """Take no more calls and wait until no caller hunts; conversations go on by themselves."""
        self.draining = True
        self._listener.drain()
        for decided in list(self._arriving):
            decided.wait()
        for call in list(self.calls):
            call.hunt_over.wait()

    def stop(self) -> None:
        """Stop at once. Telephones stop ringing, and the dialplan of those who called goes on."""
        self._listener.stop(timeout=0)
        for call in list(self.calls):
            if not call.hunt_over.is_set():
                with about_call(call.arrival.uuid):
                    log.info("given back to the dialplan")
                    give_back(call.session, begun=True)
                call.session.stop()  # or it would ring the others again
                self._note(call)
        self.directory.stop()
        self.memories.stop()
        self._presence.stop()
        if self.recorder:
            self.recorder.stop(RECORDS_TIME)

    # One connection

    def _serve(self, sock: plain.socket, address: object, came: float, until: float) -> None:
        limits = self._limits
        session = CallSession(address, sock, limits.max_frame, limits.reply_time, self._room)
        call: HuntedCall | None = None
        decided = Signal()
        self._arriving.add(decided)
        try:
            if not self._knows_its_call(session, until - time.monotonic()):
                return
            self._listener.proven(sock)
            begin_call(session.uuid)
            call = self._admit(session, came)
            following = call
            while following:
                call = following
                self.calls.add(call)
                self._decide(decided)
                self._log_talk(call.run())
                following = self._hand_on(call)
                if following:
                    self.calls.discard(call)
        except SessionClosed as closed:
            log.debug("connection closed: %s", closed)
            if self._meter and call:
                self._meter.failed(closed)
        except EventSocketError as error:
            log.warning("connection given up: %s", error)
            if self._meter:
                self._meter.failed(error)
            self._give_back(session, call, "switch")
        except Unavailable as error:
            log.error("%s; the dialplan goes on", error)
            self._give_back(session, call, "database")
        except Exception:
            log.exception("a fault of ours; the dialplan goes on")
            self._give_back(session, call, "fault")
        finally:
            session.stop()
            if call:
                call.hunt_over.set()
                self.calls.discard(call)
                self._note(call)
            self._decide(decided)

    def _give_back(self, session: CallSession, call: HuntedCall | None, reason: str) -> None:
        if self._meter:
            self._meter.given_back(reason)
        give_back(session, begun=call is not None)

    def _decide(self, decided: Signal) -> None:
        """Note that it is known what becomes of a connection."""
        decided.set()
        self._arriving.discard(decided)

    def _knows_its_call(self, session: CallSession, patience: float) -> bool:
        """Hear from the switch which call it brings; False, with the call given back, if not."""
        try:
            meet(session, patience)
        except SessionClosed as closed:
            log.debug("%s connection closed: %s", session.client_address, closed)
            return False
        except EventSocketError as error:
            decline(session.sock)
            self._strangers += 1
            if self._meter:
                self._meter.stranger()
            now = time.monotonic()
            if now - self._said_strangers >= STRANGERS_EVERY:
                log.warning(
                    "%s said of no call: %s (%d such connections since the last line)",
                    session.client_address,
                    error,
                    self._strangers,
                )
                self._said_strangers, self._strangers = now, 0
            return False
        return True

    def _admit(self, session: CallSession, came: float) -> HuntedCall | None:
        """Find the call's group and return the call that hunts it, or refuse it. May raise."""
        arrival = Arrival.of(session, self._domain_variable)
        session.forget_channel()
        if log.isEnabledFor(logging.DEBUG):
            caller = mask_number(arrival.caller.number, self._hidden) or "somebody withheld"
            log.debug("%s calls %s", caller, arrival.number)
        dialled = self._codes.split(arrival.number) if self._codes else None
        try:
            group = self._find(arrival.number, arrival.domain)
        except Unavailable:
            if dialled is None:
                raise
            group = None  # whoever dials a code hears a refusal
        if self._meter:
            self._meter.admitted(time.monotonic() - came)
        if group is None and self._codes and dialled:
            done = self._codes.serve(session, arrival, dialled, self._find, self.calls)
            if self._meter:
                self._meter.code(dialled[0].value, done)
            return None
        return self._admit_to(session, arrival, group)

    def _find(self, number: str, domain: str) -> Group | None:
        return self.directory.find(in_domain(self._keys(number), domain))

    def _hand_on(self, call: HuntedCall) -> HuntedCall | None:
        """Return the call that hunts for the same caller in the group that comes next, if any."""
        if call.next_group is None:
            return None
        if not call.session.connected:
            call.went = ""  # the caller left in that moment, and no other group has a record
            return None
        self._note(call)
        return self._admit_to(call.session, call.arrival, call.next_group, call)

    def _admit_to(
        self,
        session: CallSession,
        arrival: Arrival,
        group: Group | None,
        earlier: HuntedCall | None = None,
    ) -> HuntedCall | None:
        """Return the call that hunts in a group, or in the one to which that sends it on.

        None when the caller is refused or has gone elsewhere.
        """
        hops = arrival.hops if earlier is None else earlier.hops + 1
        began = time.time() if earlier is None else max(time.time(), earlier.came + APART)
        while True:
            memory = self.memories.of(group) if group else NOTHING
            chance = random.getrandbits(64)
            external = bool(self._around.outside.dial)
            admitted = admit(
                group, arrival.user, memory, chance, time.time(), external, self.memories.of
            )
            if hops >= MOST_HOPS:
                admitted = Refusal.TOO_MANY_HOPS
            if isinstance(admitted, Admitted):
                found = replace(arrival, hops=hops)
                return HuntedCall(
                    session, found, admitted, self._note, self._around, earlier, began
                )
            outcome = CallOutcome[admitted.name]
            log.info("refused: %s", admitted.sentence, extra={"outcome": outcome.value})
            if self._meter:
                self._meter.refused(outcome)
            ending = RELEASE
            if group and admitted in REASONS:
                ending = ending_for(group, REASONS[admitted])
            cause = ending.cause or admitted.value
            onward = group_after(group, ending) if group else None
            gone = onward is not None or (
                ending.kind not in (Kind.RELEASE, Kind.GROUP)
                and group is not None
                and send_on(session, self._around.places, ending, group, cause, hops + 1)
            )
            if self.recorder:
                went = str(ending) if gone else ""
                self.recorder.put(refusal_of(arrival, group, admitted, began, went))
                began = max(time.time(), began + APART)
            if not gone:
                self._refuse(session, cause)
            if onward is None:
                return None
            group, hops = onward, hops + 1

    def _note(self, call: HuntedCall) -> None:
        """Write a call down, as far as it has come."""
        record = record_of(call, time.time())
        if call not in self._told:
            self._told.add(call)
            if self._meter:
                self._meter.hunted(record, call.lateness)
            if call.hunt.ended:
                self._log_end(call.hunt, record.outcome)
        if record.answered_by is not None:
            self._remember(call, record)
        if self.recorder:
            self.recorder.put(record)

    def _remember(self, call: HuntedCall, record: CallRecord) -> None:
        """Have the next call know who has this one's caller, or had."""
        for group, member in takers(call.group, str(record.answered_by)):
            self.memories.answered(group, member, record.began + record.wait_seconds)
            if record.talk_seconds is not None:
                self.memories.over(group, member, record.ended)

    def _refuse(self, session: CallSession, cause: str) -> None:
        """Hang the caller up, and wait until the switch has done it."""
        session.post(commands.hang_up(cause))
        until = time.monotonic() + REFUSAL_TIME
        while event := session.next_event(until):
            if event.name == CALLER_LEFT or time.monotonic() >= until:
                return

    def _log_end(self, hunt: Hunt, outcome: str) -> None:
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
                self._log_leg(leg)

    def _log_talk(self, hunt: Hunt) -> None:
        if hunt.winner and hunt.winner.ended is not None and hunt.over_at is not None:
            log.info("over after %.1f s of talk", hunt.winner.ended - hunt.over_at)

    def _log_leg(self, leg: Leg) -> None:
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
