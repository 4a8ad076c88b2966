"""The panel's HTTP server: gevent holds the connections, threads do the work.

A connection costs a greenlet, so that hundreds of browsers may wait for news of calls, or dawdle;
whatever may take time (SQL, a password) runs in a thread, where it holds up no connection. A
request comes to its thread complete: threads never touch a socket of gevent's.
"""

import io
import logging
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import chain, islice
from socket import socket
from typing import Any

import gevent
from gevent.pool import Pool
from gevent.pywsgi import Input, WSGIHandler, WSGIServer
from gevent.threadpool import ThreadPool

THREADS = 8
MOST_CONNECTIONS = 1_000
PATIENCE = 30.0
"""Seconds that a browser may take to say what it wants, or to take what it gets."""
STREAM = "fsctl.stream"
"""Key of the WSGI environment under which a page leaves what is to be sent as it comes: an iterator
that gevent may wait in."""

log = logging.getLogger(__name__)

StartResponse = Callable[..., Any]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class InThreads:
    """A WSGI application, each request of which is answered in a thread."""

    def __init__(self, app: Application, largest: int, threads: int = THREADS) -> None:
        self._app = app
        self._largest = largest
        self._pool = ThreadPool(threads)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        body = self._read(environ)
        if body is None:
            start_response("413 Content Too Large", [("Connection", "close")])
            return []
        environ["wsgi.input"] = io.BytesIO(body)
        # Bytes are counted by now: an application must not look for chunks.
        environ["CONTENT_LENGTH"] = str(len(body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        status, headers, first, rest = self._pool.apply(self._answer, (environ,))
        start_response(status, headers)
        stream: Iterator[bytes] | None = environ.pop(STREAM, None)
        return chain(first, self._in_thread(rest)) if stream is None else stream

    def _in_thread(self, rest: Iterator[bytes]) -> Iterator[bytes]:
        """Yield what is left of a long answer; each part of it is made in a thread."""
        while (part := self._pool.apply(next, (rest, None))) is not None:
            yield part

    def stop(self) -> None:
        """End the threads."""
        self._pool.kill()

    def _read(self, environ: dict[str, Any]) -> bytes | None:
        """Return the body of a request; None for one that is too large."""
        source: Input = environ["wsgi.input"]
        if int(environ.get("CONTENT_LENGTH") or 0) > self._largest:
            return None
        body = source.read(self._largest + 1)
        return None if len(body) > self._largest else body

    def _answer(
        self, environ: dict[str, Any]
    ) -> tuple[str, list[tuple[str, str]], list[bytes], Iterator[bytes]]:
        """Let the application answer, in a thread, and take as much as is never long."""
        said: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _info: Any = None) -> Any:
            said[:] = [status, headers]
            return said.append

        parts = self._app(environ, start_response)
        rest = _closing(parts)
        first = list(islice(rest, 2))
        return said[0], said[1], first, rest


def _closing(parts: Iterable[bytes]) -> Generator[bytes, None, None]:
    """Yield the parts of an answer, and tell the application when that is over."""
    try:
        yield from parts
    finally:
        if close := getattr(parts, "close", None):
            close()


class _Handler(WSGIHandler):
    """A connection that is not kept for who says nothing, and of which no query is logged."""

    def __init__(self, sock: Any, address: Any, server: Any) -> None:
        sock.settimeout(PATIENCE)
        super().__init__(sock, address, server)

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


class Server:
    """Serves an application on a listening socket."""

    def __init__(self, sock: socket, app: Application, largest: int) -> None:
        self._app = InThreads(app, largest)
        log_lines: Any = _Log()
        self._server = WSGIServer(
            sock,
            self._app,
            log=log_lines,
            error_log=log,
            handler_class=_Handler,
            spawn=Pool(MOST_CONNECTIONS),
        )

    def start(self) -> None:
        """Begin to answer."""
        self._server.start()

    def stop(self) -> None:
        """Answer what was asked, for a second at most, and stop."""
        self._server.stop(timeout=1)
        gevent.get_hub().threadpool.apply(self._app.stop)
