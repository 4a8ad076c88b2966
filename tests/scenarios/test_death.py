"""The controller dies, freezes or is stopped: what the caller and the telephones notice of it."""

from __future__ import annotations

import signal

import pytest

from tests.scenarios.conftest import MakeGroup, Mortal
from tests.scenarios.rig import Rig, Script

MUSIC = "tone_stream://%(200,200,350);loops=-1"


def wait_for_fallback(rig: Rig, timeout: float, who: str = "caller") -> float:
    return rig.log.wait(who, "fallback", timeout=timeout).at


@pytest.mark.parametrize("settings", [{}, {"music": MUSIC}], ids=["ringing", "music"])
def test_killed_while_phones_ring_a_member_still_gets_the_caller(
    rig: Rig, group: MakeGroup, mortal: Mortal, settings: dict[str, object]
) -> None:
    controller = mortal()
    rig.phone("test002", Script(answer_after=0.8))
    rig.phone("test006")
    number = group({"test002": 0.0, "test006": 0.0}, **settings)
    call = rig.dial(number, controllers=controller.address)
    rig.log.wait("test006", "invite")
    controller.signal(signal.SIGKILL)
    rig.log.wait("caller", "answered")
    assert "Call completed elsewhere" in str(rig.log.wait("test006", "cancel").detail["reason"])
    assert call.hears("test002")


def test_killed_while_phones_ring_the_caller_goes_on_in_the_dialplan(
    rig: Rig, group: MakeGroup, mortal: Mortal
) -> None:
    controller = mortal()
    for user, who, settings in (("test002", "caller", {}), ("test006", "music", {"music": MUSIC})):
        rig.phone(user)
        number = group({user: 0.0}, wait=2.0, **settings)
        rig.dial(number, who=who, controllers=controller.address)
        rig.log.wait(user, "invite")
    rig.log.wait("music", "ringing")
    controller.signal(signal.SIGKILL)
    for user, who in (("test002", "caller"), ("test006", "music")):
        began = rig.log.wait(who, "calling").at
        assert wait_for_fallback(rig, 8, who) - began < 2.0 + 5.0
        assert rig.log.wait(user, "cancel").at - began < 2.0 + 5.0
    # Nothing that was scheduled for the hunt touches the caller any more.
    with pytest.raises(AssertionError):
        rig.log.wait("caller", "released", timeout=3.5)
    rig.log.absent("music", "released")


def test_killed_during_a_conversation_nobody_notices(
    rig: Rig, group: MakeGroup, mortal: Mortal
) -> None:
    controller = mortal()
    rig.phone("test002", Script(answer_after=0.0))
    call = rig.dial(group({"test002": 0.0}), controllers=controller.address)
    rig.log.wait("caller", "answered")
    assert call.hears("test002")
    controller.signal(signal.SIGKILL)
    controller.process.wait()
    assert call.hears("test002")
    call.hang_up()
    rig.log.wait("test002", "bye")


def test_a_frozen_controller_holds_no_caller(rig: Rig, group: MakeGroup, mortal: Mortal) -> None:
    controller = mortal()
    calls: dict[str, tuple[str, dict[str, object]]] = {
        "caller": ("test002", {}),
        "music": ("test006", {"music": MUSIC}),
        "greeting": ("test007", {"greeting": "tone_stream://%(200,0,425)", "music": MUSIC}),
    }
    for who, (user, settings) in calls.items():
        rig.phone(user)
        number = group({user: 0.0}, wait=1.0, **settings)
        rig.dial(number, who=who, controllers=controller.address)
    for who, (user, _) in calls.items():
        rig.log.wait(user, "invite")
        rig.log.wait(who, "ringing")
    controller.signal(signal.SIGSTOP)
    for who, (user, _) in calls.items():
        released = rig.log.wait(who, "released", timeout=8)
        assert released.at - rig.log.wait(who, "calling").at < 1.0 + 5.5
        assert released.detail["code"] == 480
        rig.log.wait(user, "cancel")


def test_a_frozen_controller_costs_no_conversation(
    rig: Rig, group: MakeGroup, mortal: Mortal
) -> None:
    controller = mortal()
    rig.phone("test002", Script(answer_after=0.5))
    call = rig.dial(group({"test002": 0.0}, wait=1.0), controllers=controller.address)
    rig.log.wait("test002", "invite")
    controller.signal(signal.SIGSTOP)
    rig.log.wait("caller", "answered")
    with pytest.raises(AssertionError):
        rig.log.wait("caller", "bye", timeout=5)
    assert call.hears("test002")


def test_told_to_stop_it_lets_the_hunt_end_and_takes_no_more(
    rig: Rig, group: MakeGroup, mortal: Mortal
) -> None:
    controller = mortal()
    rig.phone("test002", Script(answer_after=0.8))
    number = group({"test002": 0.0})
    call = rig.dial(number, controllers=controller.address)
    rig.log.wait("test002", "invite")
    controller.signal(signal.SIGTERM)
    rig.log.wait("caller", "answered")
    assert controller.process.wait(timeout=5) == 0
    assert call.hears("test002")
    rig.dial(number, who="late", controllers=controller.address)
    rig.log.wait("late", "fallback")


def test_told_twice_it_stops_at_once(rig: Rig, group: MakeGroup, mortal: Mortal) -> None:
    controller = mortal()
    rig.phone("test002")
    rig.dial(group({"test002": 0.0}, wait=3.0), controllers=controller.address)
    rig.log.wait("test002", "invite")
    controller.signal(signal.SIGTERM)
    controller.signal(signal.SIGINT)
    assert controller.process.wait(timeout=2) == 0
    stopped = rig.log.wait("test002", "cancel")
    assert "Call completed elsewhere" in str(stopped.detail["reason"])
    wait_for_fallback(rig, 2.0)


def test_the_next_controller_of_the_list_takes_the_call(
    rig: Rig, group: MakeGroup, mortal: Mortal
) -> None:
    first, second = mortal(), mortal()
    first.signal(signal.SIGKILL)
    first.process.wait()
    rig.phone("test002", Script(answer_after=0.0))
    rig.dial(group({"test002": 0.0}), controllers=f"{first.address}|{second.address}")
    rig.log.wait("caller", "answered")
