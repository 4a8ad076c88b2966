"""A client of FreeSWITCH's inbound event socket, small and of its own.

Owns one connection: commands and their replies, events handed to one callback. It shares no code
with the controller's own socket, so that a fault there cannot hide here. Must not know phones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import orjson
from gevent import socket
from gevent.queue import SimpleQueue

Event = dict[str, Any]


class EventSocket:
    """One authenticated connection; ``on_event`` runs in its reader and must not wait."""

    def __init__(
        self, port: int, password: str, on_event: Callable[[Event], None] | None = None
    ) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        self._socket.settimeout(None)
        self._stream = self._socket.makefile("rb")
        self._on_event = on_event
        self._replies: SimpleQueue[str] = SimpleQueue()
        self._reader = gevent.spawn(self._read)
        self._replies.get(timeout=5)
        answer = self.command(f"auth {password}")
        if not answer.startswith("+OK"):
            raise ConnectionError(f"the switch's event socket refused the password: {answer}")

    def command(self, line: str, timeout: float = 10.0) -> str:
        """Send one command and return its reply; queue.Empty when none comes in time."""
        self._socket.sendall(f"{line}\n\n".encode())
        return self._replies.get(timeout=timeout)

    def api(self, line: str) -> str:
        """Run one api command and return what it printed, without surrounding space."""
        return self.command(f"api {line}").strip()

    def close(self) -> None:
        self._reader.kill(block=False)
        self._stream.close()
        self._socket.close()

    def _read(self) -> None:
        while headers := self._frame():
            body = self._stream.read(int(headers.get("content-length", "0")))
            kind = headers.get("content-type", "")
            if kind == "text/event-json" and self._on_event is not None:
                self._on_event(orjson.loads(body.decode("utf-8", "replace")))
            elif kind == "api/response":
                self._replies.put(body.decode("utf-8", "replace"))
            elif kind in ("command/reply", "auth/request"):
                self._replies.put(headers.get("reply-text", ""))

    def _frame(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        while line := self._stream.readline().decode("utf-8", "replace"):
            name, colon, value = line.partition(":")
            if colon:
                headers[name.strip().lower()] = value.strip()
            elif headers:
                break
        return headers
