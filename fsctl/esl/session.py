"""One call's conversation with FreeSWITCH: commands out, replies and events in.

A session belongs to one greenlet, which alone reads and writes; there is no reader beside it.
Replies come in the order of the commands (``mod_event_socket.c`` answers one after the other), so
whoever needs none simply goes on: commands are gathered by ``post`` and leave in one piece.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from socket import socket
from typing import NoReturn

from greenswitch.esl import OutboundSession

from fsctl.esl import commands
from fsctl.esl.codec import MAX_FRAME, Decoder, Frame, Room, parse_event, raw_value
from fsctl.esl.errors import NoReply, ProtocolError, SessionClosed, Unquotable
from fsctl.esl.events import Event, read_json
from fsctl.esl.quoting import token
from fsctl.esl.wire import CHUNK, Wire

REPLY_TIME = 10.0
"""Seconds within which FreeSWITCH answers a command or takes our bytes before it counts as gone."""
MAX_QUEUED = 4 * 1024 * 1024
"""Bytes of events that may come instead of a reply; a busy call has half of that in its life."""
MAX_EVENTS = 100_000
"""Events that one call may have in all: a busy one has some hundred. Whoever keeps books on them
needs no bound of their own."""
_EVENT = 512
"""Bytes that the smallest event takes up while it waits."""
_TURN = CHUNK
"""Bytes taken in before other calls have their turn: half a millisecond of work."""
_FRAME = 256
"""Bytes that a frame counts as beside its own: small ones are work too."""

CALLER_LEFT = "FSCTL_CALLER_LEFT"
"""Name of the event that stands for a disconnect notice: the caller's channel is gone."""

OnReply = Callable[[Frame], None]


def _ignore(reply: Frame) -> None:
    """Take a reply that tells nothing."""


