"""The panel's HTTP server: gevent holds the connections, threads do the work.

A connection costs a greenlet, so that hundreds of browsers may wait for news of calls, or dawdle;
whatever may take time (SQL, a password) runs in a thread, where it holds up no connection. A
request comes to its thread complete: threads never touch a socket of gevent's.

Strangers have threads of their own, and those who sign in have others, where they wait in turns:
however many do, who is signed in has their pages as ever.
"""

import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from ipaddress import ip_network
from itertools import chain, islice
from socket import socket
from typing import Any, Protocol

import gevent
from gevent.lock import BoundedSemaphore
from gevent.threadpool import ThreadPool

from fsctl.http_room import Network
from fsctl.http_server import HttpServer, Limits

THREADS = 8
SHORTEST_PAUSE = 0.02
"""Seconds between two requests of strangers when many wait: a request costs more than its thread.
"""
CROWDED = 1.0
"""Seconds after which a stranger is refused for whom there is no room: at once they ask again."""
LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
"""Where a proxy is that nobody has named: what comes from there is not counted by address."""
STREAM = "fsctl.stream"
"""Key of the WSGI environment under which a page leaves what is to be sent as it comes: an iterator
that gevent may wait in."""

StartResponse = Callable[..., Any]
Environ = dict[str, Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]


class Doorkeeper(Protocol):
    """Tells users from strangers before their requests are taken up."""

    def is_known(self, environ: Environ) -> bool:
        """Whether a user sends this, who was seen lately. It must not wait."""

    def is_signing_in(self, environ: Environ) -> bool:
        """Whether this takes the time that a password takes. It must not wait."""

    def origin(self, environ: Environ) -> str:
        """Return from where a request comes. It must not wait."""

    def largest(self, environ: Environ) -> int:
        """Return how many bytes may come with a request. In a thread."""

    def why(self, status: HTTPStatus, environ: Environ) -> str:
        """Say why a body is refused. It must not wait."""

    def crowded(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a stranger for whom there is no room. It must not wait."""


class Lane:
    """Threads for strangers, who wait in turns: ``of_one`` of each origin, in the order they came.

    At most ``waiting`` wait, and none for more than ``patience`` seconds. As long as some do, each
    thread pauses after a request, ``pauses`` times as long as it took, so that users have most of
    the processor. (A password is worked out without the interpreter: there it is 0.)
    """

    def __init__(
        self, threads: int, waiting: int, of_one: int, patience: float, pauses: float = 0.0
    ) -> None:
        self.pool = ThreadPool(threads)
        self._free = BoundedSemaphore(threads)
        self._threads = threads
        self._most = threads + waiting
        self._of_one = of_one
        self._patience = patience
        self._pauses = pauses
        self._gates: dict[str, BoundedSemaphore] = {}
        self._of: Counter[str] = Counter()

    @contextmanager
    def turn(self, origin: str) -> Iterator[bool]:
        """Wait for a thread; False: too many wait, or for too long."""
        if self._of.total() >= self._most:
            yield False
            return
        self._of[origin] += 1
        gates = self._gates.setdefault(origin, BoundedSemaphore(self._of_one)), self._free
        until = time.monotonic() + self._patience
        with ExitStack() as held:
            held.callback(self._leave, origin)
            for gate in gates:
                if not gate.acquire(timeout=max(0.0, until - time.monotonic())):
                    yield False
                    return
                held.callback(gate.release)
            began = time.monotonic()
            yield True
            if self._of.total() > self._threads:
                gevent.sleep(max(SHORTEST_PAUSE, self._pauses * (time.monotonic() - began)))

    def _leave(self, origin: str) -> None:
        self._of[origin] -= 1
        if not self._of[origin]:
            del self._of[origin], self._gates[origin]


class InThreads:
    """A WSGI application, each request of which is answered in a thread."""

    def __init__(self, app: Application, door: Doorkeeper, threads: int = THREADS) -> None:
        self._app = app
        self._door = door
        self._users = ThreadPool(threads)
        self._strangers = Lane(threads=3, waiting=300, of_one=3, patience=10.0, pauses=3.0)
        self._signing_in = Lane(threads=2, waiting=60, of_one=1, patience=5.0)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request, which is complete."""
        if self._door.is_known(environ):
            return self._answer(self._users, environ, start_response)
        lane = self._signing_in if self._door.is_signing_in(environ) else self._strangers
        with lane.turn(self._door.origin(environ)) as mine:
            if mine:
                return self._answer(lane.pool, environ, start_response)
        gevent.sleep(CROWDED)
        return self._door.crowded(environ, start_response)

    def largest(self, environ: Environ) -> int:
        """Return how many bytes may come with a request."""
        with self._strangers.turn(self._door.origin(environ)) as mine:
            return self._strangers.pool.apply(self._door.largest, (environ,)) if mine else 0

    def stop(self) -> None:
        """End the threads."""
        for pool in (self._users, self._strangers.pool, self._signing_in.pool):
            pool.kill()

    def _answer(
        self, pool: ThreadPool, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        status, headers, first, rest = pool.apply(self._begin, (environ,))
        start_response(status, headers)
        stream: Iterator[bytes] | None = environ.pop(STREAM, None)
        return chain(first, self._in_thread(pool, rest)) if stream is None else stream

    def _in_thread(self, pool: ThreadPool, rest: Iterator[bytes]) -> Iterator[bytes]:
        """Yield what is left of a long answer; each part of it is made in a thread."""
        while (part := pool.apply(next, (rest, None))) is not None:
            yield part

    def _begin(
        self, environ: Environ
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


class Server:
    """Serves an application on a listening socket; a reverse proxy is in ``proxies``."""

    def __init__(
        self,
        sock: socket,
        app: Application,
        door: Doorkeeper,
        limits: Limits,
        proxies: Sequence[Network] = (),
    ) -> None:
        self._app = InThreads(app, door)
        self._server = HttpServer(
            sock,
            self._app,
            limits,
            trusted=(*LOOPBACK, *proxies),
            largest=self._app.largest,
            why=door.why,
        )

    def start(self) -> None:
        """Begin to answer."""
        self._server.start()

    def stop(self) -> None:
        """Answer what was asked, for a second at most, and stop."""
        self._server.stop(timeout=1)
        gevent.get_hub().threadpool.apply(self._app.stop)
