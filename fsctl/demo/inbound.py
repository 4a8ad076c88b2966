"""The port on which FreeSWITCH lets others log in: api commands, and events of all channels.

Owns the log-in and the framing (``listener_run`` in mod_event_socket.c for a connection without a
session). What commands do is in protocol.py.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, cast

from gevent import socket
from gevent.lock import RLock
from gevent.server import StreamServer

from fsctl.demo import protocol
from fsctl.demo.events import Event, Subscription

if TYPE_CHECKING:
    from fsctl.demo.listener import Listener
    from fsctl.demo.switch import Switch

PASSWORD = "ClueCon"  # noqa: S105 - FreeSWITCH's own default


class EventSocket(StreamServer):
    """Listens on a free port of 127.0.0.1."""

    def __init__(self, switch: Switch) -> None:
        super().__init__(("127.0.0.1", 0), lambda sock, _: Connection(switch, sock).serve())
        self.start()

    @property
    def url(self) -> str:
        """The setting ``esl_url`` by which it is found."""
        return f"esl://:{PASSWORD}@127.0.0.1:{self.server_port}"


class Connection:
    """Somebody who has logged in, or is about to."""

    full = True
    channel = None

    def __init__(self, switch: Switch, sock: socket.socket) -> None:
        self.switch = switch
        self.subscription = Subscription(self._push)
        self.style = "plain"
        self.running = True
        self._sock = sock
        self._sending = RLock()

    def serve(self) -> None:
        """Read commands until the other side leaves."""
        self.send(b"Content-Type: auth/request\n\n")
        known, buffer = False, b""
        try:
            while self.running and (received := self._sock.recv(65536)):
                buffer += received
                while self.running:
                    command, buffer = protocol.cut(buffer.lstrip(b"\r\n"))
                    if command is None:
                        break
                    line, headers = protocol.parse(command)
                    if known:
                        self.send(protocol.obey(cast("Listener", self), line, headers) or b"")
                    else:
                        known = self._lets_in(line)
        except OSError:
            pass
        finally:
            self.switch.bus.remove(self.subscription)
            self._sock.close()

    def send(self, data: bytes) -> None:
        """Send bytes; a broken socket is found by whoever reads."""
        with contextlib.suppress(OSError), self._sending:
            self._sock.sendall(data)

    def _lets_in(self, line: str) -> bool:
        known = line.rstrip("\n") == f"auth {PASSWORD}"
        text = "+OK accepted" if known else "-ERR invalid"
        self.send(f"Content-Type: command/reply\nReply-Text: {text}\n\n".encode())
        self.running = known
        return known

    def _push(self, event: Event) -> None:
        body = event.encoded(self.style)
        head = f"Content-Length: {len(body)}\nContent-Type: text/event-{self.style}\n\n"
        self.send(head.encode() + body)
