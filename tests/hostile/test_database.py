"""The database fails before and during calls: groups that were served ring on, at full speed."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sqlite3
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event

import pytest
from gevent import subprocess

from fsctl.admin.groups import disable_group, get_group
from fsctl.controller.directory import SLOW, Source
from fsctl.controller.signing import PATIENCE
from fsctl.hunt.group import Group
from fsctl.store.engine import make_engine
from tests.databases import Cluster
from tests.hostile.house import House, wait_until
from tests.hostile.served import Served, furnish
from tests.scenarios.controllers import ROOT

SEEN = "600"
NEVER_SEEN = tuple(str(number) for number in range(601, 610))
"""Each of these is called in one test only: the controller has not read its group before."""
FULL_SPEED = 0.3
AT_ONCE = 0.3
SOUND = 2.0
"""Seconds for the sound of a refusal, and some to spare."""


def serve(url: str) -> Served:
    """Serve a database whose group ``SEEN`` has had a call."""
    furnish(url, SEEN, *NEVER_SEEN, wait=1.5)
    served = Served(url)
    served.rings(2, SEEN)
    return served


def rings_again(served: Served, number: str, timeout: float = 8.0) -> None:
    """Wait until a call for a group never seen is served again."""
    until = time.monotonic() + timeout
    while True:
        served.rig.log.clear()
        call = served.rig.dial(number)
        served.rig.log.until(
            lambda: bool(
                served.rig.log.all("test002", "invite") or served.rig.log.all("caller", "fallback")
            ),
            timeout=5,
        )
        rang = bool(served.rig.log.all("test002", "invite"))
        call.hang_up()
        if rang:
            served.rig.log.wait("test002", "cancel")
            return
        assert time.monotonic() < until, "it does not recover"


def known_rings_and_unknown_goes_on(served: Served, unknown: str) -> None:
    assert statistics.median(served.rings(5, SEEN)) < FULL_SPEED
    # The first may be the one that finds the database away.
    assert min(served.falls_back(unknown) for _ in range(3)) < AT_ONCE
    assert statistics.median(served.rings(5, SEEN)) < FULL_SPEED


def signing_is_refused(served: Served, within: float) -> None:
    """A member who signs off while the database is away is told so in time."""
    dialled = time.monotonic()
    served.rig.log.clear()
    served.rig.dial(f"*45{SEEN}", user="test002")
    released = served.rig.log.wait("caller", "released")
    assert released.detail["code"] == 503
    assert released.at - dialled < within
    assert min(served.rings(2, SEEN)) < FULL_SPEED


def is_signed_on(url: str) -> bool:
    engine = make_engine(url)
    (member,) = get_group(engine, f"group {SEEN}").members
    engine.dispose()
    return member.signed_on


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("database") / "fsctl.db"


@pytest.fixture(scope="module")
def sqlite(place: Path) -> Iterator[Served]:
    """A controller whose file is in order at the end of each test."""
    served = serve(f"sqlite:///{place}")
    yield served
    served.close()


def test_sqlite_locked(sqlite: Served, place: Path) -> None:
    """Whoever writes does not keep readers waiting."""
    other = sqlite3.connect(place, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    other.execute("UPDATE hunt_group SET enabled = 0")
    assert statistics.median(sqlite.rings(3, SEEN)) < FULL_SPEED
    assert statistics.median(sqlite.rings(1, NEVER_SEEN[0])) < FULL_SPEED
    signing_is_refused(sqlite, PATIENCE + SOUND)
    other.execute("ROLLBACK")
    assert is_signed_on(f"sqlite:///{place}")
    other.close()


def test_sqlite_on_a_full_disk(sqlite: Served) -> None:
    pid = sqlite.controller.process.pid
    usual = resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    assert statistics.median(sqlite.rings(3, SEEN)) < FULL_SPEED
    assert statistics.median(sqlite.rings(1, NEVER_SEEN[1])) < FULL_SPEED
    resource.prlimit(pid, resource.RLIMIT_FSIZE, usual)
    rings_again(sqlite, NEVER_SEEN[2])


def test_sqlite_gone_and_back(sqlite: Served, place: Path, tmp_path: Path) -> None:
    for file in place.parent.glob("fsctl.db*"):
        shutil.move(file, tmp_path)
    known_rings_and_unknown_goes_on(sqlite, NEVER_SEEN[3])
    assert not place.exists()  # nor does an empty one take its place
    for file in tmp_path.iterdir():
        shutil.move(file, place.parent)
    rings_again(sqlite, NEVER_SEEN[3])


def test_sqlite_replaced_by_another_file(sqlite: Served, place: Path, tmp_path: Path) -> None:
    """A database that was restored from a copy is the one that counts from then on."""
    copy = tmp_path / "copy.db"
    source = sqlite3.connect(place)
    source.execute("VACUUM INTO ?", (str(copy),))
    source.close()
    engine = make_engine(f"sqlite:///{copy}")
    disable_group(engine, f"group {SEEN}")
    engine.dispose()
    for file in place.parent.glob("fsctl.db-*"):
        file.unlink()
    copy.replace(place)
    until = time.monotonic() + 8
    while (code := sqlite.released(SEEN)) != 502:
        assert time.monotonic() < until, code


def server_processes(cluster: Cluster) -> list[int]:
    """The postmaster and all its children."""
    postmaster = int((cluster.home / "data" / "postmaster.pid").read_text().split()[0])
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    return [postmaster, *map(int, children)]


@pytest.fixture(scope="module")
def postgresql(postgresql_cluster: Cluster) -> Iterator[Served]:
    postgresql_cluster.execute("CREATE DATABASE hostile")
    served = serve(postgresql_cluster.url("hostile"))
    yield served
    served.close()
    postgresql_cluster.execute("DROP DATABASE hostile WITH (FORCE)")


@contextmanager
def frozen(cluster: Cluster) -> Iterator[None]:
    pids = server_processes(cluster)
    _tell(pids, signal.SIGSTOP)
    try:
        yield
    finally:
        _tell(pids, signal.SIGCONT)


def _tell(pids: list[int], order: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):  # a connection's process may just be ending
            os.kill(pid, order)


@pytest.mark.postgresql
def test_postgresql_dies_and_comes_back(postgresql: Served, postgresql_cluster: Cluster) -> None:
    postgresql_cluster.run("pg_ctl", "stop", "-w", "-m", "immediate")
    try:
        known_rings_and_unknown_goes_on(postgresql, NEVER_SEEN[0])
    finally:
        postgresql_cluster.run("pg_ctl", "restart", "-w")  # with the options it had
    rings_again(postgresql, NEVER_SEEN[0])


@pytest.mark.postgresql
def test_postgresql_hangs_and_goes_on(postgresql: Served, postgresql_cluster: Cluster) -> None:
    with frozen(postgresql_cluster):
        known_rings_and_unknown_goes_on(postgresql, NEVER_SEEN[1])
        signing_is_refused(postgresql, PATIENCE + SOUND)
    rings_again(postgresql, NEVER_SEEN[1])
    assert is_signed_on(postgresql.controller.database_url)


@pytest.mark.postgresql
def test_a_database_that_hangs_does_not_keep_it_from_stopping(
    postgresql: Served, postgresql_cluster: Cluster
) -> None:
    with frozen(postgresql_cluster):
        postgresql.falls_back(NEVER_SEEN[2])
        postgresql.controller.signal(signal.SIGTERM)
        assert postgresql.controller.process.wait(timeout=10) == 0


@pytest.mark.parametrize(
    "url", ["postgresql://fsctl@127.0.0.1:1/fsctl", "sqlite:////nowhere/at/all/fsctl.db"]
)
def test_it_does_not_start_without_its_database(url: str) -> None:
    ended = subprocess.run(
        [sys.executable, str(ROOT / "cli.py"), "serve", "--listen", "127.0.0.1:0"],
        env={**os.environ, "FSCTL_DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: ")
    assert len(ended.stderr.splitlines()) == 1
    assert "hunts" not in ended.stdout


class SlowDatabase:
    """Takes longer for every answer than anybody waits for it; ``hurried`` ends that."""

    def __init__(self, house: House, seconds: float) -> None:
        self.house = house
        self.seconds = seconds
        self.hurried = Event()

    def load(self, keys: tuple[str, ...]) -> Group | None:
        self.hurried.wait(self.seconds)
        return self.house.load(keys)

    def revision(self) -> int:
        self.hurried.wait(self.seconds)
        return 1


@pytest.mark.parametrize("seconds", [SLOW + 0.2, 10.0])
def test_a_slow_database(seconds: float, caplog: pytest.LogCaptureFixture) -> None:
    house = House()
    house.rig.phone("test002")
    house.groups["601"] = house.groups["600"]
    slow = SlowDatabase(house, seconds)
    directory = house.follow(Source(slow.load, slow.revision))
    try:
        slow.hurried.set()
        house.rings("before")
        slow.hurried.clear()
        wait_until(lambda: not directory.healthy)
        began = time.monotonic()
        known, unknown = [], []
        while time.monotonic() - began < 0.7:  # some answers come meanwhile, all of them late
            known.append(house.rings(f"known {len(known)}"))
            who = f"unknown {len(known)}"
            house.rig.dial("601", who=who)
            fallback = house.rig.log.wait(who, "fallback").at
            unknown.append(fallback - house.rig.log.wait(who, "calling").at)
        assert statistics.median(known) < FULL_SPEED
        assert statistics.median(unknown) < AT_ONCE
        assert len([line for line in caplog.messages if "known groups go on" in line]) == 1
        slow.hurried.set()
        wait_until(lambda: directory.healthy)
        assert directory.find(("601",)) == house.groups["601"]
    finally:
        slow.hurried.set()
        house.close()
