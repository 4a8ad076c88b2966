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
from tests.scenarios.rig import FORWARDED, Rig, Script
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


WAYS = ("loopback", "sip", "bridge", "transfer")


def lead(rig: Rig, way: str, user: str, number: str) -> None:
    if rig.name == "python" and way in ("bridge", "transfer"):
        pytest.skip("the Python switch has no dialplan to lead through")
    rig.forward(user, number, way)


@pytest.mark.parametrize("way", WAYS)
def test_members_whose_directory_entries_lead_into_their_own_group(
    rig: Rig, group: MakeGroup, way: str
) -> None:
    """The others ring as if those were not there, once."""
    rig.phone("test002", Script(answer_after=0.6))
    number = group([*FORWARDED[:3], "test002"])
    for user in FORWARDED[:3]:
        lead(rig, way, user, number)
    call = rig.dial(number)
    rig.log.wait("test002", "talking")
    assert call.hears("test002")
    assert len(rig.log.all("test002", "invite")) == 1
    call.hang_up()
    assert rig.log.until(lambda: not rig.channels(), 3.0)


@pytest.mark.parametrize("way", WAYS)
def test_members_whose_directory_entries_lead_from_group_to_group(
    rig: Rig, group: MakeGroup, way: str
) -> None:
    """The sixth group refuses."""
    rig.phone("test002")
    number = group(["test002"], wait=1.5)
    for user in FORWARDED:
        lead(rig, way, user, number)
        number = group([user, "test002"], wait=1.5)
    rig.dial(number)
    rig.log.wait("test002", "invite", count=5)
    assert rig.log.wait("caller", "released").detail["code"] == 480
    assert len(rig.log.all("test002", "invite")) == 5
    assert rig.log.until(lambda: not rig.channels(), 3.0)


def test_two_members_lead_into_each_others_groups(rig: Rig, group: MakeGroup) -> None:
    """Nobody else could take the call: it ends at once."""
    second = group(["forward1"], wait=4.0)
    first = group(["forward2"], wait=4.0)
    rig.forward("forward1", first, "loopback")
    rig.forward("forward2", second, "sip")
    rig.dial(first)
    assert rig.log.wait("caller", "released", timeout=2.5).detail["code"] == 503
    assert rig.log.until(lambda: not rig.channels(), 3.0)


@pytest.mark.parametrize(
    ("header", "value", "served"),
    [
        ("X-Fsctl-Hops", "4", True),
        ("X-Fsctl-Hops", "5", False),
        ("x-fsctl-hops", "99", False),
        ("X-Fsctl-Hops", "-3", True),
        ("X-Fsctl-Hops", "5;x=${system}", True),
    ],
)
def test_a_telephone_that_calls_back_in_says_how_many_groups_there_were(
    rig: Rig, group: MakeGroup, header: str, value: str, served: bool
) -> None:
    """A stranger who writes it only makes their own call end."""
    rig.phone("test002", Script(answer_after=0.1))
    number = group(["test002"])
    call = rig.dial(number, headers=((header, value),))
    if served:
        rig.log.wait("caller", "answered")
        assert call.hears("test002")
        [invite] = rig.log.all("test002", "invite")
        said = invite.detail["headers"]["X-Fsctl-Hops"]  # type: ignore[index]
        assert said.partition("-")[0] == ("5" if value == "4" else "1")
    else:
        assert rig.log.wait("caller", "released").detail["code"] == 483
