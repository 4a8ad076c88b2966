"""Ring strategies as telephones see them, on the Python switch and on a real FreeSWITCH."""

from __future__ import annotations

import gevent
import pytest
from sqlalchemy import Engine

from fsctl.store.engine import reading
from fsctl.store.memory import key_of, read_memories
from tests.scenarios.conftest import MakeGroup
from tests.scenarios.controllers import ServedController
from tests.scenarios.rig import Rig, Script

TEAM = ("test002", "test006", "test007")
SLACK = 0.2
"""Seconds that a step may take on a busy machine."""


def after(rig: Rig, who: str, what: str, count: int = 1) -> float:
    """Return how many seconds after the call was placed something was seen."""
    began = rig.log.wait("caller", "calling").at
    return rig.log.wait(who, what, timeout=8, count=count).at - began


def times(rig: Rig, user: str, what: str) -> int:
    return len(rig.log.all(user, what))


def near(seconds: float) -> object:
    return pytest.approx(seconds + SLACK / 2, abs=SLACK)


def test_simultaneous_rings_everybody_whatever_the_delay(rig: Rig, group: MakeGroup) -> None:
    for user in TEAM:
        rig.phone(user)
    rig.dial(group(dict.fromkeys(TEAM, 2.0), wait=1.0, strategy="simultaneous"))
    for user in TEAM:
        assert after(rig, user, "invite") == near(0)
    assert rig.log.wait("caller", "released").detail["code"] == 480


def test_top_down_rings_one_at_a_time(rig: Rig, group: MakeGroup) -> None:
    for user in TEAM:
        rig.phone(user)
    rig.phone("test007", Script(answer_after=0.3))
    call = rig.dial(group(TEAM, wait=9.0, strategy="top-down", ring_time=1.0))
    for turn, user in enumerate(TEAM):
        assert after(rig, user, "invite") == near(turn)
    for turn, user in enumerate(TEAM[:2], 1):
        assert after(rig, user, "cancel") == near(turn)
    rig.log.wait("caller", "answered")
    assert call.hears("test007")


def test_all_move_up_when_one_is_busy(rig: Rig, group: MakeGroup) -> None:
    rig.phone("test002", Script(refuse=486))
    for user in TEAM[1:]:
        rig.phone(user)
    rig.dial(group(TEAM, wait=9.0, strategy="top-down", ring_time=1.0))
    assert after(rig, "test006", "invite") == near(0)
    assert after(rig, "test007", "invite") == near(1)
    assert after(rig, "caller", "released") == near(2)


def test_progressive_joins_those_who_ring(rig: Rig, group: MakeGroup) -> None:
    for user in TEAM[:2]:
        rig.phone(user)
    rig.dial(group(TEAM[:2], wait=9.0, strategy="progressive", ring_time=1.0))
    for turn, user in enumerate(TEAM[:2]):
        assert after(rig, user, "invite") == near(turn)
        assert after(rig, user, "cancel") == near(2)


def test_after_a_round_all_ring_again(rig: Rig, group: MakeGroup) -> None:
    for user in TEAM[:2]:
        rig.phone(user)
    rig.dial(group(TEAM[:2], wait=9.0, strategy="top-down", ring_time=1.0, rounds=2))
    assert after(rig, "caller", "released") == near(4)
    for turn, user in enumerate(TEAM[:2]):
        assert after(rig, user, "invite", count=2) == near(2 + turn)


def test_a_phone_that_rings_again_at_once_is_called_once(rig: Rig, group: MakeGroup) -> None:
    for user in TEAM[:2]:
        rig.phone(user)
    rig.dial(group(TEAM[:2], wait=9.0, strategy="simultaneous", ring_time=1.0, rounds=2))
    assert after(rig, "caller", "released") == near(2)
    for user in TEAM[:2]:
        assert after(rig, user, "cancel") == near(2)
        assert (times(rig, user, "invite"), times(rig, user, "cancel")) == (1, 1)


def answered_by(
    rig: Rig, engine: Engine, number: str, who: str, controllers: str | None = None
) -> str:
    """Place a call, hang up when it is known to be answered, and return who answered."""
    call = rig.dial(number, who=who, controllers=controllers)
    rig.log.wait(who, "answered")
    user = rig.log.all(what="answer")[-1].who
    assert call.hears(user)
    with gevent.Timeout(5):
        while remembered(engine, number)[-1:] != [user]:
            gevent.sleep(0.02)
    call.hang_up()
    rig.log.wait(user, "bye", count=len(rig.log.all(user, "bye")) + 1)
    return user


def test_round_robin_goes_round(rig: Rig, group: MakeGroup, engine: Engine) -> None:
    for user in TEAM:
        rig.phone(user, Script(answer_after=0.1))
    number = group(TEAM, strategy="round-robin")
    served = [answered_by(rig, engine, number, f"caller {turn}") for turn in range(4)]
    assert served == [*TEAM, TEAM[0]]


def test_another_controller_knows_who_is_next(
    rig: Rig, group: MakeGroup, engine: Engine, database_url: str
) -> None:
    """One that runs already, and one that is started later."""
    for user in TEAM:
        rig.phone(user, Script(answer_after=0.1))
    number = group(TEAM, strategy="longest-idle")
    controllers = [ServedController(database_url)]
    try:
        served = [
            answered_by(rig, engine, number, "first"),
            answered_by(rig, engine, number, "second", controllers[0].address),
        ]
        controllers.append(ServedController(database_url))
        served.append(answered_by(rig, engine, number, "third", controllers[1].address))
        assert served == list(TEAM)
    finally:
        for controller in controllers:
            controller.stop()


def remembered(engine: Engine, number: str) -> list[str]:
    """Return who answered, in the order in which they did."""
    key = key_of(f"group {number}", "")
    with reading(engine) as session:
        memory = read_memories(session, [key])[key]
    return [one.user for one in sorted(memory.served, key=lambda one: one.answered)]


def test_a_closed_group_rings_nobody(rig: Rig, group: MakeGroup) -> None:
    rig.phone("test002", Script(answer_after=0.0))
    closed = group(["test002"], closed_until="2999-12-31", dates="2026-12-25")
    rig.dial(closed, who="early")
    assert rig.log.wait("early", "released").detail["code"] == 480
    rig.log.absent("test002", "invite")
    rig.dial(group(["test002"], closed_until="2000-12-31"), who="late")
    rig.log.wait("late", "answered")
