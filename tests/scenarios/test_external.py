"""Members who are telephone numbers outside of the directory."""

from __future__ import annotations

import pytest

from tests.scenarios.conftest import MakeGroup
from tests.scenarios.rig import Rig, Script
from tests.scenarios.test_hunt import SLACK, after

MOBILE = "+48501234567"


def test_a_mobile_rings_beside_a_user_and_has_the_caller(rig: Rig, group: MakeGroup) -> None:
    rig.phone("test002")
    rig.phone(MOBILE, Script(answer_after=0.3))
    number = group({"test002": 0.0, MOBILE: 0.0})
    call = rig.dial(number)
    rig.log.wait("caller", "answered")
    assert call.hears(MOBILE)
    assert "Call completed elsewhere" in str(rig.log.wait("test002", "cancel").detail["reason"])
    assert rig.log.wait("test002", "invite").detail["number"] == "+48600100200"
    assert rig.log.wait(MOBILE, "invite").detail["number"] == number


def test_a_mobile_that_need_not_ring_any_more_stops(rig: Rig, group: MakeGroup) -> None:
    rig.phone("test002", Script(answer_after=0.3))
    rig.phone(MOBILE)
    call = rig.dial(group({"test002": 0.0, MOBILE: 0.0}))
    rig.log.wait(MOBILE, "cancel")
    assert call.hears("test002")


def test_a_mobile_s_voicemail_box_does_not_have_the_caller(rig: Rig, group: MakeGroup) -> None:
    rig.phone("test002", Script(answer_after=0.2))
    rig.phone(MOBILE, Script(answer_after=0.1))
    call = rig.dial(group({MOBILE: 0.0, "test002": 0.4}, confirm=(MOBILE,)))
    rig.log.wait("caller", "answered")
    assert call.hears("test002")
    rig.log.wait(MOBILE, "bye")


def test_a_way_out_that_fails_moves_the_others_up(rig: Rig, group: MakeGroup) -> None:
    """Nothing listens where the number is dialled."""
    rig.phone("test002")
    rig.dial(group({MOBILE: 0.0, "test002": 2.0}))
    seen = rig.log.wait("test002", "invite")
    assert after(rig, seen) == pytest.approx(SLACK, abs=SLACK)
