"""Whether a controller lives and is ready, decided without a network."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fsctl.controller.metrics import Meter, State
from fsctl.controller.monitor import FROZEN, Monitor
from fsctl.esl.errors import NoReply, SessionClosed
from fsctl.esl.listener import bind


def asked(page: str, turned: float, known: bool = True, healthy: bool = True) -> str:
    meter = Meter()
    meter.tell(State(turned=turned))
    directory = SimpleNamespace(known=known, healthy=healthy, lag=0.0)
    controller = SimpleNamespace(calls=set(), recorder=None, directory=directory, draining=False)
    sock = bind("127.0.0.1", 0)
    said: list[str] = []
    environ = {"PATH_INFO": page, "REQUEST_METHOD": "GET"}
    Monitor(sock, cast(Any, controller), meter)._answer(
        environ, lambda status, _headers: said.append(status)
    )
    sock.close()
    return said[0][:3]


@pytest.mark.parametrize(("ago", "status"), [(0.5, "200"), (FROZEN + 1, "503")])
def test_who_has_no_turns_does_not_live(ago: float, status: str) -> None:
    assert asked("/healthz", time.time() - ago) == status


def test_ready_is_who_knows_groups_though_the_database_is_away() -> None:
    assert asked("/readyz", 0, known=False, healthy=False) == "503"
    assert asked("/readyz", 0, known=True, healthy=False) == "200"


def test_what_breaks_off_is_told_apart() -> None:
    meter = Meter()
    meter.failed(NoReply())
    meter.failed(SessionClosed())
    meter.stranger()
    meter.given_back("database")
    meter.tell(State(records_lost=3))
    meter.tell(State(records_lost=5, legs_refused=2, legs_held=1))
    text = meter.text().decode()
    for line in (
        'fsctl_event_socket_errors_total{kind="no reply"} 1.0',
        'fsctl_event_socket_errors_total{kind="closed"} 1.0',
        'fsctl_event_socket_errors_total{kind="stranger"} 1.0',
        'fsctl_calls_given_back_total{reason="database"} 1.0',
        "fsctl_records_lost_total 5.0",
        "fsctl_legs_refused_total 2.0",
        "fsctl_legs_held 1.0",
    ):
        assert line in text.splitlines()
