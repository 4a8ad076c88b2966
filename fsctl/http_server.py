"""An HTTP server that strangers cannot exhaust: gevent's, with bounds on time, bytes and number.

Shared by the panel, the dialplan for mod_xml_curl and the metrics. gevent's own has no bound on how
long a head or a body takes, nor on what all of them hold. A request comes to the application
complete; until then it costs a socket, a greenlet and no more bytes than ``Limits`` say.
"""

import io
import logging
import math
import socket as plain
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import gevent
from gevent.event import Event
from gevent.pool import Pool
from gevent.pywsgi import Input, WSGIHandler, WSGIServer
from gevent.socket import socket as GeventSocket

from fsctl.caches import cache_of_texts
from fsctl.http_room import Connection, Network, Room, is_in

KNOWN = "fsctl.known"
"""Key of the WSGI environment under which an application leaves that it knows who asks: the
connection stays until that request is answered."""
LONGEST_LINE = 8_192
"""Bytes of a request line, as gevent has it."""
_CHUNKED = 8
"""Bytes that a chunked body takes at most, to each of its own: the sizes of its chunks, their
extensions and the fields behind them are not counted otherwise."""
_LEAVING = 100
"""Greenlets of connections that have just gone."""

log = logging.getLogger(__name__)

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Limits:
    """What connections may take: their number, bytes, and seconds."""

    connections: int = 1_000
    of_one_address: int = 60
    head: float = 10.0
    """Seconds from the connection, or a request's first byte, to the end of its head."""
    head_bytes: int = 16 * 1024
    idle: float = 30.0
    """Seconds between two requests of one connection."""
    body: int = 16 * 1024
    """Bytes of a body that anybody may send."""
    body_time: float = 10.0
    body_rate: float = 64 * 1024
    """Bytes a second that a body makes after ``body_time``."""
    bodies: int = 64 * 1024 * 1024
    """Bytes that all the bodies beyond ``body`` may have together; the next one waits."""
    write: float = 30.0
    """Seconds that a client takes for a part of its answer."""
    linger: float = 2.0
    """Seconds for which a client whose body is refused may go on sending it, to hear of that."""


class HeadTooLarge(ValueError):
    """A head has more bytes than one may have."""


class Refused(Exception):
    """A body is not taken."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status
        self.why = status.phrase

    def __call__(self, _environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer in the application's place."""
        text = f"{self.why}\n".encode()
        headers = [
            ("Connection", "close"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(text))),
        ]
        start_response(f"{self.status.value} {self.status.phrase}", headers)
        return [text]


class Budget:
    """A number of bytes that several share."""

    def __init__(self, most: int) -> None:
        self._left = most
        self._freed = Event()

    @contextmanager
    def hold(self, amount: int, patience: float) -> Iterator[None]:
        """Have so many of them meanwhile. Raises Refused when others do not give enough back."""
        until = time.monotonic() + patience
        while self._left < amount:
            self._freed.clear()
            if not self._freed.wait(max(0.0, until - time.monotonic())):
                raise Refused(HTTPStatus.SERVICE_UNAVAILABLE)
        self._left -= amount
        try:
            yield
        finally:
            self._left += amount
            self._freed.set()


