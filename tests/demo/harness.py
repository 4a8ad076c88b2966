"""A controller of a few lines over a raw socket, to talk to the Python switch with."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import gevent
import gevent.event
import gevent.queue
import orjson
from gevent import socket
from gevent.server import StreamServer

from fsctl.demo import Script, Switch


@dataclass
class Frame:
    """One message from the switch: its raw header lines, and its body (parsed if it is JSON)."""

    at: float
    head: bytes
    body: bytes = b""
    event: dict[str, object] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return str(self.event.get("Event-Name", ""))


class Socket:
    """The controller's side of one outbound connection."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.frames: list[Frame] = []
        self.changed = gevent.event.Event()
        self.closed = False
        self.reader = gevent.spawn(self._read)

    def _read(self) -> None:
        stream = self.sock.makefile("rb")
        head = b""
        try:
            for line in stream:
                if line != b"\n":
                    head += line
                    continue
                if not head:
                    continue
                frame = Frame(time.monotonic(), head)
                length = re.search(rb"^Content-Length: (\d+)$", head, re.M)
                if length and b"Event-Name" not in head:
                    frame.body = stream.read(int(length.group(1)))
                if b"text/event-json" in head:
                    frame.event = orjson.loads(frame.body)
                self.frames.append(frame)
                self.changed.set()
                head = b""
        except OSError:
            pass
        self.closed = True
        self.changed.set()

    def send(self, command: str) -> None:
        self.sock.sendall(command.encode("utf-8", "surrogateescape") + b"\n\n")

    def ask(self, command: str, timeout: float = 5) -> Frame:
        """Send a command and wait for its reply."""
        seen = len(self.replies())
        self.send(command)
        self.until(lambda: len(self.replies()) > seen, timeout, command)
        return self.replies()[seen]

    def replies(self) -> list[Frame]:
        kinds = (b"command/reply", b"api/response")
        return [f for f in self.frames if any(kind in f.head for kind in kinds)]

    def events(self, name: str = "", **headers: str) -> list[Frame]:
        wanted = {key.replace("_", "-"): value for key, value in headers.items()}
        return [
            f
            for f in self.frames
            if f.event
            and (not name or f.name == name)
            and all(f.event.get(key) == value for key, value in wanted.items())
        ]

    def event(self, name: str, timeout: float = 5, **headers: str) -> dict[str, object]:
        """Wait for an event and return its headers."""
        self.until(lambda: bool(self.events(name, **headers)), timeout, f"{name} {headers}")
        return self.events(name, **headers)[0].event

    def notices(self) -> list[Frame]:
        return [f for f in self.frames if b"text/disconnect-notice" in f.head]

    def until(self, condition: Callable[[], bool], timeout: float, what: str) -> None:
        deadline = time.monotonic() + timeout
        while not condition():
            self.changed.clear()
            left = deadline - time.monotonic()
            if left <= 0 or not self.changed.wait(left):
                seen = [f.name or f.head.decode(errors="replace")[:80] for f in self.frames]
                raise AssertionError(f"no {what}; got {seen}")

    def close(self) -> None:
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


@dataclass
class Sight:
    at: float
    who: str
    what: str
    detail: Mapping[str, object]


class Bench:
    """A switch with a controller, and everything that the telephones saw."""

    def __init__(self) -> None:
        self.sockets: gevent.queue.Queue[Socket] = gevent.queue.Queue()
        self.server = StreamServer(("127.0.0.1", 0), self._accept)
        self.server.start()
        self.address = f"127.0.0.1:{self.server.server_port}"
        self.switch = Switch(self.address)
        self.sights: list[Sight] = []
        self.changed = gevent.event.Event()
        self.switch.observers.append(self._saw)

    def _accept(self, sock: socket.socket, _address: object) -> None:
        connection = Socket(sock)
        self.sockets.put(connection)
        connection.reader.join()

    def _saw(self, who: str, what: str, detail: Mapping[str, object]) -> None:
        self.sights.append(Sight(time.monotonic(), who, what, detail))
        self.changed.set()

    def seen(self, who: str, what: str) -> list[Sight]:
        return [s for s in self.sights if (s.who, s.what) == (who, what)]

    def wait(self, who: str, what: str, timeout: float = 5) -> Sight:
        deadline = time.monotonic() + timeout
        while not self.seen(who, what):
            self.changed.clear()
            left = deadline - time.monotonic()
            if left <= 0 or not self.changed.wait(left):
                raise AssertionError(f"{who}: no {what!r} in {self.sights}")
        return self.seen(who, what)[0]

    def connect(self) -> Socket:
        """Return the next connection of a caller, with ``connect`` said."""
        connection = self.sockets.get(timeout=5)
        connection.ask("connect")
        return connection

    def call(self, **scripts: Script) -> tuple[str, Socket]:
        """Register users, place a call, and return the caller's uuid and its socket."""
        for user, script in scripts.items():
            self.switch.register(user, script)
        placed = self.switch.dial("600")
        connection = self.connect()
        return placed.uuid, connection

    def close(self) -> None:
        self.switch.close()
        self.server.stop(timeout=0.1)


def everything(connection: Socket, caller: str) -> None:
    """Subscribe as the captured controller did."""
    connection.ask(
        "event json CHANNEL_CREATE CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_ANSWER "
        "CHANNEL_BRIDGE CHANNEL_UNBRIDGE CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE CHANNEL_PARK "
        "CHANNEL_EXECUTE_COMPLETE DTMF BACKGROUND_JOB"
    )
    for header in ("Unique-ID", "variable_hunt_call", "Job-Owner-UUID"):
        connection.ask(f"filter {header} {caller}")


def originate(caller: str, user: str, leg: str = "", extra: str = "ignore_early_media=true") -> str:
    """Return the claim chain that the field notes recommend."""
    uuid = f"origination_uuid={leg}," if leg else ""
    return (
        f"originate {{{uuid}hunt_call={caller},{extra},hangup_after_bridge=true,"
        f"intercept_unbridged_only=true}}user/{user} 'limit:hash hunt {caller} 1 !LOSE_RACE,"
        f"unset:hunt_call,set:x=${{hupall(LOSE_RACE hunt_call {caller})}},"
        f"intercept:{caller}' inline"
    )
