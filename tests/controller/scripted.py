"""A switch that does what a test says: it takes every command and tells what it is told to tell."""

from __future__ import annotations

import re
from contextlib import suppress

import gevent
import orjson
from gevent import socket

from fsctl.esl.commands import CALL_TAG, LEG_TAG

CALLER = "11111111-1111-1111-1111-111111111111"


class ScriptedSwitch:
    """One call to ``number`` on its way to the controller at ``address`` (HOST:PORT)."""

    def __init__(self, address: str, number: str) -> None:
        host, _, port = address.rpartition(":")
        self.commands: list[str] = []
        self.replies: dict[str, str] = {}
        """What is said to api commands, by what they begin with; "+OK" to all others."""
        self._number = number
        self._sock = socket.create_connection((host, int(port)))
        self._came = gevent.event.Event()
        self.closed = gevent.event.Event()
        self._reading = gevent.spawn(self._read)

    def said(self, pattern: str, times: int = 1, timeout: float = 5.0) -> str:
        """Return the first command that fits, once so many do; AssertionError if too few come."""
        with gevent.Timeout(timeout, AssertionError(f"{pattern!r} is not among {self.commands}")):
            while len(found := self.fitting(pattern)) < times:
                self._came.wait()
                self._came.clear()
        return found[0]

    def fitting(self, pattern: str) -> list[str]:
        """Return the commands so far that fit."""
        return [command for command in self.commands if re.search(pattern, command)]

    def tell(self, name: str, uuid: str = CALLER, **headers: str) -> None:
        """Send one event."""
        body = orjson.dumps({"Event-Name": name, "Unique-ID": uuid, **headers})
        self._send(b"Content-Length: %d\nContent-Type: text/event-json\n\n" % len(body) + body)

    def tell_of_leg(self, name: str, number: int, **headers: str) -> None:
        """Send one event of the channel of a leg: the first that was ordered is number 1."""
        job = re.findall(f"{LEG_TAG}=(\\w+)", " ".join(self.commands))[number - 1]
        tags = {f"variable_{CALL_TAG}": CALLER, f"variable_{LEG_TAG}": job}
        self.tell(name, f"leg-{number}", **tags, **headers)

    def close(self) -> None:
        self._reading.kill()
        self._sock.close()

    def _read(self) -> None:
        held = b""
        with suppress(OSError):
            while data := self._sock.recv(65536):
                *whole, held = (held + data).split(b"\n\n")
                for command in whole:
                    self.commands.append(command.decode())
                    self._answer(self.commands[-1])
                self._came.set()
        self.closed.set()

    def _answer(self, command: str) -> None:
        kind = "Content-Type: command/reply\nReply-Text: +OK\n\n"
        if command == "connect":
            kind = f"Unique-ID: {CALLER}\nCaller-Destination-Number: {self._number}\n" + kind
        elif command.startswith("api "):
            asked = command.removeprefix("api ")
            said = next((v for k, v in self.replies.items() if asked.startswith(k)), "+OK")
            kind = f"Content-Type: api/response\nContent-Length: {len(said)}\n\n{said}"
        self._send(kind.encode())

    def _send(self, data: bytes) -> None:
        with suppress(OSError):
            self._sock.sendall(data)
