"""A directory that takes longer to find a user than the caller waits."""

from __future__ import annotations

import gevent
import pytest

from tests.scenarios.conftest import MakeGroup, Mortal
from tests.scenarios.rig import Rig, Script
from tests.scenarios.test_records import NEAR

SLOW = 1.7
"""Seconds for which the directory looks for ``test006``."""


def no_phone_rings(rig: Rig) -> None:
    """Wait until the directory has found the user: what must not happen gives no other sign."""
    gevent.sleep(SLOW + 0.4)
    rig.log.absent("test006", "invite")


@pytest.fixture
def slow(rig: Rig) -> Rig:
    rig.phone("test002")
    rig.phone("test006", Script(answer_after=0.0))
    rig.slow_directory("test006", SLOW)
    return rig


def test_no_phone_rings_for_a_caller_who_has_left(slow: Rig, group: MakeGroup) -> None:
    call = slow.dial(group({"test002": 0.0, "test006": 0.0}, wait=10.0))
    calling = slow.log.wait("caller", "calling").at
    assert slow.log.wait("test002", "invite").at - calling < SLOW / 2  # it is not delayed
    call.hang_up()
    no_phone_rings(slow)
    assert slow.channels() == []


def test_nor_with_the_controller_dead(slow: Rig, group: MakeGroup, mortal: Mortal) -> None:
    controller = mortal()
    number = group({"test002": 0.0, "test006": 0.0}, wait=10.0)
    call = slow.dial(number, controllers=controller.address)
    slow.log.wait("test002", "invite")
    controller.stop()
    call.hang_up()
    no_phone_rings(slow)


def test_nor_when_somebody_has_answered(slow: Rig, group: MakeGroup) -> None:
    slow.phone("test002", Script(answer_after=0.1))
    call = slow.dial(group({"test002": 0.0, "test006": 0.0}, wait=10.0))
    slow.log.wait("caller", "answered")
    no_phone_rings(slow)
    assert call.hears("test002")


def test_nor_when_the_ring_time_is_over(slow: Rig, group: MakeGroup) -> None:
    number = group(["test006", "test002"], wait=10.0, strategy="top-down", ring_time=1.0)
    slow.dial(number)
    slow.log.wait("test002", "invite")
    no_phone_rings(slow)


@pytest.mark.parametrize("ending", ["group group {}", "extension {} rig"])
def test_the_caller_goes_on_in_time(slow: Rig, group: MakeGroup, ending: str) -> None:
    """The leg that the directory holds up is not waited for, and does no harm when it ends."""
    slow.phone("test002", Script(answer_after=SLOW))
    second = group(["test002"], wait=10.0)
    call = slow.dial(group(["test006"], wait=1.0, ending=ending.format(second)))
    calling = slow.log.wait("caller", "calling").at
    assert slow.log.wait("test002", "invite").at - calling < 1.5 + 2 * NEAR
    no_phone_rings(slow)
    slow.log.wait("caller", "answered")
    assert call.hears("test002")
