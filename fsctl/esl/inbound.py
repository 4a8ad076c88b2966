"""Our own connection to a switch: commands typed there as an operator would, and their answers.

The other way round from a call's session: here we connect, to the port of ``mod_event_socket``, and
log in. One greenlet (or thread) owns a connection and alone reads and writes. Calls need none: it
is for asking what a switch has, and for test calls.
"""

import time
from collections import deque
from typing import NoReturn, Self

import gevent
from gevent import socket
from greenswitch.esl import InboundESL

from fsctl.esl.address import SwitchAddress
from fsctl.esl.codec import Decoder, Frame, Room, parse_event
from fsctl.esl.errors import EventSocketError, NoReply, ProtocolError, SessionClosed
from fsctl.esl.events import Event

CONNECT_TIME = 5.0
"""Seconds within which a switch must be connected to and have let us in."""
ANSWER_TIME = 10.0
"""Seconds that an api command may take."""
MAX_ANSWER = 16 * 1024 * 1024
"""Bytes that an answer may have: a large dialplan has some."""
MAX_EVENTS = 10_000
"""Events that may wait to be taken."""
_CHUNK = 65536


class NotConnected(EventSocketError):
    """The switch cannot be reached or does not let us in; the message is for whoever runs fsctl."""


class Refused(EventSocketError):
    """The switch answered a command with an error; the message is the switch's."""


