"""Every strategy, over every group that hypothesis can think of."""

from dataclasses import replace
from itertools import islice, pairwise
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsctl.hunt.admission import Admitted, Refusal, admit
from fsctl.hunt.chance import draws
from fsctl.hunt.group import Group, Member, same_user
from fsctl.hunt.memory import NOTHING, Memory, Served
from fsctl.hunt.schedule import Ring, Schedule
from fsctl.hunt.simulation import Phones, Simulated, simulate
from fsctl.hunt.strategies import IN_TURN, REMEMBERING, STRATEGIES

USERS = [f"m{number}" for number in range(6)]
ONE_BY_ONE = sorted(IN_TURN - {"progressive"})
seconds = st.integers(1, 200).map(lambda tenths: tenths / 10)
ring_times = st.one_of(st.none(), seconds)
memories = st.lists(
    st.builds(Served, st.sampled_from([*USERS, "gone"]), seconds, seconds, st.integers(0, 5)),
    unique_by=lambda one: one.user,
).map(lambda served: Memory(tuple(served)))
seeds = st.integers(0, 2**64 - 1)
callers = st.one_of(st.none(), st.sampled_from([*USERS, "M1@pbx.example", "stranger"]))


@st.composite
def groups(draw: st.DrawFn, strategies: object = tuple(STRATEGIES)) -> Group:
    members = tuple(
        Member(
            user,
            draw(seconds) - 0.1,
            draw(st.booleans()),
            draw(ring_times),
            draw(st.integers(0, 3)),
            draw(st.integers(1, 9)),
        )
        for user in draw(st.lists(st.sampled_from(USERS), unique=True))
    )
    return Group(
        "g",
        members=members,
        wait=draw(seconds) + 1,
        advance=draw(st.booleans()),
        strategy=draw(st.sampled_from(list(strategies))),  # type: ignore[call-overload]
        ring_time=draw(ring_times),
        rounds=draw(st.integers(1, 4)),
    )


def schedule_of(group: Group, caller: str | None, memory: Memory, seed: int) -> Schedule:
    return STRATEGIES[group.strategy](group, caller, memory, seed)


def expected(group: Group, caller: str | None) -> set[str]:
    return {
        member.user
        for member in group.members
        if member.enabled
        if caller is None or not same_user(member.user, caller)
        if group.strategy != "delayed" or member.delay < group.wait
    }


@given(groups(), callers, memories, seeds)
def test_everybody_who_can_ring_has_a_turn_and_nobody_else(
    group: Group, caller: str | None, memory: Memory, seed: int
) -> None:
    schedule = schedule_of(group, caller, memory, seed)
    assert {ring.member for ring in schedule.rings} == expected(group, caller)
    assert (schedule.wait, schedule.advance) == (group.wait, group.advance)
    assert schedule.in_turn == (group.strategy in IN_TURN)
    assert schedule == schedule_of(group, caller, memory, seed)
    admitted = admit(group, caller, memory, seed)
    if schedule.rings:
        assert admitted == Admitted(group, schedule)
    else:
        assert admitted is Refusal.NO_MEMBERS


@given(groups(), callers, memories, seeds)
def test_each_round_is_the_first_once_more(
    group: Group, caller: str | None, memory: Memory, seed: int
) -> None:
    schedule = schedule_of(group, caller, memory, seed)
    once = schedule_of(replace(group, rounds=1), caller, memory, seed).rings
    length = max((ring.start + ring.ring_for for ring in once), default=inf)
    rounds = group.rounds if length < inf else 1
    assert len(schedule.rings) == rounds * len(once)
    for place, ring in enumerate(schedule.rings):
        turn, of_round = divmod(place, len(once))
        first = once[of_round]
        assert (ring.member, ring.ring_for) == (first.member, first.ring_for)
        assert ring.start == pytest.approx(first.start + (turn * length if turn else 0))


@given(groups(ONE_BY_ONE), callers, memories, seeds)
def test_one_rings_when_the_one_before_has_stopped(
    group: Group, caller: str | None, memory: Memory, seed: int
) -> None:
    rings = schedule_of(group, caller, memory, seed).rings
    assert all(ring.start == 0 for ring in rings[:1])
    for one, other in pairwise(rings):
        assert other.start == pytest.approx(one.start + one.ring_for)


def play(group: Group, phones: Phones, caller: str | None = None) -> Simulated:
    admitted = admit(group, caller)
    assert isinstance(admitted, Admitted)
    return simulate(admitted.schedule, phones)


