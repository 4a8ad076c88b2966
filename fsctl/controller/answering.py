"""A small HTTP server beside the calls: for who watches, and for switches that ask."""

import logging
import socket as plain
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from gevent.pywsgi import WSGIHandler, WSGIServer

MOST_AT_ONCE = 20
"""Requests that are answered at once; who comes beyond that waits."""
IDLE = 30.0
"""Seconds that somebody has to say what they want."""

log = logging.getLogger(__name__)

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def respond(start_response: Any, status: HTTPStatus, kind: str, body: bytes) -> Iterable[bytes]:
    """Begin an HTTP answer that is not to be kept, and return its body."""
    headers = [
        ("Content-Type", kind),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
    ]
    start_response(f"{status.value} {status.phrase}", headers)
    return [body]


class _Handler(WSGIHandler):
    """A connection that is not kept for who says nothing."""

    def __init__(self, sock: Any, address: Any, server: Any) -> None:
        sock.settimeout(IDLE)
        super().__init__(sock, address, server)


def quiet_server(sock: plain.socket, application: Application) -> WSGIServer:
    """Return a server that logs no request, and errors as we do."""
    return WSGIServer(
        sock, application, log=None, error_log=log, handler_class=_Handler, spawn=MOST_AT_ONCE
    )
