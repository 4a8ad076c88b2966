"""The controller: accepts calls, finds their groups, and keeps each call's trouble its own."""

import logging
import math
import socket as plain
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gevent.event import Event as Signal

from fsctl.controller.arrival import Arrival
from fsctl.controller.call import HuntedCall
from fsctl.controller.caller import Caller
from fsctl.controller.codes import DialledCodes
from fsctl.controller.directory import Directory, Keys, Unavailable
from fsctl.controller.handover import GREETING, give_back, lacking, meet, send_back
from fsctl.controller.line import InLine, Lines
from fsctl.controller.memories import Memories
from fsctl.controller.presence import Presence
from fsctl.controller.reception import Books, Part, Reception
from fsctl.controller.recorder import Recorder
from fsctl.controller.whom import Around
from fsctl.esl.codec import MAX_FRAME, Room
from fsctl.esl.errors import EventSocketError, SessionClosed
from fsctl.esl.listener import MAX_CONNECTIONS, Listener, Network, decline
from fsctl.esl.session import REPLY_TIME, CallSession
from fsctl.hunt.machine import Hunt
from fsctl.logs import about_call, begin_call
from fsctl.store.call_keys import mask_number
from fsctl.store.lookups import in_domain

if TYPE_CHECKING:
    from fsctl.controller.metrics import Meter

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
        self.memories = memories or Memories()
        self.lines = Lines()
        """The lines of all groups, and who stands in them."""
        self._parts: dict[Caller, Part] = {}
        """What goes on for each caller, or has just been over."""
        self._arriving: set[Signal] = set()
        self.recorder = recorder
        self.draining = False
        """Whether no more calls are taken."""
        self.capacities = around.capacities
        self._meter = meter
        self._hidden = hidden
        self._domain_variable = domain_variable
        self._carrying = around.carrying
        self._presence = presence or Presence()
        self._presence.on_free = self.lines.freed
        self._reception = Reception(
            directory,
            lambda number, domain: in_domain(keys(number), domain),
            self.memories,
            replace(around, talks=self._presence.talks),
            self.lines,
            Books(recorder, meter),
        )
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
    def calls(self) -> list[HuntedCall]:
        """Calls that hunt or talk, in the order in which their callers came."""
        return [part for part in self._parts.values() if isinstance(part, HuntedCall)]

    @property
    def in_line(self) -> list[InLine]:
        """Callers who stand in line, in the same order."""
        return [part for part in self._parts.values() if isinstance(part, InLine)]

    @property
    def waiting(self) -> int:
        """How many callers wait, be it in line."""
        return sum(not caller.over.is_set() for caller in self._parts)

    @property
    def directory(self) -> Directory:
        """Where groups are found."""
        return self._reception.directory

    @directory.setter
    def directory(self, directory: Directory) -> None:
        self._reception.directory = directory

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
        """Take no more calls and wait until no caller waits, be it in line; conversations go on by
        themselves."""
        self.draining = True
        self._listener.drain()
        for decided in list(self._arriving):
            decided.wait()
        for caller in list(self._parts):
            caller.over.wait()

    def stop(self) -> None:
        """Stop at once. Telephones stop ringing, and the dialplan of those who called goes on."""
        self._listener.stop(timeout=0)
        for caller, part in list(self._parts.items()):
            if not caller.over.is_set():
                with about_call(caller.uuid):
                    log.info("given back to the dialplan")
                    caller.given_back = True
                    give_back(caller.session, begun=True)
                caller.session.stop()  # or it would ring the others again
                self._reception.close(part, handed_back=True)
        self.directory.stop()
        self.memories.stop()
        self._presence.stop()
        if self.recorder:
            self.recorder.stop(RECORDS_TIME)

    # One connection

    def _serve(self, sock: plain.socket, address: object, came: float, until: float) -> None:
        limits = self._limits
        session = CallSession(address, sock, limits.max_frame, limits.reply_time, self._room)
        part: Part | None = None
        decided = Signal()
        self._arriving.add(decided)
        try:
            if not self._knows_its_call(session, until - time.monotonic()):
                return
            self._listener.proven(sock)
            begin_call(session.uuid)
            if flags := lacking(session):
                self._send_back(session, flags)
                return
            caller = self._arrived(session)
            following = self._receive(caller, came)
            while following:
                part = self._parts[caller] = following
                self._decide(decided)
                over = part.run()
                if isinstance(over, Hunt):
                    self._log_talk(over)
                following = self._reception.after(part)
        except SessionClosed as closed:
            _note_loss(part, session)
            log.debug("connection closed: %s", closed)
            if self._meter and part:
                self._meter.failed(closed)
        except EventSocketError as error:
            _note_loss(part, session)
            log.warning("connection given up: %s", error)
            if self._meter:
                self._meter.failed(error)
            self._give_back(session, part, "switch")
        except Unavailable as error:
            log.error("%s; the dialplan goes on", error)
            self._give_back(session, part, "database")
        except Exception:
            log.exception("a fault of ours; the dialplan goes on")
            self._give_back(session, part, "fault")
        finally:
            self._decide(decided)
            if part:
                self._close(part)
            session.stop()

    def _close(self, part: Part) -> None:
        """Close a caller's last part; a caller whom a member had keeps the connection."""
        caller = part.stay.caller
        caller.over.set()
        self._parts.pop(caller, None)
        self._reception.close(part)
        if isinstance(part, HuntedCall) and part.outlasts:
            caller.let_go()

    def _send_back(self, session: CallSession, flags: str) -> None:
        log.error(
            "the dialplan calls socket without %s, so the call goes back to it: write "
            '<action application="socket" data="%s async full"/>',
            flags,
            self.address,
        )
        if self._meter:
            self._meter.given_back("socket")
        send_back(session)

    def _give_back(self, session: CallSession, part: Part | None, reason: str) -> None:
        if self._meter:
            self._meter.given_back(reason)
        give_back(session, begun=part is not None)

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

    def _receive(self, caller: Caller, came: float) -> Part | None:
        """Return what comes first for a caller; None when that was all. May raise."""
        arrival = caller.arrival
        dialled = self._codes.split(arrival.number) if self._codes else None
        try:
            group = self._reception.find(arrival.number, arrival.domain)
        except Unavailable:
            if dialled is None:
                raise
            group = None  # whoever dials a code hears a refusal
        if self._meter:
            self._meter.admitted(time.monotonic() - came)
        if group is None and self._codes and dialled:
            find = self._reception.find
            done = self._codes.serve(caller.session, arrival, dialled, find, self.calls)
            if self._meter:
                self._meter.code(dialled[0].value, done)
            return None
        return self._reception.receive(caller, group)

    def _arrived(self, session: CallSession) -> Caller:
        """Return the caller who is handed over. May raise."""
        arrival = Arrival.of(session, self._domain_variable, self._carrying)
        session.forget_channel()
        if log.isEnabledFor(logging.DEBUG):
            caller = mask_number(arrival.caller.number, self._hidden) or "somebody withheld"
            log.debug("%s calls %s", caller, arrival.number)
        return Caller(session, arrival)

    def _log_talk(self, hunt: Hunt) -> None:
        if hunt.winner and hunt.winner.ended is not None and hunt.over_at is not None:
            log.info("over after %.1f s of talk", hunt.winner.ended - hunt.over_at)


def _note_loss(part: Part | None, session: CallSession) -> None:
    """Note that the switch of a caller is gone, unless the connection still stands, or we stop."""
    if part and not session.connected:
        part.stay.caller.lost = not part.stay.caller.given_back
