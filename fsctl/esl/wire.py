"""A connected socket that one greenlet reads and writes, and who has to wait for whom.

Owns the waiting. gevent's sockets try to read, fail, make a timer and wait, each time anew; a call
reads some ten times in its life, and most of what it cost was that. Here a socket has one watcher
and one timer for its life, and the timer is set only when it would ring too late.

When the processor is the bottleneck somebody must wait, and it should not be a caller who hears
nothing yet. So what comes from a switch stands in line (``Line``), and is let through for a moment
at a time; new connections and due legs go past it. Those in line are calls whose telephones ring or
whose conversation goes on, and the switch itself settles who has the caller.
"""

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from errno import EBADF
from math import inf
from os import strerror
from socket import socket
from time import monotonic, perf_counter
from typing import Any

from gevent import get_hub, getcurrent

CHUNK = 32_768
"""Bytes read at once: the events of half a call."""
BUDGET = 0.001
"""Seconds for which the line is let through before new connections and due legs are looked for."""
_AT_LEAST = 0.000_1
_READ, _WRITE = 1, 2
"""What a watcher looks for (``ev.h`` of libev)."""


class Line:
    """Those who have something to read, of one thread: served in turn, a moment at a time."""

    def __init__(self) -> None:
        self._waiting: deque[Wire] = deque()
        self._timer = get_hub().loop.timer(0.0)

    def join(self, wire: "Wire") -> None:
        """Take the last place."""
        if not self._waiting:
            self._timer.start(self._let_through)
        self._waiting.append(wire)

    def _let_through(self) -> None:
        """Let some go on; the rest after the loop has looked for what is new."""
        waiting = self._waiting
        end = perf_counter() + BUDGET
        self._timer.stop()
        try:
            while waiting:
                waiting.popleft().called()
                if perf_counter() >= end:
                    break
        finally:
            if waiting:
                self._timer.start(self._let_through)


_lines = threading.local()


def _line() -> Line:
    """Return the line of this thread's hub."""
    hub = get_hub()
    if getattr(_lines, "hub", None) is not hub:
        _lines.hub, _lines.line = hub, Line()
    line: Line = _lines.line
    return line


class Wire:
    """One connection. Who is ``urgent`` does not stand in line."""

    __slots__ = (
        "_closed",
        "_greenlet",
        "_hub",
        "_in_line",
        "_line",
        "_looked",
        "_reads",
        "_rings_at",
        "_sock",
        "_timer",
        "_writes",
        "urgent",
    )

    def __init__(self, sock: socket) -> None:
        sock.setblocking(False)
        self.urgent = True
        self._sock = sock
        self._hub = get_hub()
        self._line = _line()
        self._greenlet: Any = None
        """Who waits here."""
        self._in_line = self._closed = False
        self._looked = False
        """Whether anything was read: who accepted the connection has seen that there is."""
        self._reads = self._hub.loop.io(sock.fileno(), _READ)
        self._writes: Any = None
        self._timer: Any = None
        self._rings_at = inf

    def receive(self, until: float) -> bytes | None:
        """Wait for bytes until then (``time.monotonic()``, seconds); None for none, b"" at the end.

        What is there is returned whatever the time is. None may come too early, never too late.
        Raises OSError.
        """
        if not self._looked:
            self._looked = True
            with suppress(BlockingIOError):
                return self._sock.recv(CHUNK)
        self._wait(self._reads, self._readable, until)
        try:
            return self._sock.recv(CHUNK)
        except BlockingIOError:
            return None

    def send(self, data: bytes, within: float) -> None:
        """Send everything. Raises OSError: TimeoutError when nobody takes it in so many seconds."""
        try:
            sent = self._sock.send(data)
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            self._send_rest(memoryview(data)[sent:], monotonic() + within)

    def give_way(self) -> None:
        """Let others have their turn, who have read less."""
        self._line.join(self)
        self._in_line = True
        self._pause()

    def wake(self) -> None:
        """Have ``receive`` return now, if somebody waits there; whoever sends goes on with that."""
        if self._greenlet is not None:
            self._hub.loop.run_callback(self._go_on, False)

    def close(self) -> None:
        """Close the socket. Who waits for it meanwhile finds it closed."""
        if self._closed:
            return
        self._closed = True
        for watcher in (self._reads, self._writes, self._timer):
            if watcher is not None:
                watcher.close()
        self._sock.close()
        if self._greenlet is not None:
            self._hub.loop.run_callback(self._go_on, False)

    def called(self) -> None:
        """Go on: it is this one's turn."""
        if self._in_line:
            self._in_line = False
            self._go_on(True)

    def _send_rest(self, rest: memoryview, until: float) -> None:
        if self._writes is None:
            self._writes = self._hub.loop.io(self._sock.fileno(), _WRITE)
        while rest:
            if not self._wait(self._writes, self._go_on, until, True) and monotonic() >= until:
                raise TimeoutError("nobody takes the bytes")
            with suppress(BlockingIOError):
                rest = rest[self._sock.send(rest) :]

    def _wait(self, watcher: Any, woken: Callable[..., None], until: float, *told: bool) -> bool:
        """Wait until then for what a watcher sees; whether it has seen it."""
        if self._rings_at > until:
            self._ring_at(until)
        watcher.start(woken, *told)
        try:
            return self._pause()
        finally:
            if not self._closed:
                watcher.stop()

    def _pause(self) -> bool:
        owner, self._greenlet = self._greenlet, getcurrent()  # another one gives a call back
        try:
            seen: bool = self._hub.switch()
        finally:
            self._greenlet = owner
            self._in_line = False
        if self._closed:
            raise OSError(EBADF, strerror(EBADF))
        return seen

    def _go_on(self, seen: bool) -> None:
        if self._greenlet is not None:
            self._greenlet.switch(seen)

    def _readable(self) -> None:
        if self.urgent:
            self._go_on(True)
        else:
            self._reads.stop()
            self._in_line = True
            self._line.join(self)

    def _ring_at(self, until: float) -> None:
        if self._timer is not None:
            self._timer.close()
        self._timer = self._hub.loop.timer(max(until - monotonic(), _AT_LEAST))
        self._timer.start(self._rang)
        self._rings_at = until

    def _rang(self) -> None:
        self._rings_at = inf
        self._go_on(False)
