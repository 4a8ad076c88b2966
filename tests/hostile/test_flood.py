"""A controller of its own process under floods: what a real call beside them notices."""

from __future__ import annotations

import resource
import statistics
import sys
from collections.abc import Iterator

import gevent
import pytest
from gevent import subprocess

from tests.hostile.flooder import FLOODS
from tests.hostile.house import wait_until
from tests.hostile.served import Served, furnish
from tests.scenarios.controllers import ROOT

SILENT = 5_000
MAY_DELAY = 0.05
"""Seconds by which silent connections may delay a call."""
STARVED = 0.7
"""Seconds after which a call would ring that has to wait until a flood is over, and more."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('flood') / 'fsctl.db'}"
    furnish(url, "600", wait=1.0)
    return url


@pytest.fixture
def many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < SILENT + 500:
        pytest.skip(f"a process may open {hard} files here: too few for {SILENT} connections")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_files")
def test_five_thousand_silent_connections_delay_no_call(url: str) -> None:
    """Neither while they come, nor while they stand, nor when they are all sent away."""
    served = Served(url, reply_time="5")
    try:
        served.rings(3)  # the group is known, the code is warm
        alone = served.rings(10)
        before = served.memory()
        coming = gevent.spawn(served.rings, 10)
        silent = served.connect(SILENT)
        found = {"coming": coming.get()}
        wait_until(lambda: served.files() > 0.9 * SILENT)
        found["standing"] = served.rings(10)
        each = (served.memory() - before) / SILENT
        found["leaving"] = []
        while served.files() > SILENT / 100:
            found["leaving"] += served.rings()
        for sock in silent:
            sock.close()
    finally:
        served.close()
    usual = statistics.median(alone)
    for when, rung in found.items():
        more = [round((seconds - usual) * 1000) for seconds in sorted(rung)]
        print(f"{when}: {more} ms more than the usual {usual * 1000:.0f} ms")
        assert statistics.median(rung) - usual < MAY_DELAY
    print(f"{each:.0f} bytes for each connection")
    assert each < 40_000


def test_floods_in_some_calls_starve_no_other(url: str) -> None:
    served = Served(url, reply_time="0.5")
    command = [sys.executable, "-m", "tests.hostile.flooder", *map(str, served.place), "600"]
    flooders = [
        subprocess.Popen([*command, kind], cwd=ROOT, stdout=subprocess.PIPE) for kind in FLOODS
    ]
    try:
        for flooder in flooders:
            assert flooder.stdout
            assert b"orders answered" in flooder.stdout.readline()
        before = served.memory()
        rung = served.rings(4)
        print(f"under {len(FLOODS)} floods it rings after {max(rung) * 1000:.0f} ms at most")
        assert statistics.median(rung) < STARVED
        assert served.memory() - before < 30_000_000
        # A mad call ends as any other does: the group's wait is over, nobody has answered.
        for flooder in flooders:
            assert b"nobody takes it" in flooder.stdout.readline()
    finally:
        for flooder in flooders:
            flooder.kill()
            flooder.wait()
            flooder.stdout.close()
        served.close()


def test_running_out_of_files_is_survived(url: str) -> None:
    served = Served(url, files=200)
    try:
        strangers = served.connect(400)
        wait_until(lambda: served.files() > 120)
        served.rings(3)  # calls take the place of the silent ones
        used = served.processor_time()
        gevent.sleep(1.0)
        assert served.processor_time() - used < 0.3  # and nothing spins
        for sock in strangers:
            sock.close()
        served.rings(3)
    finally:
        served.close()
