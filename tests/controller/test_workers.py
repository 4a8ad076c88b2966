"""Several processes on one socket: ``fsctl serve`` with the setting ``workers``."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest
from gevent.fileobject import FileObjectPosix

from fsctl.admin.groups import add_group
from fsctl.admin.members import add_member
from fsctl.admin.numbers import add_numbers
from fsctl.store.engine import make_engine
from tests.databases import make_tables
from tests.scenarios.controllers import ServedController
from tests.scenarios.python_rig import PythonRig
from tests.scenarios.rig import Script

ROOT = Path(__file__).parent.parent.parent
NUMBER = "3000"


class Served:
    """Two workers, their master, and what they log."""

    def __init__(self, database_url: str) -> None:
        heard, written = os.pipe()
        self._log = FileObjectPosix(heard, "rb")
        with os.fdopen(written, "w") as log:
            self.master = ServedController(database_url, log=log)
        self.address = self.master.address
        for _ in "12":
            self.says("takes calls")

    def says(self, pattern: str) -> re.Match[str]:
        """Return the next line of the log that matches."""
        with gevent.Timeout(10, AssertionError(f"nothing was logged like {pattern}")):
            for line in self._log:
                if found := re.search(pattern, line.decode()):
                    return found
        raise AssertionError(f"the log ended without {pattern}")

    def workers(self) -> list[int]:
        pid = self.master.process.pid
        return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def stop(self) -> None:
        for pid in [*self.workers(), self.master.process.pid] if self.runs else []:
            os.kill(pid, signal.SIGKILL)
        self.master.stop()
        self._log.close()

    @property
    def runs(self) -> bool:
        return self.master.process.poll() is None


@pytest.fixture(scope="module")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('workers') / 'fsctl.db'}"
    make_tables(url)
    engine = make_engine(url)
    add_group(engine, "workers", wait=5.0)
    add_numbers(engine, "workers", [NUMBER], "PL")
    add_member(engine, "workers", "test002")
    return url


@pytest.fixture
def served(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setenv("FSCTL_WORKERS", "2")
    found = Served(database_url)
    yield found
    found.stop()


@pytest.fixture
def rig(served: Served) -> Iterator[PythonRig]:
    found = PythonRig(served.address)
    yield found
    found.close()


def ended(pid: int) -> None:
    """Wait until a process that is not ours has ended."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([handle], [], [], 10)[0]
    finally:
        os.close(handle)


def test_the_log_says_which_worker_has_a_call(served: Served, rig: PythonRig) -> None:
    rig.phone("test002", Script(answer_after=0.0))
    rig.dial(NUMBER)
    rig.log.wait("caller", "answered")
    assert served.says(r"INFO worker (\d): \S+ hunts in group 'workers'")[1] in "12"


def test_killed_workers_are_replaced_and_calls_go_on(served: Served, rig: PythonRig) -> None:
    before = served.workers()
    assert len(before) == 2
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    dead = {int(served.says(r"\(process (\d+)\) was ended by signal 9; another")[1]) for _ in "12"}
    assert dead == set(before)
    rig.phone("test002", Script(answer_after=0.0))
    rig.dial(NUMBER)
    rig.log.wait("caller", "answered")
    assert not set(before) & set(served.workers())


def test_the_death_of_one_worker_is_nothing_to_the_calls_of_another(
    served: Served, rig: PythonRig
) -> None:
    rig.phone("test002")
    call = rig.dial(NUMBER)
    rig.log.wait("test002", "invite")
    busy = int(served.says(r"worker (\d): \S+ hunts")[1])
    idle = served.workers()[2 - busy]
    os.kill(idle, signal.SIGKILL)
    assert int(served.says(rf"worker (\d) \(process {idle}\) was ended")[1]) == 3 - busy
    rig.answer_together("test002")
    rig.log.wait("caller", "answered")
    assert call.hears("test002")


def test_told_to_stop_all_let_their_hunts_end(served: Served, rig: PythonRig) -> None:
    rig.phone("test002")
    rig.dial(NUMBER)
    rig.log.wait("test002", "invite")
    workers = served.workers()
    served.master.signal(signal.SIGTERM)
    rig.answer_together("test002")
    rig.log.wait("caller", "answered")
    assert served.master.process.wait(timeout=10) == 0
    rig.dial(NUMBER, who="late")
    rig.log.wait("late", "fallback")
    for pid in workers:
        ended(pid)


def test_told_twice_all_stop_at_once(served: Served, rig: PythonRig) -> None:
    rig.phone("test002")
    rig.dial(NUMBER)
    rig.log.wait("test002", "invite")
    served.master.signal(signal.SIGTERM)
    served.master.signal(signal.SIGINT)
    assert served.master.process.wait(timeout=4) == 0
    rig.log.absent("caller", "answered")


def test_workers_outlive_a_killed_master_only_as_long_as_their_hunts(
    served: Served, rig: PythonRig
) -> None:
    rig.phone("test002")
    call = rig.dial(NUMBER)
    rig.log.wait("test002", "invite")
    workers = served.workers()
    served.master.signal(signal.SIGKILL)
    rig.answer_together("test002")
    rig.log.wait("caller", "answered")
    call.hang_up()
    for pid in workers:
        gevent.get_hub().threadpool.apply(ended, (pid,))


def test_who_dies_young_is_replaced_after_ever_longer_pauses() -> None:
    script = """
import logging, os, signal
from fsctl.controller.workers import Workers
logging.basicConfig(format="%(message)s")
lives = iter(range(3))
def work(number, orders):
    os._exit(3)
class Counted(Workers):
    def _start(self, worker):
        if next(lives, None) is None:
            os.kill(os.getpid(), signal.SIGTERM)
        else:
            super()._start(worker)
Counted(1, work, lambda: None).run()
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        capture_output=True,
        text=True,
        timeout=20,
        cwd=ROOT,
    )
    pauses = re.findall(r"ended with status 3; another starts in ([\d.]+) s", done.stderr)
    assert pauses == ["0.1", "0.2", "0.4"]
