"""A switch that makes no more channels than it is configured for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.scenarios.conftest import MakeGroup
from tests.scenarios.rig import Rig, Script
from tests.scenarios.test_records import record

MEMBERS = tuple(f"test{number:03}" for number in range(10, 22))


@pytest.fixture
def limited(rig: Rig) -> Iterator[Rig]:
    """Give the switch back what it had."""
    yield rig
    rig.api("fsctl max_sessions 4000")
    rig.api("fsctl sps 2000")


def invited(rig: Rig) -> set[str]:
    return {user for user in MEMBERS if rig.log.all(user, "invite")}


def test_more_members_than_the_switch_makes_channels_in_a_second(
    limited: Rig, group: MakeGroup, database_url: str
) -> None:
    for user in MEMBERS:
        limited.phone(user)
    limited.api("fsctl sps 8")
    call = limited.dial(group(MEMBERS, wait=10.0))
    assert limited.log.until(lambda: invited(limited) == set(MEMBERS), 5.0), str(limited.log)
    call.hang_up()
    for user in MEMBERS:
        limited.log.wait(user, "cancel")
    found = record(database_url, call.uuid)
    assert {leg["outcome"] for leg in found["attempts"]} == {"cancelled"}
    assert len(found["attempts"]) == len(MEMBERS)


def test_a_switch_that_is_full_until_somebody_has_the_caller(
    limited: Rig, group: MakeGroup, database_url: str
) -> None:
    for user in MEMBERS:
        limited.phone(user)
    limited.api("fsctl max_sessions 5")
    number = group(MEMBERS[:6], wait=10.0)
    call = limited.dial(number)
    assert limited.log.until(lambda: len(invited(limited)) == 4, 2.0), str(limited.log)
    winner = min(invited(limited))
    limited.answer_together(winner)
    limited.log.wait("caller", "answered")
    assert call.hears(winner)
    call.hang_up()
    found = record(database_url, call.uuid)
    assert found["outcome"] == "answered"
    assert {leg["outcome"] for leg in found["attempts"]} == {"answered", "cancelled"}


def test_a_member_rings_as_soon_as_there_is_room(limited: Rig, group: MakeGroup) -> None:
    for user in MEMBERS[:4]:
        limited.phone(user)
    limited.phone(MEMBERS[3], Script(answer_after=0.0))
    limited.api("fsctl max_sessions 4")
    call = limited.dial(group(MEMBERS[:4], wait=10.0))
    assert limited.log.until(lambda: len(invited(limited)) == 3, 2.0)
    limited.log.absent("caller", "answered")
    limited.api("fsctl max_sessions 100")
    limited.log.wait("caller", "answered", 3.0)
    assert call.hears(MEMBERS[3])


def test_who_is_never_rung_has_failed(limited: Rig, group: MakeGroup, database_url: str) -> None:
    limited.phone(MEMBERS[0])
    limited.phone(MEMBERS[1])
    limited.api("fsctl max_sessions 2")
    call = limited.dial(group(MEMBERS[:2], wait=1.5))
    limited.log.wait("caller", "released")
    found = record(database_url, call.uuid)
    assert [(leg["outcome"], leg["cause"]) for leg in found["attempts"]] == [
        ("no answer", "NO_ANSWER"),
        ("failed", "SWITCH_CONGESTION"),
    ]
