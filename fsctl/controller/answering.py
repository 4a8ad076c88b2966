"""A small HTTP server beside the calls: for who watches, and for switches that ask."""

import resource
import socket as plain
import time
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any

import gevent
from gevent.lock import BoundedSemaphore

from fsctl.http_room import Network
from fsctl.http_server import Application, HttpServer, Limits

CONNECTIONS, FEWEST_CONNECTIONS = 200, 20
"""Connections at once; fewer where a process may open few files, which calls need."""
OF_ONE_ADDRESS = 20
PAUSES = 4.0
"""How many times longer than the answers to anybody the pauses between them are."""
LARGEST = 4 * 1024 * 1024
"""Bytes of a question: a channel may have many variables."""


def respond(start_response: Any, status: HTTPStatus, kind: str, body: bytes) -> Iterable[bytes]:
    """Begin an HTTP answer that is not to be kept, and return its body."""
    headers = [
        ("Content-Type", kind),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
    ]
    start_response(f"{status.value} {status.phrase}", headers)
    return [body]


class _Sparing:
    """An application that anybody may ask, one request after the other, with pauses for calls."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._turn = BoundedSemaphore(1)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        with self._turn:
            began = time.monotonic()
            answer = self._application(environ, start_response)
            gevent.sleep(PAUSES * (time.monotonic() - began))
            return answer


def quiet_server(
    sock: plain.socket, application: Application, allowed: Sequence[Network] | None = None
) -> HttpServer:
    """Return a server that logs no request, and errors as we do.

    With ``allowed`` only those networks are heard, any number of times from one address: a switch
    asks for each of its calls. Without it calls come first, however often anybody asks.
    """
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    limits = Limits(
        connections=max(FEWEST_CONNECTIONS, min(CONNECTIONS, files // 20)),
        of_one_address=OF_ONE_ADDRESS,
        body=1024 if allowed is None else 64 * 1024,
        idle=10.0,
        bodies=4 * LARGEST,
    )
    largest = 0 if allowed is None else LARGEST
    return HttpServer(
        sock,
        _Sparing(application) if allowed is None else application,
        limits,
        allowed=allowed,
        trusted=allowed or (),
        largest=lambda _environ: largest,
    )
