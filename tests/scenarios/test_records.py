"""What is written down of a call, held against what the telephones saw."""

from __future__ import annotations

import json

import gevent
import pytest
from click.testing import CliRunner

from fsctl.cli.main import root
from tests.scenarios.conftest import MakeGroup
from tests.scenarios.rig import Rig, Script

NEAR = 0.15
"""Seconds by which the controller may see a thing later than the telephone did."""


def record(database_url: str, uuid: str) -> dict:
    """Return the finished record of a call as ``fsctl calls show`` has it, waiting a moment."""
    for _ in range(100):
        done = CliRunner().invoke(
            root, ["--database-url", database_url, "calls", "show", uuid, "--json"]
        )
        if done.exit_code == 0:
            (found,) = json.loads(done.stdout)
            if found["outcome"] != "answered" or found["talk_seconds"] is not None:
                return found
        gevent.sleep(0.05)
    raise AssertionError(f"no record: {done.output}")


def test_the_record_of_an_answered_call(rig: Rig, group: MakeGroup, database_url: str) -> None:
    rig.phone("test002")
    rig.phone("test006", Script(answer_after=0.3))
    rig.phone("test007", Script(refuse=486))
    number = group({"test002": 0.0, "test006": 0.4, "test007": 0.2})
    call = rig.dial(number)
    began = rig.log.wait("caller", "calling").at
    answered = rig.log.wait("caller", "answered").at
    assert call.hears("test006")
    call.hang_up()
    over = rig.log.wait("test006", "bye").at

    found = record(database_url, call.uuid)
    assert (found["group"], found["number"]) == (f"group {number}", number)
    assert found["caller_number"] == "+48600100200"
    assert (found["outcome"], found["answered_by"]) == ("answered", "test006")
    assert found["wait_seconds"] == pytest.approx(answered - began, abs=NEAR)
    assert found["talk_seconds"] == pytest.approx(over - answered, abs=NEAR)
    legs = {leg["member"]: leg for leg in found["attempts"]}
    for user, leg in legs.items():
        invited = rig.log.wait(user, "invite").at - began
        assert leg["started"] == pytest.approx(invited, abs=NEAR)
    assert [legs[user]["outcome"] for user in ("test002", "test006", "test007")] == [
        "cancelled",
        "answered",
        "busy",
    ]
    assert legs["test002"]["cause"] == "LOSE_RACE"
    assert (legs["test007"]["cause"], legs["test007"]["sip_code"]) == ("USER_BUSY", 486)


def test_the_record_of_a_call_nobody_took(rig: Rig, group: MakeGroup, database_url: str) -> None:
    rig.phone("test002")
    rig.phone("test006", phones=0)
    call = rig.dial(group({"test002": 0.0, "test006": 0.0, "test007": 5.0}, wait=1.0))
    rig.log.wait("caller", "released")
    found = record(database_url, call.uuid)
    assert (found["outcome"], found["cause"]) == ("no answer", "NO_ANSWER")
    assert found["wait_seconds"] == pytest.approx(1.0, abs=NEAR)
    assert {leg["member"]: leg["outcome"] for leg in found["attempts"]} == {
        "test002": "no answer",
        "test006": "unreachable",
    }


def test_a_caller_who_leaves_at_the_answer_was_answered(
    rig: Rig, group: MakeGroup, database_url: str
) -> None:
    rig.phone("test002", Script(answer_after=0.1))
    rig.phone("test006")
    number = group({"test002": 0.0, "test006": 0.0})
    for who in ("one", "two", "three"):
        call = rig.dial(number, who=who)
        rig.log.wait(who, "answered")
        call.hang_up()
        found = record(database_url, call.uuid)
        assert (found["outcome"], found["answered_by"]) == ("answered", "test002")


def test_the_record_of_a_caller_who_gave_up(rig: Rig, group: MakeGroup, database_url: str) -> None:
    rig.phone("test002")
    call = rig.dial(group({"test002": 0.0}))
    rig.log.wait("test002", "invite")
    call.hang_up()
    rig.log.wait("test002", "cancel")
    found = record(database_url, call.uuid)
    assert found["outcome"] == "caller gave up"
    assert [leg["cause"] for leg in found["attempts"]] == ["ORIGINATOR_CANCEL"]
