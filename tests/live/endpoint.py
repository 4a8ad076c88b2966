"""A UDP socket that speaks SIP: sends, receives, and hands each message to the call it belongs to.

Owns the socket, the reading of it and retransmission (RFC 3261 timers on UDP). Must not know what
a call is about: that is for phones and callers.
"""

from __future__ import annotations

import contextlib
import struct
import time
from collections.abc import Callable

import gevent
from gevent import Greenlet, socket
from gevent.event import AsyncResult

from tests.live import sip

Address = tuple[str, int]
Handler = Callable[[sip.Message, Address, float], None]

T1 = 0.5
T2 = 4.0
GIVE_UP = 64 * T1

SO_TIMESTAMPNS = 35
"""Option and control message of Linux (socket(7)); Python has no name for it."""
TIMESPEC = struct.Struct("@ll")


class Endpoint:
    """A telephone's socket on 127.0.0.1.

    ``stranger`` gets what belongs to no call known here. Every handler gets the message, where it
    came from, and ``time.monotonic()`` of its arrival; it runs in the reader and must not wait.
    """

    def __init__(self, stranger: Handler, port: int = 0) -> None:
        self._stranger = stranger
        self._calls: dict[str, Handler] = {}
        self._pending: dict[str, AsyncResult[sip.Message]] = {}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.bind(("127.0.0.1", port))
        self.port: int = self._socket.getsockname()[1]
        self._reader = gevent.spawn(self._read)

    def via(self, branch: str) -> tuple[str, str]:
        return "Via", f"SIP/2.0/UDP 127.0.0.1:{self.port};rport;branch={branch}"

    def contact(self, user: str) -> str:
        return f"<sip:{user}@127.0.0.1:{self.port}>"

    def attach(self, call_id: str, handler: Handler) -> None:
        self._calls[call_id] = handler

    def detach(self, call_id: str) -> None:
        self._calls.pop(call_id, None)

    def send(self, message: sip.Message, to: Address) -> float:
        """Send once; returns the moment just before the datagram left."""
        return self.send_datagram(message.encode(), to)

    def send_datagram(self, datagram: bytes, to: Address) -> float:
        at = time.monotonic()
        self._socket.sendto(datagram, to)
        return at

    def repeat(self, message: sip.Message, to: Address) -> Greenlet[..., None]:
        """Retransmit a message already sent until killed (RFC 3261 timers A and G)."""
        return gevent.spawn(self._repeat, message.encode(), to)

    def _repeat(self, datagram: bytes, to: Address) -> None:
        pause, until = T1, time.monotonic() + GIVE_UP
        while time.monotonic() < until:
            gevent.sleep(pause)
            with contextlib.suppress(OSError):
                self._socket.sendto(datagram, to)
            pause = min(2 * pause, T2)

    def transact(self, request: sip.Message, to: Address, timeout: float = 5.0) -> sip.Message:
        """Send a request outside of any call and wait for its final response.

        TimeoutError when none comes in time.
        """
        self.send(request, to)
        return self.confirm(request, to, timeout)

    def confirm(self, request: sip.Message, to: Address, timeout: float = 5.0) -> sip.Message:
        """Wait for the final response to a request already sent, repeating it meanwhile.

        TimeoutError when none comes in time.
        """
        waiting: AsyncResult[sip.Message] = AsyncResult()
        self._pending[request.method + request.branch] = waiting
        repeating = self.repeat(request, to)
        try:
            answer = waiting.wait(timeout)
        finally:
            repeating.kill(block=False)
            self._pending.pop(request.method + request.branch, None)
        if answer is None:
            raise TimeoutError(f"no answer to {request.method}")
        return answer

    def see_through(self, request: sip.Message, to: Address) -> None:
        """Repeat a request already sent until it is answered, without waiting here."""
        gevent.spawn(self._see_through, request, to)

    def _see_through(self, request: sip.Message, to: Address) -> None:
        with contextlib.suppress(TimeoutError):
            self.confirm(request, to)

    def close(self) -> None:
        self._reader.kill(block=False)
        self._socket.close()

    def _read(self) -> None:
        while True:
            try:
                datagram, control, _, sender = self._socket.recvmsg(65536, 64)
            except ConnectionRefusedError:
                continue
            at = _arrival(control)
            try:
                message = sip.parse(datagram)
            except sip.NotSip:
                continue
            waiting = self._pending.get(message.method + message.branch) if message.status else None
            if waiting is not None:
                if message.status >= 200:
                    waiting.set(message)
                continue
            handler = self._calls.get(message.get("Call-ID"), self._stranger)
            handler(message, sender, at)


def _arrival(control: list[tuple[int, int, bytes]]) -> float:
    """When the kernel got a datagram, as ``time.monotonic()``: we may have been busy since."""
    for level, kind, stamp in control:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
            seconds, nanoseconds = TIMESPEC.unpack(stamp[: TIMESPEC.size])
            return time.monotonic() - (time.time() - seconds - nanoseconds / 1e9)
    return time.monotonic()
