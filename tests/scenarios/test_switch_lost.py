"""FreeSWITCH dies while a caller waits: what the records say of it."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.scenarios.conftest import SWITCHES, MakeGroup, start_rig
from tests.scenarios.controllers import ServedController
from tests.scenarios.rig import Rig, Script
from tests.scenarios.test_records import record

if TYPE_CHECKING:
    from tests.live.rig import FreeSwitchRig
    from tests.scenarios.python_rig import PythonRig


def kill(rig: FreeSwitchRig | PythonRig) -> None:
    """End the switch at once."""
    if rig.name == "python":
        for listener in list(rig.switch.listeners):  # type: ignore[union-attr]
            listener.close()
    else:
        rig.switch.stop()  # type: ignore[union-attr]


@pytest.mark.parametrize("name", SWITCHES)
def test_a_call_whose_switch_dies_is_recorded_as_that(
    name: str, controller: ServedController, group: MakeGroup, database_url: str
) -> None:
    rig: Rig = start_rig(name, controller.address)
    rig.phone("test002")
    rig.phone("test006", Script(refuse=486))
    ringing = rig.dial(group(["test002"]))
    queued = rig.dial(group(["test006"], line=1, line_wait=30.0), who="queued")
    rig.log.wait("test002", "invite")
    rig.log.wait("test006", "busy")
    rig.log.wait("queued", "ringing")
    kill(rig)  # type: ignore[arg-type]
    for call in (ringing, queued):
        assert record(database_url, call.uuid)["outcome"] == "switch lost"
    if name == "python":
        rig.close()


def test_a_controller_that_stops_has_lost_no_switch(
    rig: Rig, group: MakeGroup, database_url: str
) -> None:
    """The dialplan has the caller again."""
    served = ServedController(database_url)
    rig.phone("test002")
    call = rig.dial(group(["test002"]), controllers=served.address)
    rig.log.wait("test002", "invite")
    served.signal(signal.SIGTERM)
    served.signal(signal.SIGINT)
    rig.log.wait("caller", "fallback")
    assert served.process.wait(timeout=10) == 0
    assert record(database_url, call.uuid)["outcome"] == "handed back"
