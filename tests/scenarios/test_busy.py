"""Members who are on the phone, or want no calls, are passed over, as the switch tells of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import gevent
import pytest

from tests.scenarios.conftest import MakeGroup
from tests.scenarios.controllers import ServedController
from tests.scenarios.rig import Rig, Script
from tests.scenarios.test_hunt import SLACK, after
from tests.scenarios.test_records import record

Start = Callable[[], str]


@pytest.fixture
def watching(rig: Rig, database_url: str, tmp_path: Path) -> Iterator[Start]:
    """Start a controller that follows the switch, and return its address."""
    served: list[ServedController] = []
    log = tmp_path / "log"

    def start() -> str:
        with log.open("w") as out:
            settings = {"esl_url": rig.esl_url, "dnd": "hash select/dnd/{user}@{domain}"}
            served.append(ServedController(database_url, log=out, **settings))
        while "tells who is on the phone" not in log.read_text():
            gevent.sleep(0.02)
        return served[0].address

    yield start
    for one in served:
        one.stop()


def test_who_talks_is_passed_over(
    rig: Rig, group: MakeGroup, watching: Start, database_url: str
) -> None:
    """One conversation is older than the controller, another begins later, as a call of its own."""
    rig.phone("test002", Script(answer_after=0.1))
    old = rig.dial(group({"test002": 0.0}), who="old")
    rig.log.wait("old", "answered")
    assert old.hears("test002")
    address = watching()
    rig.phone("test006")
    rig.phone("test007", Script(answer_after=0.1))
    new = rig.dial(group({"test007": 0.0}), who="new", user="test006", controllers=address)
    rig.log.wait("new", "answered")
    assert new.hears("test007")

    rig.phone("test008")
    number = group(
        dict.fromkeys(("test002", "test006", "test007", "test008"), 0.0),
        strategy="top-down",
        skip_busy=True,
    )
    call = rig.dial(number, controllers=address)
    assert after(rig, rig.log.wait("test008", "invite")) == pytest.approx(SLACK, abs=SLACK)
    call.hang_up()
    rig.log.wait("test008", "cancel")
    legs = {leg["member"]: leg for leg in record(database_url, call.uuid)["attempts"]}
    for user in ("test002", "test006", "test007"):
        assert (legs[user]["outcome"], legs[user]["cause"]) == ("busy", "ON_THE_PHONE")
        assert len(rig.log.all(user, "invite")) == (user != "test006")

    rig.dial(group({"test002": 0.0}, skip_busy=True), who="second", controllers=address)
    assert rig.log.wait("second", "released").detail["code"] == 486
    rig.dial(group({"test002": 0.0}), who="third", controllers=address)
    rig.log.wait("test002", "invite", count=2)  # a group that does not mind


def test_nobody_is_passed_over_where_no_switch_is_followed(rig: Rig, group: MakeGroup) -> None:
    rig.phone("test002", Script(answer_after=0.1))
    first = rig.dial(group({"test002": 0.0}), who="first")
    rig.log.wait("first", "answered")
    assert first.hears("test002")
    rig.dial(group({"test002": 0.0}, skip_busy=True))
    rig.log.wait("test002", "invite", count=2)


def test_who_wants_no_calls_is_passed_over(
    rig: Rig, group: MakeGroup, watching: Start, database_url: str
) -> None:
    address = watching()
    rig.phone("test002")
    rig.phone("test006")
    rig.api("hash insert/dnd/test002@hunt.example/on")
    number = group({"test002": 0.0, "test006": 0.0}, strategy="top-down")
    call = rig.dial(number, controllers=address)
    assert after(rig, rig.log.wait("test006", "invite")) == pytest.approx(SLACK, abs=SLACK)
    rig.log.absent("test002", "invite")
    call.hang_up()
    rig.log.wait("test006", "cancel")
    first, _ = record(database_url, call.uuid)["attempts"]
    assert (first["outcome"], first["cause"]) == ("busy", "DO_NOT_DISTURB")

    number = group({"test002": 0.0})
    rig.dial(number, who="second", controllers=address)
    assert rig.log.wait("second", "released").detail["code"] == 486
    rig.api("hash delete/dnd/test002@hunt.example")
    rig.dial(number, who="third", controllers=address)
    rig.log.wait("test002", "invite")
