"""The service's own example at its own times, on a real FreeSWITCH: 0, 6 and 10 s, 30 s in all."""

from __future__ import annotations

import pytest

from tests.scenarios.conftest import MakeGroup
from tests.scenarios.rig import Rig, Script

ON_TIME = 0.15
"""Seconds by which a leg may start late while other tests have the processors too. Nobody hears
them; how late legs are on a machine of their own is measured by the benchmarks."""
SLOW_START = 0.05
"""Seconds that FreeSWITCH itself may take from the caller's INVITE to its socket application."""


@pytest.mark.live
@pytest.mark.parametrize("switch", ["freeswitch"], indirect=True)
def test_the_example_answered_by_the_second_and_by_nobody(rig: Rig, group: MakeGroup) -> None:
    """Two groups like the example, called at the same time: one is answered at 7 s."""
    silent = {"test002": 0.0, "test006": 6.0, "test007": 10.0}
    lively = {"test012": 0.0, "test016": 6.0, "test017": 10.0}
    for user in (*silent, *lively):
        rig.phone(user)
    rig.phone("test016", Script(answer_after=1.0))
    rig.dial(group(silent, wait=30.0), who="silent")
    call = rig.dial(group(lively, wait=30.0), who="lively")

    began = rig.log.wait("lively", "calling").at
    answered = rig.log.wait("lively", "answered", timeout=10).at - began
    assert answered == pytest.approx(7.0, abs=0.5)
    assert call.hears("test016")
    assert "Call completed elsewhere" in str(rig.log.wait("test012", "cancel").detail["reason"])
    call.hang_up()

    began = rig.log.wait("silent", "calling").at
    released = rig.log.wait("silent", "released", timeout=40)
    assert released.detail["code"] == 480
    assert released.at - began == pytest.approx(30.0, abs=0.5)
    first = rig.log.wait("test002", "invite").at
    assert first - began < SLOW_START + ON_TIME
    for user, delay in silent.items():
        assert rig.log.wait(user, "invite").at - first == pytest.approx(delay, abs=ON_TIME)
        rig.log.wait(user, "cancel")
    rig.log.absent("test017", "invite")
