"""A member transfers the caller into a group, or a caller transfers the member."""

from __future__ import annotations

import signal

import gevent
import pytest

from tests.live.trials.stage import eventually
from tests.scenarios.conftest import MakeGroup, Mortal
from tests.scenarios.rig import Call, Rig, Script
from tests.scenarios.test_endings import records
from tests.scenarios.test_records import NEAR, record

STAYS = 0.7
"""Seconds for which a conversation after a transfer is listened to: everything that ended with the
one before has come to its end by then."""


def talking(rig: Rig, number: str, user: str, controllers: str | None = None) -> Call:
    """Return a call in which a caller and a member talk."""
    call = rig.dial(number, controllers=controllers)
    rig.log.wait("caller", "answered")
    assert call.hears(user)
    return call


def stays_with(rig: Rig, call: Call, user: str) -> bool:
    """Whether a caller has a member, and still has them when nothing is left of what was before."""
    return (
        call.hears(user)
        and not rig.log.until(lambda: bool(rig.log.all("caller", "bye")), STAYS)
        and call.hears(user)
        and not rig.fallbacks()
    )


def talks(database_url: str, uuid: str) -> list[float | None]:
    """Return how long the members of two groups talked to a caller, None who still talks."""
    return [one["talk_seconds"] for one in records(database_url, uuid)]  # type: ignore[misc]


@pytest.mark.parametrize("confirm", [False, True])
def test_a_caller_who_is_transferred_to_another_group_gets_its_member(
    rig: Rig, group: MakeGroup, confirm: bool
) -> None:
    rig.phone("test002", Script(answer_after=0.0, press_after=0.1 if confirm else None))
    rig.phone("test006", Script(answer_after=0.4, press_after=0.1 if confirm else None))
    asked = {"confirm": ("test002", "test006")} if confirm else {}
    second = group(["test006"], **asked)
    call = talking(rig, group(["test002"], **asked), "test002")
    rig.transfer("test002", second)
    rig.log.wait("test002", "bye")
    rig.log.wait("test006", "talking")
    assert stays_with(rig, call, "test006")


def test_a_caller_may_be_transferred_twice_and_back_into_the_same_group(
    rig: Rig, group: MakeGroup
) -> None:
    rig.phone("test002", Script(answer_after=0.0))
    rig.phone("test006", Script(answer_after=0.1))
    first, second = group(["test002"]), group(["test006"])
    call = talking(rig, first, "test002")
    rig.transfer("test002", second)
    rig.log.wait("test006", "talking")
    assert call.hears("test006")
    rig.transfer("test006", first)
    rig.log.wait("test002", "talking", count=2)
    assert call.hears("test002")
    rig.transfer("test002", first)
    rig.log.wait("test002", "talking", count=3)
    assert stays_with(rig, call, "test002")
    call.hang_up()
    rig.log.wait("test002", "bye", count=3)


def test_the_record_of_each_group_has_its_own_talk(
    rig: Rig, group: MakeGroup, database_url: str
) -> None:
    """The conversation of the first ends with the transfer, however long the second is."""
    rig.phone("test002", Script(answer_after=0.0))
    rig.phone("test006", Script(answer_after=0.2))
    second = group(["test006"])
    call = talking(rig, group(["test002"]), "test002")
    began = rig.log.wait("caller", "answered").at
    gevent.sleep(0.2)
    rig.transfer("test002", second)
    left = rig.log.wait("test002", "bye").at
    again = rig.log.wait("test006", "talking").at
    assert call.hears("test006")
    gevent.sleep(1.0)
    call.hang_up()
    over = rig.log.wait("test006", "bye").at
    assert eventually(lambda: all(talks(database_url, call.uuid)))
    first, last = talks(database_url, call.uuid)
    assert first == pytest.approx(left - began, abs=2 * NEAR)
    assert last == pytest.approx(over - again, abs=2 * NEAR)


def test_a_controller_that_dies_while_it_hunts_again_costs_no_caller(
    rig: Rig, group: MakeGroup, mortal: Mortal
) -> None:
    """They go on in the dialplan once, and stay there."""
    controller = mortal()
    rig.phone("test002", Script(answer_after=0.0))
    rig.phone("test006")
    second = group(["test006"], wait=1.0)
    talking(rig, group(["test002"]), "test002", controller.address)
    rig.transfer("test002", second)
    rig.log.wait("test006", "invite")
    controller.signal(signal.SIGKILL)
    rig.log.wait("caller", "fallback", timeout=8.0)
    gevent.sleep(STAYS)
    rig.log.absent("caller", "bye")


def test_a_controller_that_dies_before_a_transfer_costs_no_caller(
    rig: Rig, group: MakeGroup, mortal: Mortal
) -> None:
    first, second = mortal(), mortal()
    rig.phone("test002", Script(answer_after=0.0))
    rig.phone("test006", Script(answer_after=0.1))
    number = group(["test006"])
    both = f"{first.address}|{second.address}"
    call = talking(rig, group(["test002"]), "test002", both)
    first.signal(signal.SIGKILL)
    first.process.wait()
    rig.transfer("test002", number)
    rig.log.wait("test006", "talking")
    assert stays_with(rig, call, "test006")


def test_a_controller_that_notices_a_transfer_too_late_leaves_the_caller_where_they_are(
    rig: Rig, group: MakeGroup, mortal: Mortal
) -> None:
    """It was frozen, and another one hunts for the caller by then."""
    first, second = mortal(), mortal()
    rig.phone("test002", Script(answer_after=0.0))
    rig.phone("test006", Script(answer_after=0.6))
    number = group(["test006"])
    call = talking(rig, group(["test002"]), "test002", f"{first.address}|{second.address}")
    first.signal(signal.SIGSTOP)
    rig.transfer("test002", number, second.address)
    rig.log.wait("test006", "invite")
    first.signal(signal.SIGCONT)
    rig.log.wait("test006", "talking")
    assert stays_with(rig, call, "test006")


def test_a_colleague_who_called_the_group_may_transfer_the_member(
    rig: Rig, group: MakeGroup
) -> None:
    """The member goes on in the context in which the colleague called, as after ``bridge``."""
    rig.phone("test002", Script(answer_after=0.0))
    rig.phone("test006", Script(answer_after=0.1))
    rig.phone("test007")
    second = group(["test006"])
    call = rig.dial(group(["test002"]), user="test007")
    rig.log.wait("caller", "answered")
    assert call.hears("test002")
    rig.transfer("caller", second)
    rig.log.wait("test006", "talking")
    rig.log.wait("caller", "bye")
    assert not rig.log.until(lambda: bool(rig.log.all("test006", "bye")), STAYS)
    rig.log.absent("test002", "bye")


def test_the_talk_ends_for_the_record_when_the_caller_leaves_the_member_alone(
    rig: Rig, group: MakeGroup, database_url: str
) -> None:
    """The member whom a colleague transferred talks on, to somebody else."""
    rig.phone("test002", Script(answer_after=0.0))
    rig.phone("test006", Script(answer_after=0.1))
    rig.phone("test007")
    second = group(["test006"])
    call = rig.dial(group(["test002"]), user="test007")
    began = rig.log.wait("caller", "answered").at
    assert call.hears("test002")
    rig.transfer("caller", second)
    over = rig.log.wait("caller", "bye").at
    assert eventually(lambda: record(database_url, call.uuid)["talk_seconds"] is not None)
    talk = record(database_url, call.uuid)["talk_seconds"]
    assert talk == pytest.approx(over - began, abs=NEAR)
