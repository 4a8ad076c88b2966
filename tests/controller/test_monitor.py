"""What Prometheus, a load balancer and a health check are told of ``fsctl serve``."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import gevent
import pytest
from prometheus_client.parser import text_string_to_metric_families

from fsctl.admin.groups import add_group
from fsctl.admin.members import add_member
from fsctl.admin.numbers import add_numbers
from fsctl.store.engine import make_engine
from tests.databases import make_tables
from tests.scenarios.controllers import ServedController
from tests.scenarios.python_rig import PythonRig
from tests.scenarios.rig import Script

NUMBER, CALLER = "3000", "+48600100200"


def fetch(place: str, page: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(place, timeout=10)
    try:
        connection.request("GET", page)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


class Watched:
    """``fsctl serve`` with so many workers, a switch, and somebody who watches."""

    def __init__(self, database_url: str) -> None:
        self.controller = ServedController(database_url)
        assert self.controller.process.stdout
        for line in self.controller.process.stdout:
            if found := re.match("Metrics are at http://(.*)/metrics", line):
                self.place = found[1]
                break
        self.rig = PythonRig(self.controller.address)

    def get(self, page: str) -> tuple[int, str]:
        found: tuple[int, str] = gevent.get_hub().threadpool.apply(fetch, (self.place, page))
        return found

    def value(self, name: str, **labels: str) -> float | None:
        """Return one value of those that Prometheus would read."""
        for family in text_string_to_metric_families(self.get("/metrics")[1]):
            for sample in family.samples:
                if sample.name == name and sample.labels == labels:
                    return sample.value
        return None

    def until(self, condition: Callable[[], bool]) -> None:
        with gevent.Timeout(15, AssertionError("it did not come true")):
            while not condition():
                gevent.sleep(0.05)

    def close(self) -> None:
        self.rig.close()
        self.controller.signal(signal.SIGKILL)
        self.controller.stop()


@pytest.fixture
def watched(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Watched]:
    url = f"sqlite:///{tmp_path / 'fsctl.db'}"
    make_tables(url)
    engine = make_engine(url)
    add_group(engine, "watched", wait=20.0)
    add_numbers(engine, "watched", [NUMBER], "PL")
    add_member(engine, "watched", "test002")
    monkeypatch.setenv("FSCTL_METRICS_LISTEN", "127.0.0.1:0")
    monkeypatch.setenv("FSCTL_WORKERS", str(request.param))
    monkeypatch.setenv("FSCTL_SPOOL", str(tmp_path / "spool"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    found = Watched(url)
    found.until(lambda: found.get("/readyz")[0] == 200)
    found.until(lambda: found.get("/healthz")[0] == 200)  # the other worker is there, too
    yield found
    found.close()


@pytest.mark.parametrize("watched", [1, 2], indirect=True)
def test_calls_and_legs_are_counted(watched: Watched, tmp_path: Path) -> None:
    rig = watched.rig
    rig.phone("test002", Script(answer_after=0.0, hang_up_after=0.1))
    for who in ("a", "b", "c"):
        rig.dial(NUMBER, who=who)
        rig.log.wait(who, "answered")
    rig.dial("9999", who="lost")
    rig.log.wait("lost", "released")
    rig.phone("test002")
    waiting = rig.dial(NUMBER, who="waiting")
    rig.log.wait("waiting", "ringing")

    watched.until(lambda: watched.value("fsctl_calls_waiting") == 1)
    watched.until(lambda: watched.value("fsctl_calls_total", outcome="answered") == 3)
    assert watched.value("fsctl_calls_total", outcome="no such number") == 1
    assert watched.value("fsctl_calls_total", outcome="busy") == 0
    assert watched.value("fsctl_legs_total", outcome="answered") == 3
    assert watched.value("fsctl_answer_seconds_count") == 3
    assert watched.value("fsctl_leg_lateness_seconds_count") == 3
    assert watched.value("fsctl_admission_seconds_count") == 5
    watched.until(lambda: watched.value("fsctl_database_up") == 1)
    assert watched.value("fsctl_records_kept") == 1

    waiting.hang_up()
    watched.until(lambda: watched.value("fsctl_calls_total", outcome="caller gave up") == 1)
    watched.until(lambda: watched.value("fsctl_calls_waiting") == 0)
    assert watched.value("fsctl_legs_total", outcome="cancelled") == 1
    assert CALLER not in watched.get("/metrics")[1]


@pytest.mark.parametrize("watched", [2], indirect=True)
def test_what_a_dead_worker_has_counted_stays_and_how_it_was_does_not(watched: Watched) -> None:
    rig = watched.rig
    rig.phone("test002")
    rig.dial("9999", who="lost")
    rig.log.wait("lost", "released")
    rig.dial(NUMBER, who="waiting")
    rig.log.wait("waiting", "ringing")
    watched.until(lambda: watched.value("fsctl_calls_waiting") == 1)
    pid = watched.controller.process.pid
    for worker in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        os.kill(int(worker), signal.SIGKILL)
    watched.until(lambda: watched.value("fsctl_calls_waiting") == 0)
    assert watched.value("fsctl_calls_total", outcome="no such number") == 1


@pytest.mark.parametrize("watched", [2], indirect=True)
def test_a_frozen_worker_is_told_by_the_other(watched: Watched) -> None:
    pid = watched.controller.process.pid
    frozen = int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
    assert json.loads(watched.get("/healthz")[1])["ok"] is True
    os.kill(frozen, signal.SIGSTOP)
    # A healthy one has a turn every second.
    watched.until(lambda: json.loads(watched.get("/healthz")[1])["last_turn_seconds_ago"] > 2.5)
    os.kill(frozen, signal.SIGCONT)


@pytest.mark.parametrize("watched", [1], indirect=True)
def test_draining_it_is_not_ready_and_still_lives(watched: Watched) -> None:
    rig = watched.rig
    rig.phone("test002")
    rig.dial(NUMBER)
    rig.log.wait("test002", "invite")
    watched.controller.signal(signal.SIGTERM)
    watched.until(lambda: watched.get("/readyz")[0] == 503)
    assert json.loads(watched.get("/readyz")[1])["draining"] is True
    assert watched.get("/healthz")[0] == 200
    assert watched.get("/nothing")[0] == 404
    rig.answer_together("test002")
    rig.log.wait("caller", "answered")
    assert watched.controller.process.wait(timeout=10) == 0