@given(groups(ONE_BY_ONE), st.lists(st.sampled_from(USERS)))
def test_at_no_time_two_ring_who_ring_one_by_one(group: Group, busy: list[str]) -> None:
    admitted = admit(group)
    if isinstance(admitted, Refusal):
        return
    call = simulate(admitted.schedule, Phones.script({}, busy=tuple(busy)))
    for one, other in pairwise(call.legs):
        assert one.ended is not None
        assert other.started >= one.ended - 1e-6


@given(groups())
def test_a_phone_that_rings_again_at_once_rings_on(group: Group) -> None:
    """No telephone is stopped and called again in the same moment, whatever the strategy."""
    admitted = admit(group)
    if isinstance(admitted, Refusal):
        return
    call = simulate(admitted.schedule, Phones())
    for leg in call.legs:
        again = [other for other in call.legs if other.member == leg.member and other is not leg]
        assert all(abs(other.started - (leg.ended or 0.0)) > 1e-6 for other in again)
    planned = sum(_rings_within(admitted.schedule, call.ended).values())
    rang = sum((leg.ended or 0.0) - leg.started for leg in call.legs)
    if not admitted.schedule.advance:
        assert rang == pytest.approx(planned)


def _rings_within(schedule: Schedule, ended: float) -> dict[str, float]:
    """Return how long each member rings by the schedule, up to its end."""
    total: dict[str, float] = {}
    for ring in schedule.rings:
        length = min(ring.start + ring.ring_for, ended) - ring.start
        total[ring.member] = total.get(ring.member, 0.0) + max(0.0, length)
    return total


def order(group: Group, memory: Memory = NOTHING, seed: int = 0, **changes: object) -> list[str]:
    group = replace(group, **changes)  # type: ignore[arg-type]
    return [ring.member for ring in schedule_of(group, None, memory, seed).rings]


TEAM = Group("team", members=tuple(Member(user) for user in "abcd"), strategy="top-down")


def test_order_is_by_place_then_by_joining() -> None:
    members = (Member("a", order=2), Member("b", order=1), Member("c", order=1), Member("d"))
    for strategy in ("top-down", "progressive", "simultaneous", "round-robin", "fewest-calls"):
        assert order(TEAM, members=members, strategy=strategy) == ["d", "b", "c", "a"]


def test_progressive_joins_those_who_ring() -> None:
    group = replace(TEAM, strategy="progressive", ring_time=5.0)
    assert schedule_of(group, None, NOTHING, 0).rings == (
        Ring("a", 0, 20), Ring("b", 5, 15), Ring("c", 10, 10), Ring("d", 15, 5),
    )  # fmt: skip


def served(*users: str) -> Memory:
    """These answered, the last of them last; each once more than the one before."""
    return Memory(tuple(Served(user, at, at, at) for at, user in enumerate(users, 1)))


def test_round_robin_begins_behind_the_last_served() -> None:
    group = replace(TEAM, strategy="round-robin")
    assert order(group) == ["a", "b", "c", "d"]
    assert order(group, served("b")) == ["c", "d", "a", "b"]
    assert order(group, served("a", "d")) == ["a", "b", "c", "d"]
    assert order(group, served("gone")) == ["a", "b", "c", "d"]
    without = (*TEAM.members[:1], replace(TEAM.members[1], enabled=False), *TEAM.members[2:])
    assert order(group, served("b"), members=without) == ["c", "d", "a"]


def test_longest_idle_and_fewest_calls_begin_with_who_had_none() -> None:
    memory = Memory((Served("a", 9, 10, 1), Served("b", 1, 20, 3), Served("d", 2, 5, 2)))
    assert order(TEAM, memory, strategy="longest-idle") == ["c", "d", "a", "b"]
    assert order(TEAM, memory, strategy="fewest-calls") == ["c", "a", "d", "b"]


def first_of(group: Group) -> dict[str, float]:
    """How often each is first, of all."""
    firsts = [order(group, seed=seed)[0] for seed in range(2_000)]
    return {user: firsts.count(user) / len(firsts) for user in "abcd"}


def test_each_order_is_as_likely() -> None:
    for share in first_of(replace(TEAM, strategy="random")).values():
        assert share == pytest.approx(0.25, abs=0.04)


