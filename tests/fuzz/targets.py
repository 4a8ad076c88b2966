"""What is fuzzed: the codec alone, and a whole call over a socket pair.

A finding is anything but an orderly end: an exception that is not the event socket's own, a fault
that the controller logged as its own, more memory than a decoder may hold, a call that does not
end.
"""

from __future__ import annotations

import itertools
import logging
import random
import time
from collections.abc import Callable, Sequence
from unittest.mock import patch

import gevent
from gevent import socket

from fsctl.controller import legs
from fsctl.controller.directory import Directory, Source
from fsctl.controller.handover import GREETING
from fsctl.controller.server import Controller, Limits
from fsctl.esl.codec import SMALL, Decoder, Frame, parse_event
from fsctl.esl.errors import ProtocolError
from fsctl.esl.listener import bind
from fsctl.esl.session import CallSession
from fsctl.hunt.group import Group, Member
from tests.fuzz.conversations import job_uuid
from tests.hostile.house import LOOPBACK

MAX_FRAME = 200_000
CALL_ENDS = 5.0
"""Seconds within which every call here is over, its group's wait of 0.2 s included."""
_OK = b"Content-Type: command/reply\nReply-Text: +OK\n\n"
_API_OK = b"Content-Type: api/response\nContent-Length: 3\n\n+OK"


Handle = Callable[[CallSession, Frame], None]


class Finding(AssertionError):
    """Something that must not happen has happened."""


def decode(rng: random.Random, stream: bytes) -> int:
    """Decode a stream in pieces of any size, and every event in it; returns how many frames."""
    decoder = Decoder(MAX_FRAME)
    decoder.expect_notice("4aac82dd-d39b-4959-a0c6-3f3ce36ef29d", b"a", 5)
    count = at = 0
    step = rng.choices((7, 100, 4096, 65536), (1, 4, 60, 35))[0]
    try:
        while at < len(stream):
            for frame in decoder.feed(stream[at : at + step]):
                count += 1
                if frame.kind.startswith("text/event"):
                    _understand(frame, wholly=rng.random() < 0.1)
            at += step
            if len(decoder._buffer) > MAX_FRAME + step:
                raise Finding(f"{len(decoder._buffer)} bytes are held")
    except ProtocolError:
        pass
    held = max(0, len(decoder._buffer) - SMALL)
    decoder.close()
    if decoder._room.held or decoder._buffer:
        raise Finding(f"{decoder._room.held} bytes stay held of {held}")
    return count


def _understand(frame: Frame, wholly: bool) -> None:
    """Read an event's name, and if ``wholly`` each of its headers."""
    try:
        event = parse_event(frame)
    except ProtocolError:
        return
    names = event.headers if wholly else ("Event-Name", "Unique-ID", "variable_fsctl_leg")
    texts = [event.name, event.body, *(event.get(name) for name in names)]
    if not all(isinstance(text, str) for text in texts):
        raise Finding("an event that is not made of text")


class Calls:
    """A controller that hears conversations over socket pairs instead of the network."""

    def __init__(self) -> None:
        members = tuple(Member(f"test{number:03}", 0.0) for number in range(5))
        group = Group("fuzz", members=members, wait=0.2)
        directory = Directory(Source(lambda _: group, lambda: 1))
        limits = Limits(max_frame=MAX_FRAME, reply_time=1.0)
        sock = bind("127.0.0.1", 0)
        self.controller = Controller(sock, LOOPBACK, directory, lambda number: (number,), limits)
        self.frames = 0
        self.faults: list[logging.LogRecord] = []
        self._handler = _Faults(self.faults)
        logging.getLogger("fsctl").addHandler(self._handler)
        self._patches = [
            patch.object(CallSession, "handle_event", self._counting(CallSession.handle_event)),
            patch.object(legs, "new_job", _Jobs.next),
            patch("fsctl.controller.handover.LINGER", 0),
            patch("fsctl.controller.parting.RELEASE_TIME", 0.1),
            patch("fsctl.controller.aftermath.STRAGGLER_TIME", 0.05),
        ]
        for one in self._patches:
            one.start()

    def close(self) -> None:
        for one in self._patches:
            one.stop()
        logging.getLogger("fsctl").removeHandler(self._handler)
        self.controller.stop()

    def _counting(self, handle: Handle) -> Handle:
        def counted(session: CallSession, frame: Frame) -> None:
            self.frames += 1
            handle(session, frame)

        return counted

    def run(self, rng: random.Random, connected: bytes, frames: Sequence[bytes]) -> None:
        """Have one call: answer its commands, say these frames in between, and vanish."""
        _Jobs.numbers = itertools.count(1)
        ours, theirs = socket.socketpair()
        began = time.monotonic()
        switch = gevent.spawn(_be_the_switch, rng, theirs, connected, frames)
        ours.sendall(GREETING)
        call = gevent.spawn(self.controller._serve, ours, ("fuzz", 0), began, began + 1.0)
        call.join(timeout=CALL_ENDS)
        if not call.dead:
            raise Finding(f"the call goes on after {time.monotonic() - began:.1f} s")
        switch.kill()
        theirs.close()
        if call.exception is not None:
            raise Finding("the call's greenlet has failed") from call.exception
        if self.faults:
            record = self.faults[0]
            self.faults.clear()
            raise Finding(record.getMessage()) from (record.exc_info or (None, None))[1]
        room = self.controller._room.held
        if self.controller.calls or room:
            raise Finding(f"{len(self.controller.calls)} calls and {room} bytes are left")


def _be_the_switch(
    rng: random.Random, sock: socket.socket, connected: bytes, frames: Sequence[bytes]
) -> None:
    try:
        sock.recv(4096)
        sock.sendall(connected)
        orders = sock.recv(65536).replace(b"\nJob-UUID", b"").split(b"\n\n")[:-1]
        replies = [_API_OK if order.startswith(b"api ") else _OK for order in orders]
        told = [*replies, *frames] if rng.random() < 0.9 else _mixed(rng, replies, frames)
        step = rng.choice((1, 5, 50))
        for start in range(0, len(told), step):
            sock.sendall(b"".join(told[start : start + step]))
            gevent.sleep(0)
        if rng.random() < 0.02:
            gevent.sleep(0.4)  # let the hunt come to its own end
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65536):
            pass
    except OSError:
        pass


def _mixed(rng: random.Random, one: Sequence[bytes], other: Sequence[bytes]) -> list[bytes]:
    """Shuffle two sequences together, each in its own order."""
    lanes = [0] * len(one) + [1] * len(other)
    rng.shuffle(lanes)
    sources = iter(one), iter(other)
    return [next(sources[lane]) for lane in lanes]


class _Jobs:
    """Numbers jobs as in the conversations."""

    numbers = itertools.count(1)

    @classmethod
    def next(cls) -> str:
        return job_uuid(next(cls.numbers))


class _Faults(logging.Handler):
    """Keeps what the controller logged as a fault of its own."""

    def __init__(self, faults: list[logging.LogRecord]) -> None:
        super().__init__(logging.ERROR)
        self._faults = faults

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self._faults.append(record)