class _Socket(GeventSocket):
    """A connection's socket, which reads until a deadline, however little comes at a time."""

    deadline = math.inf
    patience = 30.0
    connection: Connection
    most = math.inf
    """Bytes that may still be read."""

    def recv_into(self, *args: Any, **options: Any) -> int:
        """Read. Raises TimeoutError when the deadline is over."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the request takes too long")
        if self.most <= 0:
            raise ConnectionError("the request is too long")
        gevent.sleep(0)  # a client that always has bytes ready lets others have their turn
        self.settimeout(left)
        count: int = super().recv_into(*args, **options)
        self.most -= count
        return count

    def sendall(self, *args: Any, **options: Any) -> None:
        """Send. Raises TimeoutError when nobody takes it."""
        self.settimeout(self.patience)
        super().sendall(*args, **options)


class _Head:
    """The lines of a head, as long as they have no more bytes than they may."""

    def __init__(self, file: Any, most: int) -> None:
        self._file = file
        self._left = most

    def readline(self, limit: int) -> bytes:
        """Return the next line. Raises HeadTooLarge, or ConnectionError at the end."""
        line: bytes = self._file.readline(min(limit, self._left + 1))
        self._left -= len(line)
        if self._left < 0:
            raise HeadTooLarge
        if not line:
            raise ConnectionError("the connection ended within a head")
        return line


class _Handler(WSGIHandler):
    """One connection."""

    server: "HttpServer"
    _head: _Head
    _served = False

    def __init__(self, sock: _Socket, address: Any, server: "HttpServer") -> None:
        self._sock = sock
        super().__init__(sock, address, server)

    def handle(self) -> None:
        """Answer requests until the connection is over."""
        with suppress(OSError):
            super().handle()

    def read_requestline(self) -> str:
        """Wait for a request and return its first line; the rest of the head has to follow."""
        limits, sock = self.server.limits, self._sock
        gevent.sleep(0)  # one that always has its next request there lets others have their turn
        self.server.room.wait(sock.connection)
        began = time.monotonic()
        sock.most = math.inf
        sock.deadline = began + (limits.idle if self._served else limits.head)
        if not self.rfile.peek(1):
            return ""
        if self._served:
            sock.deadline = time.monotonic() + limits.head
        self._served = True
        self._head = _Head(self.rfile, limits.head_bytes)
        return self._head.readline(LONGEST_LINE).decode("latin-1")

    def read_request(self, raw_requestline: str) -> Any:
        """Read the head. Raises ValueError when a proxy may have seen another end of its body."""
        done = super().read_request(raw_requestline)
        headers: Any = self.headers
        lengths = headers.get_all("Content-Length", [])
        codings = [one.lower() for one in headers.get_all("Transfer-Encoding", [])]
        plain = len(lengths) < 2 and all(one.isascii() and one.isdigit() for one in lengths)
        if not plain or codings not in ([], ["chunked"]):
            raise ValueError("the length of the body is ambiguous")
        return done

    def MessageClass(self, *_args: Any) -> Any:
        """Return the headers."""
        head: Any = self._head
        return super().MessageClass(head)

    def run_application(self) -> None:
        """Have the application answer a request that is complete."""
        environ, source = self.environ, self.wsgi_input
        assert environ is not None  # noqa: S101 - gevent has set both
        assert source is not None  # noqa: S101
        with ExitStack() as held:
            try:
                body = self._body(environ, source, held)
            except Refused as refused:
                refused.why = self.server.why(refused.status, environ)
                self.application = refused
                self._sock.most = math.inf
                self._sock.deadline = time.monotonic() + self.server.limits.linger
            else:
                environ["wsgi.input"] = io.BytesIO(body)
                # Bytes are counted by now: an application must not look for chunks.
                environ["CONTENT_LENGTH"] = str(len(body))
                environ.pop("HTTP_TRANSFER_ENCODING", None)
            self.server.room.work(self._sock.connection)
            super().run_application()

    def process_result(self) -> None:
        """Send the answer."""
        room = self.server.room
        (room.vouch if (self.environ or {}).get(KNOWN) else room.wait)(self._sock.connection)
        super().process_result()

    def _body(self, environ: dict[str, Any], source: Input, held: ExitStack) -> bytes:
        """Read a body; ``held`` has its share of what all may have. Raises Refused."""
        server, small = self.server, self.server.limits.body
        length = None if source.chunked_input else source.content_length or 0
        body = b""
        if length is None or length <= small:
            body = self._read(source, small + 1 if length is None else length)
            if len(body) <= small:
                return body
        most = server.largest(environ)
        if max(len(body), length or 0) > most:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        server.room.work(self._sock.connection)  # it is known who sends so much
        whole = most if length is None else length
        held.enter_context(server.bodies.hold(whole, server.limits.body_time))
        body += self._read(source, whole - len(body) + (length is None))
        if len(body) > most:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return body

    def _read(self, source: Input, most: int) -> bytes:
        limits = self.server.limits
        self._sock.deadline = time.monotonic() + limits.body_time + most / limits.body_rate
        if source.chunked_input:
            self._sock.most = _CHUNKED * (most + limits.head_bytes)
        try:
            return bytes(source.read(most))
        except TimeoutError:
            raise Refused(HTTPStatus.REQUEST_TIMEOUT) from None
        except OSError:  # it ends too early, or is no chunk
            raise Refused(HTTPStatus.BAD_REQUEST) from None

    def _handle_client_error(self, ex: Exception) -> tuple[str, bytes]:
        """Return what to say to who asks for nothing that can be understood."""
        status = HTTPStatus.BAD_REQUEST
        if isinstance(ex, HeadTooLarge):
            status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        elif isinstance(ex, TimeoutError):
            status = HTTPStatus.REQUEST_TIMEOUT
        log.debug("%s: invalid request: %s", self.client_address, str(ex)[:200] or status.phrase)
        return str(status.value), _bare_answer(status)

    def format_request(self) -> str:
        """Return a line for the log: no query (people look for callers), no more than needed."""
        path = str(getattr(self, "path", "-")).partition("?")[0]
        took = (self.time_finish or time.time()) - self.time_start
        return f"{self.client_address} {self.command} {path} {self.code} {took:.3f} s"


class _Log:
    """Where the server writes its lines: our log, for who wants details."""

    def write(self, line: str) -> None:
        """Log a line."""
        log.debug("%s", line.rstrip())


def _turn_away(sock: Any, status: HTTPStatus) -> None:
    """Close a connection of which nothing was read, with an answer for who waits for it."""
    with suppress(OSError):
        sock.settimeout(0)
        sock.send(_bare_answer(status))
    sock.close()


def _bare_answer(status: HTTPStatus) -> bytes:
    line = f"HTTP/1.1 {status.value} {status.phrase}\r\nConnection: close\r\n"
    return (line + "Content-Length: 0\r\n\r\n").encode()


class HttpServer(WSGIServer):
    """Serves an application on a listening socket.

    ``allowed``: nobody else is heard (None: everybody is). ``trusted`` are networks with no limit
    for each address. ``largest`` returns how many bytes may be sent with a request, once it is to
    have more than ``limits.body``; it may wait. ``why`` says to a person why a body is refused.
    """

    max_accept = 16  # at a time, for others to have their turn

    def __init__(
        self,
        sock: plain.socket,
        application: Application,
        limits: Limits,
        *,
        allowed: Sequence[Network] | None = None,
        trusted: Sequence[Network] = (),
        largest: Callable[[dict[str, Any]], int] = lambda _environ: 0,
        why: Callable[[HTTPStatus, dict[str, Any]], str] = lambda status, _environ: status.phrase,
    ) -> None:
        self.limits = limits
        self.largest = largest
        self.why = why
        self.room = Room(limits.connections, limits.of_one_address, trusted)
        self.bodies = Budget(limits.bodies)
        self._allowed = allowed
        self._may_connect = cache_of_texts(1_000, 64)(self._is_allowed)
        log_lines: Any = _Log()
        super().__init__(
            sock,
            application,
            log=log_lines,
            error_log=log,
            handler_class=_Handler,
            spawn=Pool(limits.connections + _LEAVING),
        )

    def do_handle(self, *arrived: Any) -> None:
        """Take a connection, or close it before a byte is read."""
        sock, address = arrived
        if not self._may_connect(address[0]):
            _turn_away(sock, HTTPStatus.FORBIDDEN)
            return
        taken = _Socket(sock.family, sock.type, sock.proto, fileno=sock.detach())
        taken.patience = self.limits.write
        connection = self.room.admit(taken, address[0])
        if connection is None:
            _turn_away(taken, HTTPStatus.SERVICE_UNAVAILABLE)
            return
        taken.connection = connection
        super().do_handle(taken, address)

    def do_close(self, *arrived: Any) -> None:
        """Forget a connection that is over."""
        sock = arrived[0]
        self.room.leave(sock.connection)
        sock.close()

    def _is_allowed(self, host: str) -> bool:
        """Decide on an address, and say so; asked once for each as long as not many come."""
        if self._allowed is None or is_in(host, self._allowed):
            return True
        log.warning("requests from %s are refused: it is in none of the allowed networks", host)
        return False
