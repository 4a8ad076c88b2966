"""A call goes through five groups at most, by whatever way it comes back to us."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine

from fsctl.admin.groups import disable_group
from fsctl.cli.main import root
from tests.scenarios.conftest import MakeGroup
from tests.scenarios.rig import Rig, Script
from tests.scenarios.test_endings import records

CHAIN = 8


def simulated(database_url: str, group: str, *options: str) -> list[dict[str, object]]:
    """Return what becomes of a call to a group, as ``fsctl simulate`` has it, group after group."""
    command = ["--database-url", database_url, "simulate", group, "--json", *options]
    done = CliRunner().invoke(root, command)
    assert done.exit_code == 0, done.output
    first = json.loads(done.stdout)
    return [first, *first.pop("onward")]


@pytest.fixture
def chain(group: MakeGroup, engine: Engine) -> Callable[[Callable[[int], str]], str]:
    """Make eight groups, each of which sends its calls on to the next; the first one's number."""

    def make(kind: Callable[[int], str]) -> str:
        number = ""
        for place in reversed(range(CHAIN)):
            ending = {"ending": f"group group {number}"} if number else {}
            members = ["test002"] if kind(place) == "busy" else []
            number = group(members, **ending)
            if kind(place) == "disabled":
                disable_group(engine, f"group {number}")
        return number

    return make


@pytest.mark.parametrize(
    "kind",
    [
        lambda _: "disabled",
        lambda _: "busy",
        lambda place: ("disabled", "busy", "empty")[place % 3],
        lambda place: ("busy", "empty", "disabled")[place % 3],
    ],
    ids=["disabled", "busy", "mixed", "mixed otherwise"],
)
def test_a_call_that_is_sent_on_ends_where_the_simulation_says(
    rig: Rig,
    chain: Callable[[Callable[[int], str]], str],
    database_url: str,
    kind: Callable[[int], str],
) -> None:
    rig.phone("test002", Script(refuse=486))
    number = chain(kind)
    busy = ("--busy", "test002") if any(kind(place) == "busy" for place in range(CHAIN)) else ()
    played = simulated(database_url, f"group {number}", *busy)
    assert len(played) == 5
    assert played[-1]["cause"] == "EXCHANGE_ROUTING_ERROR"
    call = rig.dial(number)
    assert rig.log.wait("caller", "released").detail["code"] == 483
    served = records(database_url, call.uuid, len(played))
    assert [one["group"] for one in served] == [one["group"] for one in played]
    assert served[-1]["cause"] == played[-1]["cause"]
    assert [one["onward"] for one in served] == [
        str(one["ending"]) if one["ending"] != "release EXCHANGE_ROUTING_ERROR" else ""
        for one in played
    ]
