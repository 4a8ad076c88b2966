"""Statistics, against the same counted by hand."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import Engine

from fsctl.store.call_queries import CallFilter, find_calls
from fsctl.store.call_records import Attempt, Version
from fsctl.store.call_stats import (
    CallStats,
    HourStats,
    MemberStats,
    Waiting,
    by_hour,
    call_stats,
    rank,
)
from fsctl.store.call_writing import write_calls
from tests.records.samples import ATTEMPTS, BEGAN, call

UTC = ZoneInfo("UTC")


@given(st.lists(st.integers(0, 50), min_size=1), st.floats(0, 1))
def test_a_percentile_is_a_value_that_so_many_do_not_exceed(
    values: list[int], share: float
) -> None:
    found = sorted(values)[rank(share, len(values)) - 1]
    assert sum(value <= found for value in values) >= share * len(values)
    below = [value for value in values if value < found]
    assert not below or len(below) < share * len(values)


@given(st.lists(st.tuples(st.integers(0, 2 * 10**6), st.integers(1, 9), st.integers(0, 9))))
def test_hours_lose_no_call(quarters: list[tuple[int, int, int]]) -> None:
    for zone in ("UTC", "Asia/Kathmandu", "Europe/Warsaw"):
        hours = by_hour(quarters, ZoneInfo(zone))
        assert sum(hour.calls for hour in hours) == sum(calls for _, calls, _ in quarters)
        assert sum(hour.answered for hour in hours) == sum(some for *_, some in quarters)
        assert [hour.hour for hour in hours] == sorted({hour.hour for hour in hours})


def test_hours_follow_the_summer_time() -> None:
    zone = ZoneInfo("Europe/Warsaw")
    noons = [datetime(2024, month, 1, 12, 30, tzinfo=zone).timestamp() for month in (1, 7)]
    assert by_hour([(int(noon // 900), 1, 1) for noon in noons], zone) == (HourStats(12, 2, 2),)


def leg(member: str, outcome: str, cause: str = "") -> Attempt:
    return Attempt(member, 0.0, 0.1, None, None, 1.0, outcome, cause)


@pytest.fixture
def calls(engine: Engine) -> Engine:
    records = [
        *(call(number, wait_seconds=float(number + 1)) for number in range(19)),
        call(20, wait_seconds=25.5, outcome="caller gave up", answered_by=None, talk_seconds=None,
             attempts=(leg("test002", "cancelled", "ORIGINATOR_CANCEL"),
                       leg("test006", "busy", "USER_BUSY"))),
        call(21, outcome="no such number", wait_seconds=0.0, attempts=(), group="",
             group_as_it_was="", talk_seconds=None),
        call(22, group="other", outcome="no answer", wait_seconds=30.0, talk_seconds=None,
             attempts=(leg("test006", "cancelled", "LOSE_RACE"),
                       leg("test006", "no answer", "NO_ANSWER"),
                       leg("test003", "unreachable", "USER_NOT_REGISTERED"),
                       leg("test004", "rejected", "CALL_REJECTED"),
                       leg("test005", "failed", "X"))),
        call(7200, talk_seconds=None),
    ]  # fmt: skip
    write_calls(engine, [Version(1, record) for record in records])
    return engine


def test_everything_is_counted(calls: Engine) -> None:
    found = call_stats(calls, CallFilter(hidden=0), UTC)
    assert (found.calls, found.hunted, found.answered) == (23, 22, 20)
    assert found.answered_share == 20 / 22
    assert found.outcomes == {
        "answered": 20, "caller gave up": 1, "no such number": 1, "no answer": 1,
    }  # fmt: skip
    waits = sorted([*range(1, 20), 25.5, 30.0, 7.25])
    assert found.waiting == Waiting(waits[10], waits[20])
    answered = sorted([*range(1, 20), 7.25])
    assert found.waiting_answered == Waiting(answered[9], answered[18])
    assert found.talk_seconds == 19 * 63.0
    assert found.members == (
        MemberStats("test002", 21, 0, 1, 20, 0, 0, 0.0),
        MemberStats("test003", 1, 0, 0, 0, 0, 1, 0.0),
        MemberStats("test004", 1, 0, 0, 0, 1, 0, 0.0),
        MemberStats("test005", 1, 0, 0, 0, 0, 1, 0.0),
        MemberStats("test006", 22, 20, 1, 0, 1, 0, 19 * 63.0),
    )
    assert found.hours == (HourStats(8, 22, 19), HourStats(10, 1, 1))


def test_a_filter_restricts_all_of_it(calls: Engine) -> None:
    chosen = CallFilter(group="OTHER", since=BEGAN, until=BEGAN + 3600, hidden=0)
    found = call_stats(calls, chosen, UTC)
    assert (found.calls, found.answered, found.answered_share) == (1, 0, 0.0)
    assert [member.member for member in found.members] == [
        "test003", "test004", "test005", "test006",
    ]  # fmt: skip
    assert found.hours == (HourStats(8, 1, 0),)


LINES = {1: None, 2: 4.0, 3: 0.0, 4: 9.5}
"""Seconds in line of some calls."""


def test_no_calls_at_all(engine: Engine) -> None:
    found = call_stats(engine, CallFilter(hidden=0), UTC)
    nobody = Waiting(None, None)
    assert found == CallStats(0, 0, {}, nobody, nobody, 0, nobody, 0.0, (), ())
    assert found.answered_share is None


def test_who_stood_in_line_is_counted(engine: Engine) -> None:
    some = [replace(call(number), line_seconds=seconds) for number, seconds in LINES.items()]
    write_calls(engine, [Version(1, record) for record in some])
    found = call_stats(engine, CallFilter(hidden=0), UTC)
    assert (found.in_line, found.waiting_in_line) == (3, Waiting(4.0, 9.5))
    stored = find_calls(engine, some[1].uuid, hidden=0)[0].record
    assert stored.line_seconds == 4.0


def test_a_member_counts_once_per_call(engine: Engine) -> None:
    twice = (ATTEMPTS[0], ATTEMPTS[0], ATTEMPTS[0])
    write_calls(engine, [Version(1, call(1, attempts=twice))])
    [member] = call_stats(engine, CallFilter(hidden=0), UTC).members
    assert (member.offered, member.elsewhere) == (1, 1)


def test_who_picked_a_caller_up_has_answered(engine: Engine) -> None:
    picked = Attempt("anna@a.example", 7.0, None, 7.0, 7.1, None, "picked up")
    record = call(1, attempts=(ATTEMPTS[0], picked), answered_by="anna@a.example")
    write_calls(engine, [Version(1, record)])
    stats = call_stats(engine, CallFilter(hidden=0), UTC)
    by_member = {one.member: (one.offered, one.answered, one.failed) for one in stats.members}
    assert by_member == {"anna@a.example": (1, 1, 0), "test002": (1, 0, 0)}
    assert stats.answered == 1


@pytest.mark.parametrize("outcome", ["too many callers", "disabled", "closed", "no members"])
def test_who_waited_before_being_refused_was_hunted_for(engine: Engine, outcome: str) -> None:
    refused = [
        replace(
            call(number, outcome=outcome, wait_seconds=waited, answered_by=None, talk_seconds=None),
            attempts=(),
            line_seconds=waited or None,
        )
        for number, waited in enumerate([0.0, 12.5])
    ]
    write_calls(engine, [Version(1, record) for record in [*refused, call(2)]])
    found = call_stats(engine, CallFilter(hidden=0), UTC)
    assert (found.calls, found.hunted, found.answered_share) == (3, 2, 0.5)
    assert found.waiting == Waiting(7.25, 12.5)
