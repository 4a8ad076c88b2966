"""Somebody between the switch and its controller who refuses, swallows, repeats and reorders.

Owns the framing of both directions, in a way of its own: a fault of our codec must not hide here.
"""

from __future__ import annotations

import random
import re
from collections import deque
from contextlib import suppress

import gevent
from gevent import socket
from gevent.server import StreamServer

REFUSED = b"Content-Type: command/reply\nReply-Text: -ERR refused\n\n"
REFUSED_API = b"Content-Type: api/response\nContent-Length: 13\n\n-ERR refused\n"
_LENGTH = re.compile(rb"^Content-Length: (\d+)$", re.MULTILINE)


class Tamperer:
    """Lets everything pass. Commands and events are numbered from 0 within a call."""

    def command(self, _number: int, _text: bytes) -> str:
        """Return "pass", "refuse", "swallow" (carried out, but the reply is lost) or "freeze"."""
        return "pass"

    def event(self, _number: int, frame: bytes) -> list[bytes]:
        """Return what the controller gets in an event's place."""
        return [frame]


class At(Tamperer):
    """Does ``what`` to one command."""

    def __init__(self, number: int, what: str) -> None:
        self.number = number
        self.what = what
        self.text = b""

    def command(self, number: int, text: bytes) -> str:
        if number != self.number:
            return "pass"
        self.text = text
        return self.what


class Without(Tamperer):
    """Loses one event."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.lost = b""

    def event(self, number: int, frame: bytes) -> list[bytes]:
        if number != self.number:
            return [frame]
        self.lost = frame
        return []


class Disorder(Tamperer):
    """Loses, repeats and holds back events, by a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._held: list[bytes] = []

    def event(self, _number: int, frame: bytes) -> list[bytes]:
        fate = self._random.random()
        if fate < 0.15:
            return []
        if fate < 0.3:
            self._held.append(frame)
            return []
        given = [frame] * (2 if fate < 0.45 else 1) + self._held
        self._held = []
        self._random.shuffle(given)
        return given


class Between:
    """One tamperer's place: a switch connects to ``address`` and reaches the controller."""

    def __init__(self, controller: str, tamperer: Tamperer) -> None:
        self.tamperer = tamperer
        self.commands: list[bytes] = []
        host, _, port = controller.rpartition(":")
        self._controller = host, int(port)
        self._server = StreamServer(("127.0.0.1", 0), self._join)
        self._server.start()
        self.address = f"127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.stop(timeout=0)

    def _join(self, switch: socket.socket, _address: object) -> None:
        controller = socket.create_connection(self._controller)
        line = _Line(switch, controller, self.tamperer, self.commands)
        pumps = [gevent.spawn(line.down), gevent.spawn(line.up)]
        gevent.joinall(pumps, count=1)
        for sock in (switch, controller):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_WR)
        gevent.joinall(pumps, timeout=10)
        controller.close()


class _Line:
    def __init__(
        self,
        switch: socket.socket,
        controller: socket.socket,
        tamperer: Tamperer,
        commands: list[bytes],
    ) -> None:
        self._switch = switch
        self._controller = controller
        self._tamperer = tamperer
        self._commands = commands
        self._owed: deque[bytes | None] = deque()
        """What becomes of the next replies: None passes one, b"" loses one, else it is made up."""
        self._events = 0
        self._frozen = False

    def down(self) -> None:
        """Carry commands to the switch."""
        buffer = b""
        with suppress(OSError):
            while data := self._controller.recv(65536):
                buffer += data
                while b"\n\n" in buffer:
                    text, _, buffer = buffer.partition(b"\n\n")
                    self._order(text)

    def _order(self, text: bytes) -> None:
        what = self._tamperer.command(len(self._commands), text)
        self._commands.append(text)
        self._frozen |= what == "freeze"
        if self._frozen:
            return
        if what == "refuse":
            self._owed.append(REFUSED_API if text.startswith(b"api ") else REFUSED)
            self._make_up()
            return
        self._owed.append(b"" if what == "swallow" else None)
        self._switch.sendall(text + b"\n\n")

    def _make_up(self) -> None:
        while self._owed and self._owed[0]:
            self._controller.sendall(self._owed.popleft() or b"")

    def up(self) -> None:
        """Carry replies and events to the controller."""
        buffer = b""
        with suppress(OSError):
            while data := self._switch.recv(65536):
                buffer += data
                while (size := _size(buffer)) is not None:
                    self._pass_on(buffer[:size])
                    buffer = buffer[size:]

    def _pass_on(self, frame: bytes) -> None:
        if self._frozen:
            return
        head = frame[: frame.index(b"\n\n")]
        if b"Content-Type: text/event-json" in head:
            for given in self._tamperer.event(self._events, frame):
                self._controller.sendall(given)
            self._events += 1
        elif b"Content-Type: text/disconnect-notice" in head or self._owed.popleft() is None:
            self._controller.sendall(frame)
        self._make_up()


def _size(buffer: bytes) -> int | None:
    """Return the size of the frame that a buffer begins with, None while some is missing."""
    end = buffer.find(b"\n\n")
    if end < 0:
        return None
    length = _LENGTH.search(buffer, 0, end)
    whole = end + 2 + (int(length[1]) if length else 0)
    return whole if len(buffer) >= whole else None
