"""Groups within groups: one member to the outer strategy, with a hunt of its own inside."""

from dataclasses import replace
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsctl.hunt.admission import Admitted, Refusal, admit
from fsctl.hunt.group import Group, Member, same_user
from fsctl.hunt.memory import Memory, Served
from fsctl.hunt.nesting import DEEPEST, all_groups, everybody, takers, who_confirms
from fsctl.hunt.schedule import Ring
from fsctl.hunt.simulation import Phones, simulate
from fsctl.hunt.strategies import STRATEGIES

CREW = Group(
    "crew", members=(Member("c1"), Member("c2")), strategy="top-down", ring_time=5, wait=20
)


def team(**more: object) -> Group:
    members = (Member("a"), Member("group:crew", delay=6), Member("z"))
    return Group("team", members=members, inner=(("group:crew", CREW),), wait=60, **more)


def rings(group: Group, **more: object) -> tuple[Ring, ...]:
    admitted = admit(group, **more)
    assert isinstance(admitted, Admitted)
    return admitted.schedule.rings


def test_it_is_one_member_with_its_own_strategy() -> None:
    assert rings(team(strategy="top-down", ring_time=7)) == (
        Ring("a", 0, 7), Ring("c1", 7, 5), Ring("c2", 12, 5), Ring("z", 17, 7),
    )  # fmt: skip
    assert set(rings(team())) == {
        Ring("a", 0, inf), Ring("z", 0, inf), Ring("c1", 6, 5), Ring("c2", 11, 5)
    }  # fmt: skip
    assert set(rings(team(strategy="simultaneous"))) >= {Ring("c1", 0, 5), Ring("c2", 5, 5)}


def test_its_turn_can_be_shorter() -> None:
    group = team(strategy="top-down", ring_time=7)
    members = (replace(group.members[1], ring_time=7.0), Member("z"))
    assert rings(replace(group, members=members)) == (
        Ring("c1", 0, 5), Ring("c2", 5, 2), Ring("z", 7, 7),
    )  # fmt: skip


def test_it_rings_no_longer_than_its_own_wait() -> None:
    crew = replace(CREW, strategy="simultaneous", ring_time=None, wait=9)
    outer = replace(team(strategy="top-down"), inner=(("group:crew", crew),))
    assert Ring("c1", 15, 9) in rings(outer)
    assert Ring("z", 24, 15) in rings(outer)


@pytest.mark.parametrize(
    "crew",
    [
        replace(CREW, enabled=False),
        replace(CREW, members=()),
        replace(CREW, members=(Member("c1", enabled=False),)),
        replace(CREW, closed_until="2030-01-01 00:00"),
    ],
    ids=["disabled", "empty", "nobody", "closed"],
)
def test_one_that_rings_nobody_takes_no_turn(crew: Group) -> None:
    outer = replace(team(strategy="top-down"), inner=(("group:crew", crew),))
    assert [ring.member for ring in rings(outer, now=1_800_000_000.0)] == ["a", "z"]
    alone = replace(outer, members=outer.members[1:2])
    assert admit(alone, now=1_800_000_000.0) is Refusal.NO_MEMBERS


def test_the_caller_s_own_telephone_does_not_ring_in_it_either() -> None:
    assert "c1" not in {ring.member for ring in rings(team(), calling_user="c1@pbx.test")}


def test_who_is_there_twice_gets_one_call() -> None:
    crew = replace(CREW, members=(Member("a@pbx.test"), Member("c2")), strategy="simultaneous")
    outer = replace(team(strategy="simultaneous"), inner=(("group:crew", crew),))
    call = simulate(admit(outer).schedule, Phones(answers={"a": 3.0}))
    assert sorted(leg.member for leg in call.legs) == ["a", "c2", "z"]
    assert call.winner == "a"


def test_in_a_loop_it_ends_somewhere() -> None:
    group = Group("deep", members=(Member("x"),))
    for _ in range(DEEPEST + 3):
        members = (Member("x"), Member("group:deep"))
        group = Group("deep", members=members, inner=(("group:deep", group),))
    assert {ring.member for ring in rings(group)} == {"x"}


def test_both_remember_who_took_a_call() -> None:
    group = team(strategy="round-robin", ring_time=5)
    assert [(one.name, who) for one, who in takers(group, "c2")] == [
        ("team", "group:crew"), ("crew", "c2"),
    ]  # fmt: skip
    crew = replace(CREW, strategy="round-robin")
    group = replace(group, inner=(("group:crew", crew),))
    memories = {
        "team": Memory((Served("group:crew", 9, 9),)),
        "crew": Memory((Served("c1", 9, 9),)),
    }
    found = rings(group, memory=memories["team"], memory_of=lambda one: memories[one.name])
    assert [ring.member for ring in found] == ["z", "a", "c2", "c1"]


def test_who_must_press_1() -> None:
    crew = replace(CREW, members=(Member("c1", confirm=True), Member("c2")))
    group = replace(team(), inner=(("group:crew", crew),))
    assert who_confirms(group) == {"c1"}
    everyone = tuple(replace(one, confirm=one.user == "group:crew") for one in group.members)
    assert who_confirms(replace(group, members=everyone)) == {"c1", "c2"}
    assert everybody(group) == ("a", "c1", "c2", "z")


# Any nesting


@st.composite
def nested(draw: st.DrawFn, depth: int = 2) -> Group:
    users = draw(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=4, unique=True))
    members = [
        Member(user, delay=draw(st.integers(0, 9)), ring_time=draw(st.none() | st.integers(1, 9)))
        for user in users
    ]
    inner = []
    for number in range(draw(st.integers(0, 2)) if depth else 0):
        group = draw(nested(depth - 1))
        inner.append((f"group:{number}", group))
        place = draw(st.integers(0, len(members)))
        members.insert(place, Member(f"group:{number}", delay=draw(st.integers(0, 9))))
    return Group(
        f"g{depth}",
        members=tuple(members),
        inner=tuple(inner),
        strategy=draw(st.sampled_from(sorted(STRATEGIES))),
        wait=draw(st.integers(1, 60)),
        rounds=draw(st.integers(1, 3)),
        enabled=draw(st.booleans()) or depth == 2,
    )


@given(nested(), st.sampled_from([None, "a"]), st.integers(0, 99))
def test_who_rings_is_in_it_and_nobody_twice_at_a_time(
    group: Group, caller: str | None, chance: int
) -> None:
    admitted = admit(group, caller, chance=chance)
    if isinstance(admitted, Refusal):
        assert admitted is Refusal.NO_MEMBERS
        return
    lines = admitted.schedule.rings
    assert {ring.member for ring in lines} <= set(everybody(group)) - {caller}
    call = simulate(admitted.schedule, Phones())
    for one in call.legs:
        for other in call.legs[one.number :]:
            if same_user(one.member, other.member):
                assert one.ended is not None
                assert other.started >= one.ended
    assert {name for one, name in takers(group, lines[0].member) if one is group}
    assert sum(1 for _ in all_groups(group)) >= 1
