"""Fixtures of the scenarios: a controller, groups, and one of two switches."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Iterable, Iterator
from itertools import count

import pytest
from sqlalchemy import Engine

from fsctl.admin.allowed import allowing
from fsctl.admin.groups import add_group
from fsctl.admin.kinds import Given
from fsctl.admin.members import add_member
from fsctl.admin.numbers import add_numbers
from fsctl.settings import Settings
from fsctl.store.engine import make_engine
from tests.databases import make_tables
from tests.scenarios.controllers import ServedController
from tests.scenarios.rig import Rig

SWITCHES = ["python", pytest.param("freeswitch", marks=pytest.mark.live)]
_numbers = count(2000)

MakeGroup = Callable[..., str]
Mortal = Callable[[], ServedController]


@pytest.fixture(scope="session")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('scenarios') / 'fsctl.db'}"
    make_tables(url)
    return url


@pytest.fixture(scope="session")
def engine(database_url: str) -> Engine:
    return allowing(make_engine(database_url), Settings().allowed, external=True)


@pytest.fixture(scope="session")
def outside() -> int:
    """Return the port of the one telephone outside, free now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.fixture(scope="session")
def controller(database_url: str, outside: int) -> Iterator[ServedController]:
    served = ServedController(
        database_url,
        external_dial=f"sofia/external/{{number}}@127.0.0.1:{outside}",
        external_caller="{dialled}",
    )
    yield served
    served.stop()


@pytest.fixture
def group(engine: Engine) -> MakeGroup:
    """Make a group of users, with their delays if any, and return the number that it serves."""

    def make(
        members: Iterable[str],
        *,
        wait: float = 3.0,
        number: str = "",
        confirm: tuple[str, ...] = (),
        **settings: Given,
    ) -> str:
        number = number or str(next(_numbers))
        name = f"group {number}"
        add_group(engine, name, wait=wait, **settings)
        add_numbers(engine, name, [number], "PL")
        delays = members if isinstance(members, dict) else dict.fromkeys(members, 0.0)
        for user, delay in delays.items():
            add_member(engine, name, user, delay=delay, confirm=user in confirm)
        return number

    return make


def start_rig(name: str, address: str, outside: int = 0) -> Rig:
    if name == "python":
        from tests.scenarios.python_rig import PythonRig

        return PythonRig(address)
    if not shutil.which("freeswitch"):
        pytest.skip("no FreeSWITCH on this machine")
    from tests.live.rig import FreeSwitchRig

    return FreeSwitchRig(address, outside)


@pytest.fixture(scope="session", params=SWITCHES)
def switch(
    request: pytest.FixtureRequest, controller: ServedController, outside: int
) -> Iterator[Rig]:
    rig = start_rig(request.param, controller.address, outside)
    yield rig
    rig.close()


@pytest.fixture
def rig(switch: Rig) -> Iterator[Rig]:
    yield switch
    switch.reset()


@pytest.fixture
def mortal(database_url: str) -> Iterator[Mortal]:
    """Start controllers that may be killed."""
    started: list[ServedController] = []

    def start() -> ServedController:
        started.append(ServedController(database_url))
        return started[-1]

    yield start
    for controller in started:
        controller.stop()
