"""Finding calls."""

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine

from fsctl.store import call_queries
from fsctl.store.call_queries import CallFilter, find_calls, list_calls
from fsctl.store.call_records import CallOutcome, Version
from fsctl.store.call_writing import write_calls
from tests.records.samples import ANSWERED, ATTEMPTS, BEGAN, call

RECORDS = [
    call(0),
    call(1, caller_number="0048601234567", group="SALES"),
    call(2, caller_number="anonymous", outcome="busy", answered_by=None),
    call(3, group="Other", domain="a.example", group_as_it_was="", attempts=ATTEMPTS[1:]),
    call(4, group="Other", group_as_it_was="",
         attempts=(replace(ATTEMPTS[0], member="Test006@a.example"),)),
    call(5, group="", group_as_it_was="", attempts=(), outcome="no such number"),
]  # fmt: skip


@pytest.fixture
def calls(engine: Engine) -> Engine:
    write_calls(engine, [Version(1, record) for record in RECORDS])
    return engine


@pytest.mark.parametrize(
    ("chosen", "numbers"),
    [
        (CallFilter(), [5, 4, 3, 2, 1, 0]),
        (CallFilter(group="sales"), [2, 1, 0]),
        (CallFilter(domain="a.example"), [3]),
        (CallFilter(caller="601 234 567"), [5, 4, 3, 1, 0]),
        (CallFilter(caller="Anonymous"), [2]),
        (CallFilter(caller="1234567"), []),
        (CallFilter(outcome=CallOutcome.BUSY), [2]),
        (CallFilter(since=BEGAN + 2, until=BEGAN + 4), [3, 2]),
        (CallFilter(member="test006"), [4, 3, 2, 1, 0]),
        (CallFilter(member="TEST006@b.example"), [3, 2, 1, 0]),
        (CallFilter(member="test006@A.example"), [4, 3, 2, 1, 0]),
        (CallFilter(member="test009"), [2, 1, 0]),
        (CallFilter(member="test00_"), []),
        (CallFilter(member="test006", since=BEGAN + 1, until=BEGAN + 4, group="Sales"), [2, 1]),
    ],
)
def test_filters(calls: Engine, chosen: CallFilter, numbers: list[int]) -> None:
    assert [one.record for one in list_calls(calls, chosen, None)] == [RECORDS[n] for n in numbers]


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6, 7, None])
def test_pages_leave_nothing_out(
    calls: Engine, limit: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_queries, "PAGE", 2)
    found = [one.record for one in list_calls(calls, CallFilter(), limit)]
    assert found == RECORDS[::-1][:limit]


def test_calls_of_the_same_moment_are_all_listed(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_queries, "PAGE", 2)
    write_calls(engine, [Version(1, call(number, began=BEGAN)) for number in range(7)])
    assert len({one.id for one in list_calls(engine, CallFilter(), None)}) == 7


def test_what_comes_meanwhile_is_not_listed(calls: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_queries, "PAGE", 2)
    listing = list_calls(calls, CallFilter(), None)
    first = next(listing)
    write_calls(calls, [Version(1, call(-1))])
    assert [first.record, *(one.record for one in listing)] == RECORDS[::-1]


def test_a_call_is_found_by_its_id_and_by_its_uuid(calls: Engine) -> None:
    [latest] = list_calls(calls, CallFilter(), 1)
    for text in (str(latest.id), latest.record.uuid):
        assert find_calls(calls, text) == [latest]
    assert len(find_calls(calls, "5f3c0d1e")) == 6
    for nothing in ("999", "5f3", "5f3c0d1f", "5F3C", "%", "____", "", "9" * 30, "٣", "'--;"):
        assert find_calls(calls, nothing) == []


def test_a_uuid_of_digits_is_no_id(engine: Engine) -> None:
    record = replace(ANSWERED, uuid="12345678-0000")
    write_calls(engine, [Version(1, record)])
    assert [one.record for one in find_calls(engine, "12345678")] == [record]


def test_the_hunts_of_one_caller_are_found_together(engine: Engine) -> None:
    later = replace(ANSWERED, began=BEGAN + 40)
    write_calls(engine, [Version(1, later), Version(1, ANSWERED)])
    assert [one.record for one in find_calls(engine, ANSWERED.uuid)] == [ANSWERED, later]