class CallSession(OutboundSession):  # type: ignore[misc]  # greenswitch carries no types
    """greenswitch's outbound session, hardened; its own verbs (``connect``, ``linger`` ...) remain.

    What is mended here of greenswitch 0.0.19 stands at each override.
    """

    _receive_events_greenlet = _process_events_greenlet = None
    _lingering = False

    def __init__(
        self,
        client_address: object,
        sock: socket,
        max_frame: int = MAX_FRAME,
        reply_time: float = REPLY_TIME,
        room: Room | None = None,
    ) -> None:
        """Take over a connected socket. ``room`` is shared by all sessions.

        Mends: the stock session reads lines without any limit through a buffered file, starts two
        greenlets for each call, and makes the queues by which they would speak to each other.
        """
        self.client_address = client_address
        self.sock = sock
        self._wire = Wire(sock)
        self.connected = True
        self.session_data: Mapping[str, str] = {}
        self.channel_block = b""
        """The connect reply as it came."""
        self._outbound_connected = False
        self._decoder = Decoder(max_frame, room)
        self._events: deque[Event] = deque()
        self._queued = self._heard = 0
        self._replies: deque[tuple[OnReply, float]] = deque()
        self._outgoing: list[str] = []
        self._reply_time = reply_time
        self._channels: set[str] = set()
        self._woken = False

    # Out

    def post(self, command: str, on_reply: OnReply = _ignore, within: float | None = None) -> None:
        """Queue a command; it leaves with the next ``flush``, ``send`` or wait for an event.

        ``within`` so many seconds its reply must be there, the session's ``reply_time`` by default.
        """
        self._outgoing.append(command + "\n\n")
        patience = self._reply_time if within is None else within
        self._replies.append((on_reply, time.monotonic() + patience))

    def flush(self) -> None:
        """Send what is queued. Raises SessionClosed, or NoReply when nobody takes it."""
        if not self._outgoing:
            return
        data = "".join(self._outgoing).encode()
        self._outgoing.clear()
        try:
            self._wire.send(data, self._reply_time)
        except TimeoutError:
            self._lost(NoReply("the switch takes no bytes"))
        except OSError as error:
            self._lost(SessionClosed(str(error)))

    def send(self, data: str, within: float | None = None) -> Frame:
        """Send a command and return its reply, which must be there in time whatever else comes.

        Mends: the stock one waits without end, ignores a short write, and fails when the connection
        closes meanwhile. Raises SessionClosed, NoReply or ProtocolError.
        """
        replies: list[Frame] = []
        self.post(data, replies.append, within)
        return self._await(replies)

    def _await(self, replies: list[Frame]) -> Frame:
        self.flush()
        while not replies:
            self._receive(self._replies[0][1])
            if not replies:
                self._check_replies(0.0)
        return replies[0]

    def let_others_first(self) -> None:
        """Stand in line from now on: the first telephone has been called (``wire``)."""
        self._wire.urgent = False

    # In

    def next_event(self, until: float) -> Event | None:
        """Return the next event, or None at the time ``until`` (``time.monotonic()``, seconds).

        Bytes that make no event do not put that time off. An event that is there already is
        returned whatever the time is. Raises SessionClosed at the end of the connection, NoReply
        when the oldest command got none in time, ProtocolError for what no FreeSWITCH would send.
        """
        while not self._events:
            self.flush()
            patience = self._replies[0][1] if self._replies else until
            self._receive(0.0 if self._woken else min(until, patience))
            if not self._events and (self._woken or until <= time.monotonic()):
                self._woken = False
                return None
        self._woken = False
        return self.waiting_event()

    def waiting_event(self) -> Event | None:
        """Return the next event that is here already, None when there is none."""
        if not self._events:
            return None
        if len(self._events) == 1:
            self._queued = 0
        return self._events.popleft()

    def wake(self) -> None:
        """Have ``next_event`` return now, or when it is called next; any greenlet may call this."""
        self._woken = True
        self._wire.wake()

    def begin_anew(self) -> None:
        """Count events from none again: whoever kept books on those before has closed them, and
        whoever was to be woken is."""
        self._heard = 0
        self._woken = False

    def receive_events(self) -> NoReturn:
        """Refuse: there is no reading greenlet.

        Mends: the stock reader decodes a whole block before it splits it, spins at the end of the
        file and dies of a missing Content-Type.
        """
        raise NotImplementedError("a session is read by the greenlet that owns it")

    def _receive(self, until: float) -> None:
        """Wait for bytes until then and take them in, if any come."""
        try:
            data = self._wire.receive(until)
        except OSError as error:
            self._lost(SessionClosed(str(error)))
        if data is None:
            self._check_replies(0.0)
            return
        if not data:
            self._lost(SessionClosed("the switch closed the connection"))
        taken = 0
        for frame in self._decoder.feed(data):
            self.handle_event(frame)
            taken += _FRAME + len(frame.body)
            if taken >= _TURN:
                taken = 0
                self._give_way()
        # What we were too slow to read may hold the reply: bytes buy the same time once more.
        self._check_replies(self._reply_time)

    def _give_way(self) -> None:
        """Let others have their turn: small frames are much work."""
        try:
            self._wire.give_way()
        except OSError as error:
            self._lost(SessionClosed(str(error)))

    def handle_event(self, event: Frame) -> None:
        """Sort one frame: a reply to its command, an event to the queue.

        Mends: the stock one takes every reply to be owed, drops events at the close, and parses a
        JSON event as plain text. An event that cannot be read is dropped: the call has timers.
        """
        kind = event.kind
        if kind.startswith("text/event-"):
            self._take_event(event)
        elif kind in ("command/reply", "api/response"):
            if not self._replies:
                raise ProtocolError("a reply to no command")
            self._replies.popleft()[0](event)
        elif kind == "text/disconnect-notice":
            self._queue(Event(CALLER_LEFT), 0)
        elif not kind:
            raise ProtocolError("a frame without a Content-Type")

    def _take_event(self, frame: Frame) -> None:
        """Queue an event, unless it names a channel about which no command can be given."""
        usual = frame.kind == "text/event-json"
        try:
            event = read_json(frame.body) if usual else parse_event(frame)
            if event.uuid not in self._channels and event.name.startswith("CHANNEL_"):
                self._channels.add(token(event.uuid))
        except (ProtocolError, Unquotable):
            self.unreadable += 1
        else:
            self._queue(event, len(frame.body))

    def _queue(self, event: Event, size: int) -> None:
        self._heard += 1
        if self._heard > MAX_EVENTS:
            raise ProtocolError(f"more than {MAX_EVENTS} events in one call")
        self._queued += size + _EVENT
        if self._queued > MAX_QUEUED:
            raise ProtocolError(f"more than {MAX_QUEUED} bytes of events instead of a reply")
        self._events.append(event)

    unreadable = 0
    """Events that could not be read, or name no channel, and were dropped."""

    def _check_replies(self, grace: float) -> None:
        if self._replies and self._replies[0][1] + grace <= time.monotonic():
            self._lost(NoReply("no reply in time"))

    def _lost(self, error: Exception) -> NoReturn:
        self.connected = False
        raise error

    # Verbs

    def connect(
        self,
        within: float | None = None,
        stay: int = 0,
        ahead: Iterable[tuple[str, OnReply]] = (),
        sent: bool = False,
    ) -> Mapping[str, str]:
        """Ask for the caller's channel and return its headers and variables.

        ``within`` so many seconds the switch must answer, its ``reply_time`` by default. The socket
        is kept open for ``stay`` seconds after the caller's hang-up. ``ahead`` are commands that
        need not wait for the answer. ``sent`` says that whoever accepted the connection has sent
        all of this already, as ``commands.greeting`` has it.

        The notice that FreeSWITCH sends at the hang-up holds the channel's name as the caller chose
        it; the codec is told the name so that it can step over exactly that. A switch may be told
        to take a caller's Call-ID for its uuid (``inbound-use-callid-as-uuid`` in ``mod_sofia``):
        one that cannot stand in a command is refused here. Mends: the stock one gives up on
        greenswitch's own exceptions only.
        """
        if not self._outbound_connected:
            replies: list[Frame] = []
            self.post("connect", replies.append, within)
            if stay:
                self.post(commands.linger(stay))
            for command, on_reply in ahead:
                self.post(command, on_reply)
            if sent:
                self._outgoing.clear()
            reply = self._await(replies)
            try:
                uuid = token(reply.headers.get("Unique-ID", ""))
            except Unquotable as error:
                self._lost(ProtocolError(f"the connect reply names no channel: {error}"))
            if stay:
                name = raw_value(reply.block, b"Channel-Name")
                self._decoder.expect_notice(uuid, name, stay)
            self.session_data, self.channel_block = reply.headers, reply.block
            self._outbound_connected = True
        return self.session_data

    def forget_channel(self) -> None:
        """Keep nothing of the connect reply but the channel's uuid: a call may wait for long."""
        self.session_data, self.channel_block = {"Unique-ID": self.uuid}, b""

    @property
    def uuid(self) -> str:
        """The caller's channel. Mends: ``variable_uuid`` can be overwritten by a dialplan."""
        return self.session_data.get("Unique-ID", "")

    def stop(self) -> None:
        """Close the connection. Mends: the stock one waits for its greenlets, some forever."""
        self.connected = False
        self._decoder.close()
        self._wire.close()


__all__ = ["CALLER_LEFT", "CallSession", "NoReply", "ProtocolError", "SessionClosed"]
