"""The rig for this folder's tests: one FreeSWITCH for all of them, empty again after each."""

from collections.abc import Iterator

import pytest

from tests.live.freeswitch import installed
from tests.live.rig import FreeSwitchRig


@pytest.fixture(scope="session")
def switchboard() -> Iterator[FreeSwitchRig]:
    if not installed():
        pytest.skip("no FreeSWITCH on this machine")
    rig = FreeSwitchRig()
    yield rig
    rig.close()


@pytest.fixture
def rig(switchboard: FreeSwitchRig) -> Iterator[FreeSwitchRig]:
    yield switchboard
    switchboard.reset()
