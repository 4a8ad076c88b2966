"""Answers those who watch: Prometheus, a load balancer, a service's health check (HTTP).

Owns the greenlet that looks once a second how the controller is, and what ``/metrics``,
``/healthz`` and ``/readyz`` say. *Live* means that the loop of every process has its turns: when
not, restarting helps. *Ready* means that calls can come: not before the database has answered for
the first time, and not once told to stop. A database that is away later makes nobody unready: known
groups are served, and every other controller would be unready with it.
"""

import socket as plain
import time
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import gevent
import orjson

from fsctl.controller.answering import quiet_server, respond
from fsctl.controller.metrics import CONTENT_TYPE, Meter, State
from fsctl.controller.server import Controller

if TYPE_CHECKING:
    from fsctl.controller.mailer import Mailer

PACE = 1.0
"""Seconds between two looks."""
FROZEN = 10.0
"""Seconds without a turn after which a process counts as frozen."""

Answer = tuple[HTTPStatus, str, bytes]


class Monitor:
    """Watches a controller, and who sends mails if somebody does; tells ``meter``, and answers on a
    listening socket."""

    def __init__(
        self,
        sock: plain.socket,
        controller: Controller,
        meter: Meter,
        mailer: "Mailer | None" = None,
    ) -> None:
        self._controller = controller
        self._mailer = mailer
        self._meter = meter
        self._looking: gevent.Greenlet[..., None] | None = None
        self._pages = {
            "/metrics": lambda: (HTTPStatus.OK, CONTENT_TYPE, meter.text()),
            "/healthz": self._live,
            "/readyz": self._ready,
        }
        self._server = quiet_server(sock, self._answer)

    def start(self) -> None:
        """Begin to watch and to answer."""
        self._meter.tell(self._look(0.0))
        self._looking = gevent.spawn(self._keep_looking)
        self._server.start()

    def stop(self) -> None:
        """Answer no more."""
        if self._looking:
            self._looking.kill()
        self._server.stop(timeout=0)

    def _keep_looking(self) -> None:
        while True:
            began = time.monotonic()
            gevent.sleep(PACE)
            self._meter.tell(self._look(time.monotonic() - began - PACE))

    def _look(self, lag: float) -> State:
        controller, recorder = self._controller, self._controller.recorder
        calls = controller.calls
        return State(
            waiting=sum(not call.caller.over.is_set() for call in calls),
            talking=sum(call.hunt.winner is not None for call in calls),
            in_line=len(controller.in_line),
            legs_held=controller.capacities.held,
            legs_refused=controller.capacities.refusals,
            database_up=controller.directory.healthy and controller.directory.known,
            database_lag=controller.directory.lag,
            records_waiting=recorder.waiting if recorder else 0,
            records_lost=recorder.lost if recorder else 0,
            records_kept=recorder.healthy if recorder else True,
            mails_waiting=self._mailer.waiting if self._mailer else 0,
            loop_lag=max(0.0, lag),
            turned=time.time(),
            draining=controller.draining,
        )

    # What is said

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        page = self._pages.get(environ["PATH_INFO"])
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            status, kind, body = HTTPStatus.METHOD_NOT_ALLOWED, "text/plain", b"Only GET.\n"
        elif page is None:
            here = ", ".join(self._pages).encode()
            status, kind, body = HTTPStatus.NOT_FOUND, "text/plain", b"Here are: %s\n" % here
        else:
            status, kind, body = page()
        return respond(start_response, status, kind, body)

    def _live(self) -> Answer:
        silent = max(0.0, time.time() - self._meter.oldest_turn())
        return _verdict(silent < FROZEN, {"last_turn_seconds_ago": round(silent, 3)})

    def _ready(self) -> Answer:
        directory = self._controller.directory
        facts = {
            "draining": self._controller.draining,
            "database_known": directory.known,
            "database_answers": directory.healthy,
        }
        return _verdict(directory.known and not self._controller.draining, facts)


def _verdict(well: bool, facts: Mapping[str, object]) -> Answer:
    body = orjson.dumps({"ok": well, **facts}, option=orjson.OPT_APPEND_NEWLINE)
    return (
        HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE,
        "application/json",
        body,
    )
