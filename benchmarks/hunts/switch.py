"""A switch's half of hunted calls, as cheap as can be: what is measured is the controller.

Owns sockets and moments. It answers every command as FreeSWITCH would a hunt's, whoever sends it,
and plays the telephones: all ring at once, and when ``Play.legs`` have been called the second
answers. The claim is the switch's own, as in every hunt here, so the others end by themselves.
"""

from __future__ import annotations

import re
import resource
import selectors
import socket
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.hunts.frames import CALLER, CAUSE, JOB, LEG, Frames

RECEIVE = 65_536
_BLOCK = re.compile(rb"\{([^}]*)\}")
_JOB_LINE = re.compile(rb"^Job-UUID: *(\S+)", re.MULTILINE)
_UNSET = re.compile(rb"unset:([\w ]+)")
_OK = b"Content-Type: command/reply\nReply-Text: +OK\n\n"
_API = b"Content-Type: api/response\nContent-Length: 4\n\n+OK\n"
_GONE = (
    b"Content-Type: text/disconnect-notice\nControlled-Session-UUID: %s\n"
    b"Content-Disposition: %s\nContent-Length: 0\n\n"
)
FRAMES = Frames()
_CALLER, _LEG, _JOB, _CAUSE = (gap.encode() for gap in (CALLER, LEG, JOB, CAUSE))


@dataclass(slots=True)
class Play:
    """What is dialled; the second telephone answers as soon as ``legs`` ring, 0 for never."""

    number: str = "600"
    legs: int = 3


@dataclass(slots=True)
class _Leg:
    job: bytes
    uuid: bytes
    variables: dict[str, str]
    unset: list[str]
    """The variables that it loses when it has the caller."""


@dataclass(slots=True)
class Call:
    """One call. Times are monotonic seconds; ``originates`` are when each leg was ordered."""

    sock: socket.socket
    over: Callable[[Call], None]
    play: Play
    uuid: bytes = field(default_factory=lambda: str(uuid.uuid4()).encode())
    began: float = field(default_factory=time.monotonic)
    originates: list[float] = field(default_factory=list)
    ended: float = 0.0
    lost: bool = False
    """Whether the controller let go of it before anybody answered."""
    _legs: list[_Leg] = field(default_factory=list)
    _buffer: bytes = b""
    _plain: bool = True
    _lingers: bool = False
    _done: bool = False
    _left: bool = False

    def take(self, data: bytes) -> None:
        """Answer commands."""
        *commands, self._buffer = (self._buffer + data).split(b"\n\n")
        said = b"".join(map(self._answer, commands))
        if said:
            self.sock.sendall(said)

    def _answer(self, command: bytes) -> bytes:
        if command.startswith(b"bgapi originate"):
            return self._originate(command)
        if command.startswith((b"api ", b"\napi ")):
            return _API
        if command.startswith(b"connect"):
            return FRAMES.connect_reply(self.play.number).replace(_CALLER, self.uuid)
        if command.startswith((b"event ", b"myevents")):
            self._plain = b"json" not in command[:14]
        elif command.startswith(b"linger"):
            self._lingers = True
        elif command.startswith(b"exit"):
            self._left = True
        return _OK

    def _originate(self, command: bytes) -> bytes:
        self.originates.append(time.monotonic())
        job = _JOB_LINE.search(command)
        block = _BLOCK.search(command)
        variables = {}
        for pair in block[1].decode().split(",") if block else ():
            name, _, value = pair.partition("=")
            variables["variable_" + name] = value
        leg = _Leg(
            job[1] if job else str(uuid.uuid4()).encode(),
            str(uuid.uuid4()).encode(),
            variables,
            [
                "variable_" + name
                for names in _UNSET.findall(command)
                for name in names.decode().split()
            ],
        )
        self._legs.append(leg)
        reply = b"Content-Type: command/reply\nReply-Text: +OK Job-UUID: %s\nJob-UUID: %s\n\n"
        said = reply % (leg.job, leg.job)
        said += self._of(leg, "CHANNEL_CREATE") + self._of(leg, "CHANNEL_PROGRESS")
        if len(self._legs) == self.play.legs:
            said += self._finish()
        return said

    def _finish(self) -> bytes:
        first, winner, *others = self._legs
        said = self._of(winner, "CHANNEL_ANSWER")
        said += self._job(winner, f"+OK {winner.uuid.decode()}\n")
        for tag in winner.unset:
            winner.variables.pop(tag, None)
        for leg in (first, *others):
            said += self._of(leg, "CHANNEL_HANGUP_COMPLETE", b"LOSE_RACE")
            said += self._job(leg, "-ERR LOSE_RACE\n")
        said += self._of_caller("CHANNEL_ANSWER", winner)
        said += self._of_caller("CHANNEL_BRIDGE", winner)
        said += self._of(winner, "CHANNEL_HANGUP_COMPLETE")
        said += self._of_caller("CHANNEL_HANGUP_COMPLETE", winner)
        self._done = True
        return said + _GONE % (self.uuid, b"linger" if self._lingers else b"disconnect")

    def _of(self, leg: _Leg, name: str, cause: bytes = b"NORMAL_CLEARING") -> bytes:
        return FRAMES.leg[name].filled(self._plain, self._gaps(leg, cause), leg.variables)

    def _of_caller(self, name: str, leg: _Leg) -> bytes:
        return FRAMES.caller[name].filled(self._plain, self._gaps(leg), {})

    def _job(self, leg: _Leg, body: str) -> bytes:
        return FRAMES.job.filled(self._plain, self._gaps(leg), {}, body)

    def _gaps(self, leg: _Leg, cause: bytes = b"NORMAL_CLEARING") -> dict[bytes, bytes]:
        """Return what is put into the gaps. A caller has the same uuid as the call."""
        return {_CALLER: self.uuid, _LEG: leg.uuid, _JOB: leg.job, _CAUSE: cause}

    @property
    def may_close(self) -> bool:
        """Whether a switch would close: nobody is on the line, and nobody lingers."""
        return self._left or (self._done and not self._lingers)

    def close(self) -> None:
        """Let go; tells who asked to be told."""
        self.ended = time.monotonic()
        self.lost = not self._done
        self.sock.close()
        self.over(self)


class Switch:
    """All calls of one process, in one thread."""

    def __init__(self, address: tuple[str, int]) -> None:
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self._address = address
        self._selector = selectors.DefaultSelector()
        self.open = 0
        self.refused = 0
        self.heard = 0
        """How often a controller has said something."""

    def call(self, over: Callable[[Call], None], play: Play) -> Call | None:
        """Hand a call over. A controller that does not take it is counted, and None returned."""
        sock = socket.socket()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            sock.connect(self._address)
        except OSError:
            self.refused += 1
            sock.close()
            return None
        self.open += 1
        call = Call(sock, over, play)
        self._selector.register(sock, selectors.EVENT_READ, call)
        return call

    def turn(self, timeout: float) -> None:
        """Wait for commands so many seconds at most, and answer what came."""
        for key, _ in self._selector.select(timeout):
            call: Call = key.data
            try:
                data = call.sock.recv(RECEIVE)
                if data:
                    self.heard += 1
                    call.take(data)
            except OSError:
                data = b""
            if not data or call.may_close:
                self.let_go(call)

    def let_go(self, call: Call) -> None:
        """Close a call's connection."""
        self._selector.unregister(call.sock)
        self.open -= 1
        call.close()