def test_the_heavier_are_first_more_often() -> None:
    weights = dict(zip("abcd", (1, 2, 3, 4), strict=True))
    members = tuple(Member(user, weight=weight) for user, weight in weights.items())
    for user, share in first_of(replace(TEAM, strategy="weighted", members=members)).items():
        assert share == pytest.approx(weights[user] / 10, abs=0.04)


@given(seeds)
def test_chance_is_within_its_bounds(seed: int) -> None:
    drawn = list(islice(draws(seed), 100))
    assert all(0 < one <= 1 for one in drawn)
    assert len(set(drawn)) == 100


def test_chance_is_splitmix64() -> None:
    """The first numbers of the generator from 0, as its authors' program prints them."""
    first = [round(one * 2**53) - 1 for one in islice(draws(0), 3)]
    assert first == [
        0xE220A8397B1DCDAF >> 11, 0x6E789E6AA1B965F4 >> 11, 0x06C45D188009454F >> 11,
    ]  # fmt: skip


def test_what_looks_at_no_past_call_does_not() -> None:
    for strategy in STRATEGIES.keys() - REMEMBERING:
        assert order(TEAM, served("a", "b"), strategy=strategy) == order(TEAM, strategy=strategy)


def test_an_unknown_strategy_of_a_newer_fsctl_rings_as_delayed() -> None:
    admitted = admit(replace(TEAM, strategy="astrology"))
    assert isinstance(admitted, Admitted)
    assert len(admitted.schedule.rings) == 4


# Rounds, and moving up


def starts(call: Simulated) -> list[tuple[str, float]]:
    return [(leg.member, leg.started) for leg in call.legs]


def test_in_turn_all_move_up_when_one_refuses() -> None:
    call = play(replace(TEAM, ring_time=5.0, wait=60.0), Phones.script({}, busy=("a", "c")))
    assert starts(call) == [("a", 0), ("b", 0), ("c", 5), ("d", 5)]
    assert (call.ended, call.cause) == (10.0, "NO_ANSWER")


def test_without_advance_everybody_keeps_his_turn() -> None:
    group = replace(TEAM, ring_time=5.0, wait=60.0, advance=False)
    call = play(group, Phones.script({}, busy=("a", "c")))
    assert starts(call) == [("a", 0), ("b", 5), ("c", 10), ("d", 15)]


def test_who_is_beyond_the_wait_rings_when_others_refuse() -> None:
    group = replace(TEAM, ring_time=10.0, wait=15.0)
    assert starts(play(group, Phones())) == [("a", 0), ("b", 10)]
    call = play(group, Phones.script({"d": 12.0}, busy=("a", "b")))
    assert starts(call) == [("a", 0), ("b", 0), ("c", 0), ("d", 10)]
    assert call.winner == "d"


def test_a_group_of_one_rings_on_through_its_rounds() -> None:
    group = replace(TEAM, members=(Member("a"),), ring_time=5.0, rounds=3)
    call = play(group, Phones())
    assert [(leg.started, leg.ended) for leg in call.legs] == [(0, 15)]


def test_everybody_rings_on_through_the_rounds_of_simultaneous() -> None:
    group = replace(TEAM, strategy="simultaneous", ring_time=5.0, rounds=3)
    call = play(group, Phones())
    assert [(leg.started, leg.ended) for leg in call.legs] == [(0, 15)] * 4


def test_a_busy_phone_is_tried_again_in_the_next_round() -> None:
    group = replace(TEAM, strategy="simultaneous", ring_time=5.0, rounds=2, wait=60.0)
    call = play(group, Phones.script({}, busy=("b",)))
    assert starts(call) == [("a", 0), ("b", 0), ("c", 0), ("d", 0), ("b", 5)]


def test_busy_phones_are_left_alone_for_a_while() -> None:
    group = replace(TEAM, ring_time=20.0, rounds=3, wait=60.0)
    call = play(group, Phones.script({}, busy=tuple("abcd")))
    assert [started for _, started in starts(call)] == [0] * 4 + [5] * 4 + [10] * 4
    assert (call.ended, call.cause) == (10.0, "USER_BUSY")


def test_who_rejected_the_call_is_not_rung_by_it_again() -> None:
    group = replace(TEAM, ring_time=5.0, rounds=2, wait=60.0)
    call = play(group, Phones(refuses={"a": "CALL_REJECTED"}))
    assert [member for member, _ in starts(call)] == ["a", *"bcd", *"bcd"]
    assert call.ended == 30.0