class SwitchConnection(InboundESL):  # type: ignore[misc]  # greenswitch carries no types
    """greenswitch's inbound connection, hardened.

    What is mended here of greenswitch 0.0.19 stands at each override. Use it with ``with``.
    """

    def __init__(
        self,
        address: SwitchAddress,
        connect_time: float = CONNECT_TIME,
        answer_time: float = ANSWER_TIME,
        max_answer: int = MAX_ANSWER,
    ) -> None:
        """Say which switch is meant; nothing connects yet.

        Mends: the stock one makes queues and events for two greenlets that it then starts, and
        keeps the password where a traceback or ``vars()`` shows it.
        """
        self.address = address
        self.connected = False
        self._connect_time = connect_time
        self._answer_time = answer_time
        self._decoder = Decoder(max_answer, Room(max_answer))
        self._frames: deque[Frame] = deque()
        self._events: deque[Event] = deque()
        self.sock: socket.socket | None = None

    def __enter__(self) -> Self:
        """Connect. Mends: the stock one leaves its socket open when ``connect`` fails."""
        try:
            self.connect()
        except BaseException:
            self.stop()
            raise
        return self

    def connect(self) -> None:
        """Connect and log in, within ``connect_time`` in all. Raises NotConnected.

        Mends: the stock one knows IPv4 only, lets every error of the system but a time-out through
        as it is, and waits without end for a switch that accepts and says nothing.
        """
        silent = NotConnected(f"{self.address} does not answer")
        try:
            with gevent.Timeout(self._connect_time, silent):  # looking a name up takes time as well
                self.sock = socket.create_connection((self.address.host, self.address.port))
                self.connected = True
                self._greeted()
                self.authenticate()
        except OSError as error:
            raise NotConnected(f"{self.address}: {error.strerror or error}") from None
        except NotConnected:
            raise
        except EventSocketError as error:
            raise NotConnected(f"{self.address} is no FreeSWITCH: {error}") from None

    def _greeted(self) -> None:
        greeting = self._awaited(time.monotonic() + self._connect_time)
        if greeting.kind == "text/rude-rejection":
            raise NotConnected(
                f"{self.address} turns this machine away (apply-inbound-acl in event_socket.conf)"
            )
        if greeting.kind != "auth/request":
            raise ProtocolError(f"a greeting of {greeting.kind[:60]!r}")

    def authenticate(self) -> None:
        """Log in. Mends: the stock one raises a bare ValueError for whatever is said."""
        reply = self.send(f"auth {self.address.password}")
        if not reply.data.startswith("+OK"):
            raise NotConnected(f"{self.address} refuses the password")

    # Out and in

    def send(self, data: str, within: float | None = None) -> Frame:
        """Send a command and return its reply, which must be there in time whatever else comes.

        Mends: the stock one waits without end, ignores a short write, and never returns when the
        connection closes meanwhile. Raises SessionClosed, NoReply or ProtocolError; whichever it
        is, the connection is of no more use.
        """
        until = time.monotonic() + (self._answer_time if within is None else within)
        self._write(data)
        return self._reply(until)

    def api(self, command: str, within: float | None = None) -> str:
        """Run an api command and return what it printed, without surrounding space.

        Raises Refused when the switch says ``-ERR``, and what ``send`` raises.
        """
        reply = self.send(f"api {command}", within)
        answer = reply.data.strip()
        if reply.kind != "api/response" or answer.startswith("-ERR"):
            verb = command.partition(" ")[0]
            raise Refused(f"{verb}: {answer.removeprefix('-ERR').strip()[:200]}")
        return answer

    def next_event(self, until: float) -> Event | None:
        """Return the next event, or None at the time ``until`` (``time.monotonic()``, seconds)."""
        while not self._events:
            frame = self._next_frame(until)
            if frame is None:
                return None
            self.handle_event(frame)
        return self._events.popleft()

    def _reply(self, until: float) -> Frame:
        while True:
            frame = self._awaited(until)
            if frame.kind in ("command/reply", "api/response"):
                return frame
            self.handle_event(frame)

    def handle_event(self, event: Frame) -> None:
        """Take in a frame that is no reply.

        Mends: the stock one dies of a missing Content-Type and of any event in JSON, and reads a
        body of any length.
        """
        if event.kind.startswith("text/event-"):
            if len(self._events) >= MAX_EVENTS:
                self._lost(ProtocolError(f"more than {MAX_EVENTS} events that nobody took"))
            try:
                self._events.append(parse_event(event))
            except ProtocolError:
                return  # one event that cannot be read; whoever waits for it has a time
        elif event.kind == "text/disconnect-notice":
            self._lost(SessionClosed("the switch ended the connection"))
        else:
            self._lost(ProtocolError(f"a frame of {event.kind[:60]!r}"))

    def _awaited(self, until: float) -> Frame:
        frame = self._next_frame(until)
        if frame is None:
            self._lost(NoReply("the switch does not answer in time"))
        return frame

    def _next_frame(self, until: float) -> Frame | None:
        """Return the next frame, None when none is whole at that time, whatever bytes come."""
        late = False
        while not self._frames:
            if late:
                return None
            self._read(until)
            late = time.monotonic() >= until
        return self._frames.popleft()

    def receive_events(self) -> NoReturn:
        """Refuse: there is no reading greenlet.

        Mends: the stock reader takes lines of any length, decodes a block before it splits it, and
        swallows every error.
        """
        raise NotImplementedError("a connection is read by whoever owns it")

    def _read(self, until: float) -> None:
        sock = self._socket()
        sock.settimeout(max(until - time.monotonic(), 0.000_1))
        try:
            data = sock.recv(_CHUNK)
        except TimeoutError:
            return
        except OSError as error:
            self._lost(SessionClosed(error.strerror or str(error)))
        if not data:
            self._lost(SessionClosed("the switch closed the connection"))
        try:
            self._frames.extend(self._decoder.feed(data))
        except ProtocolError as error:
            self._lost(error)

    def _write(self, command: str) -> None:
        sock = self._socket()
        sock.settimeout(self._answer_time)
        try:
            sock.sendall(f"{command}\n\n".encode())
        except TimeoutError:
            self._lost(NoReply("the switch takes no bytes"))
        except OSError as error:
            self._lost(SessionClosed(error.strerror or str(error)))

    def _socket(self) -> socket.socket:
        if not self.connected or self.sock is None:
            raise SessionClosed("there is no connection to the switch")
        return self.sock

    def _lost(self, error: Exception) -> NoReturn:
        self.connected = False
        raise error

    def stop(self) -> None:
        """Close the connection. Mends: the stock one says ``exit`` and waits for the reply."""
        self.connected = False
        self._decoder.close()
        if self.sock is not None:
            self.sock.close()
