"""One outbound event socket: the conversation with the controller about one caller.

Owns the socket, its framing and its rhythm (``listener_run`` and ``read_packet`` in
mod_event_socket.c). What single commands mean is in protocol.py.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from typing import TYPE_CHECKING

import gevent
import gevent.event
import gevent.lock
import gevent.pool
from gevent import socket as gsocket

from fsctl.demo import apps, calls, protocol
from fsctl.demo.channel import Channel
from fsctl.demo.clock import TICK, epoch
from fsctl.demo.events import Event, Subscription

if TYPE_CHECKING:
    from fsctl.demo.switch import Switch

#: Seconds that a controller has to say ``connect``.
CONNECT_TIMEOUT = 25

#: Bytes after which FreeSWITCH takes a command for complete, blank line or not.
_LONGEST = 10_485_760

#: Seconds from ``connect`` to CHANNEL_PARK: the caller's thread sleeps while the socket's reads.
_PARKS = 0.001

_GOODBYE = b"Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"


class Listener:
    """The listener of one caller's channel.

    Two greenlets stand for FreeSWITCH's one thread, so whoever reads commands or sends events
    holds ``_thread``. Events wait in a queue for the next poll, 20 ms after the last thing that
    happened on the socket, or for the end of a command.
    """

    def __init__(self, switch: Switch, channel: Channel, sock: gsocket.socket, words: set[str]):
        self.switch = switch
        self.channel = channel
        self.full = "full" in words
        self.asynchronous = "async" in words
        self.subscription = Subscription(self._push)
        self.style = "plain"
        self.linger: int | None = None
        self.resume = False
        self.running = True
        self.connected = gevent.event.Event()
        self.finished = gevent.event.Event()
        self._sock = sock
        self._jobs = gevent.pool.Group()
        self._thread = gevent.lock.RLock()
        self._queue: deque[Event] = deque()
        self._stirred = gevent.event.Event()
        self._polled = time.monotonic()
        self._partial = False
        self._noticed = False
        self._readers: list[gevent.Greenlet[..., None]] = []

    def start(self) -> None:
        """Begin to listen."""
        self.channel.watchers.append(self._stirred)
        self._readers = [gevent.spawn(self._read), gevent.spawn(self._poll)]

    def close(self) -> None:
        """Drop everything at once, as a crash would."""
        gevent.killall(self._readers, block=False)
        self._jobs.kill(block=False)
        self._sock.close()

    def send(self, data: bytes) -> None:
        """Send bytes; a broken socket is found by the reader."""
        with contextlib.suppress(OSError):
            self._sock.sendall(data)

    def job(self, command: str, argument: str | None, number: str) -> None:
        """Run an api command aside; BACKGROUND_JOB brings its answer."""
        self._jobs.spawn(self._job, command, argument, number)

    def _job(self, command: str, argument: str | None, number: str) -> None:
        answer = self.switch.api(command, argument)
        headers = [
            ("Job-UUID", number),
            ("Job-Owner-UUID", self.channel.uuid),
            ("Job-Command", command),
        ]
        if argument is not None:
            headers.append(("Job-Command-Arg", argument))
        if self.switch.bus.wants("BACKGROUND_JOB"):
            self.switch.bus.publish(
                calls.event(self.switch, "BACKGROUND_JOB", list(headers), answer)
            )

    def _push(self, event: Event) -> None:
        self._queue.append(event)
        self._stirred.set()

    def _read(self) -> None:
        """Read commands until the socket or the conversation ends."""
        deadline = gevent.Timeout(CONNECT_TIMEOUT)
        deadline.start()
        buffer = b""
        first = True
        try:
            while self.running:
                text, buffer = self._command(buffer)
                if text is None:
                    break
                with self._thread:
                    reply = protocol.obey(self, *protocol.parse(text))
                    if reply is not None and not first:
                        self.send(reply)
                    deadline.close()
                    first = False
                    self._partial = bool(buffer)
                    if not buffer:
                        self._flush()
        except OSError:
            pass
        except gevent.Timeout as late:
            if late is not deadline:
                raise
        finally:
            deadline.close()
        self.running = False
        self._stirred.set()

    def _command(self, buffer: bytes) -> tuple[bytes | None, bytes]:
        """Return the next command, body included, and what follows it; None at the end."""
        while True:
            buffer = buffer.lstrip(b"\r\n")
            command, rest = protocol.cut(buffer)
            if command is None and len(buffer) >= _LONGEST:
                return buffer, b""
            if command is not None:
                return command, rest
            self._partial = bool(buffer)
            received = self._sock.recv(65536)
            if not received:
                return None, b""
            buffer += received

    def _poll(self) -> None:
        """Deliver events 20 ms after the last poll that found nothing, and end when told to."""
        while self.running:
            self._stirred.wait()
            self._stirred.clear()
            while self.running and self._has_work():
                gevent.sleep(TICK - (time.monotonic() - self._polled) % TICK)
                with self._thread:
                    if self.running and not self._partial:
                        self._flush()
        self._end()

    def _has_work(self) -> bool:
        return bool(self._queue) or (self.channel.down and not self._noticed)

    def _flush(self) -> None:
        """Send what waits, then see whether the caller is gone (one round of ``read_packet``)."""
        self._polled = time.monotonic()
        if self._queue:
            frames = []
            while self._queue:
                body = self._queue.popleft().encoded(self.style)
                head = f"Content-Length: {len(body)}\nContent-Type: text/event-{self.style}\n\n"
                frames.append(head.encode() + body)
            self.send(b"".join(frames))
        if self.channel.down and not self._noticed:
            self._noticed = True
            self._notice()

    def _notice(self) -> None:
        if self.linger is None:
            self._stop()
            return
        # The channel's name goes out as it is, whatever lines it holds (field notes).
        self.send(
            (
                "Content-Type: text/disconnect-notice\n"
                f"Controlled-Session-UUID: {self.channel.uuid}\n"
                "Content-Disposition: linger\n"
                f"Channel-Name: {self.channel.name}\n"
                f"Linger-Time: {self.linger}\n"
                "Content-Length: 0\n\n"
            ).encode("utf-8", "surrogateescape")
        )
        if self.linger >= 0:
            wait = self.switch.until_epoch(epoch() + self.linger + 1)
            self._readers.append(gevent.spawn_later(wait, self._stop))

    def _stop(self) -> None:
        self.running = False
        self._stirred.set()

    def _end(self) -> None:
        """Leave: wait for the jobs, let the caller go on if told so, say goodbye, close."""
        self.switch.bus.remove(self.subscription)
        self._jobs.join()
        if self._stirred in self.channel.watchers:
            self.channel.watchers.remove(self._stirred)
        if self.may_resume():
            self.channel.become("CS_RESET")
        self.send(
            (
                "Content-Type: text/disconnect-notice\n"
                f"Controlled-Session-UUID: {self.channel.uuid}\n"
                "Content-Disposition: disconnect\n"
                f"Content-Length: {len(_GOODBYE)}\n\n"
            ).encode()
            + _GOODBYE
        )
        self._sock.close()
        self.channel.controlled = False
        self.finished.set()
        self.channel.wake()
        self.switch.listeners.discard(self)

    def may_resume(self) -> bool:
        """Tell whether the caller goes on in its dialplan once this socket is gone.

        A conversation is no exception: FreeSWITCH resets it as well (read in ``listener_run``).
        """
        wanted = self.resume or self.channel.true("socket_resume")
        return wanted and self.channel.state not in ("CS_HIBERNATE", "CS_RESET")


def control(switch: Switch, channel: Channel, argument: str) -> None:
    """Be the ``socket`` application: ``host:port|host:port async full``.

    Hosts are tried in turn; when none listens the dialplan goes on. Else the channel is parked,
    until it is hung up, taken away, or told to resume.
    """
    hosts, *words = argument.split(" ")
    for address in hosts.split("|"):
        host, _, port = address.rpartition(":") if ":" in address else (address, "", "8084")
        channel.set("socket_host", host)
        try:
            sock = gsocket.create_connection((host, int(port)))
        except (OSError, ValueError, OverflowError):
            continue
        break
    else:
        return
    sock.setsockopt(gsocket.IPPROTO_TCP, gsocket.TCP_NODELAY, 1)
    listener = Listener(switch, channel, sock, set(words))
    switch.listeners.add(listener)
    listener.start()
    if not listener.asynchronous:  # this very thread listens; who is reset then is lost (tried)
        channel.wait(lambda: channel.down or listener.finished.is_set())
        return
    channel.wait(lambda: channel.down or listener.finished.is_set() or listener.connected.is_set())
    gevent.sleep(_PARKS)
    if channel.state == "CS_EXECUTE":
        apps.park(switch, channel, "")
    apps.parse_messages(switch, channel)
    if channel.state == "CS_RESET" and (listener.resume or channel.true("socket_resume")):
        channel.enter("CS_EXECUTE")
