"""Finding calls."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import Engine

from fsctl.store import call_queries
from fsctl.store.call_keys import mask_number
from fsctl.store.call_queries import CallFilter, find_calls, list_calls
from fsctl.store.call_records import CallOutcome, Version
from fsctl.store.call_writing import write_calls
from fsctl.store.engine import make_engine
from tests.databases import make_tables
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
        (CallFilter(hidden=0), [5, 4, 3, 2, 1, 0]),
        (CallFilter(group="sales", hidden=0), [2, 1, 0]),
        (CallFilter(domain="a.example", hidden=0), [3]),
        (CallFilter(caller="601 234 567", hidden=0), [5, 4, 3, 1, 0]),
        (CallFilter(caller="Anonymous", hidden=0), [2]),
        (CallFilter(caller="1234567", hidden=0), []),
        (CallFilter(outcome=CallOutcome.BUSY, hidden=0), [2]),
        (CallFilter(since=BEGAN + 2, until=BEGAN + 4, hidden=0), [3, 2]),
        (CallFilter(member="test006", hidden=0), [4, 3, 2, 1, 0]),
        (CallFilter(member="TEST006@b.example", hidden=0), [3, 2, 1, 0]),
        (CallFilter(member="test006@A.example", hidden=0), [4, 3, 2, 1, 0]),
        (CallFilter(member="test009", hidden=0), [2, 1, 0]),
        (CallFilter(member="test00_", hidden=0), []),
        (
            CallFilter(member="test006", since=BEGAN + 1, until=BEGAN + 4, group="Sales", hidden=0),
            [2, 1],
        ),
    ],
)
def test_filters(calls: Engine, chosen: CallFilter, numbers: list[int]) -> None:
    assert [one.record for one in list_calls(calls, chosen, None)] == [RECORDS[n] for n in numbers]


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6, 7, None])
def test_pages_leave_nothing_out(
    calls: Engine, limit: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_queries, "PAGE", 2)
    found = [one.record for one in list_calls(calls, CallFilter(hidden=0), limit)]
    assert found == RECORDS[::-1][:limit]


def test_calls_of_the_same_moment_are_all_listed(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_queries, "PAGE", 2)
    write_calls(engine, [Version(1, call(number, began=BEGAN)) for number in range(7)])
    assert len({one.id for one in list_calls(engine, CallFilter(hidden=0), None)}) == 7


def test_what_comes_meanwhile_is_not_listed(calls: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_queries, "PAGE", 2)
    listing = list_calls(calls, CallFilter(hidden=0), None)
    first = next(listing)
    write_calls(calls, [Version(1, call(-1))])
    assert [first.record, *(one.record for one in listing)] == RECORDS[::-1]


def test_a_call_is_found_by_its_id_and_by_its_uuid(calls: Engine) -> None:
    [latest] = list_calls(calls, CallFilter(hidden=0), 1)
    for text in (str(latest.id), latest.record.uuid):
        assert find_calls(calls, text, hidden=0) == [latest]
    assert len(find_calls(calls, "5f3c0d1e", hidden=0)) == 6
    for nothing in ("999", "5f3", "5f3c0d1f", "5F3C", "%", "____", "", "9" * 30, "٣", "'--;"):
        assert find_calls(calls, nothing, hidden=0) == []


def test_a_uuid_of_digits_is_no_id(engine: Engine) -> None:
    record = replace(ANSWERED, uuid="12345678-0000")
    write_calls(engine, [Version(1, record)])
    assert [one.record for one in find_calls(engine, "12345678", hidden=0)] == [record]


def test_the_hunts_of_one_caller_are_found_together(engine: Engine) -> None:
    later = replace(ANSWERED, began=BEGAN + 40)
    write_calls(engine, [Version(1, later), Version(1, ANSWERED)])
    assert [one.record for one in find_calls(engine, ANSWERED.uuid, hidden=0)] == [ANSWERED, later]


# What is hidden

NUMBERS = ("+48601100042", "601-100-042", "+48601100043", "48 601 190 042", "602", "anna", "anne",
           "ann-e", "a.n/n-e", "Anonymous", "", "+", "60110abcd", "1", "22")  # fmt: skip


@pytest.fixture(scope="module")
def callers(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    url = f"sqlite:///{tmp_path_factory.mktemp('callers') / 'fsctl.db'}"
    make_tables(url)
    engine = make_engine(url)
    write_calls(engine, [Version(1, call(n, caller_number=one)) for n, one in enumerate(NUMBERS)])
    return engine


@settings(deadline=None)  # it asks a database
@given(
    st.sampled_from(NUMBERS) | st.text(st.sampled_from("01a.-*# 2nE"), max_size=12),
    st.integers(1, 12),
)
def test_a_filter_tells_nothing_that_is_hidden(callers: Engine, asked: str, hidden: int) -> None:
    found = list_calls(callers, CallFilter(caller=asked, hidden=hidden), None)
    numbers = {NUMBERS[round(one.record.began - BEGAN)] for one in found}
    shown = {mask_number(one, hidden) for one in numbers}
    assert {one for one in NUMBERS if mask_number(one, hidden) in shown} == numbers


@pytest.mark.parametrize(
    ("asked", "hidden", "numbers"),
    [
        ("+48601100099", 4, [0, 1, 2, 12]),
        ("+4860110****", 4, [0, 1, 2, 12]),
        ("601190000", 4, [3]),
        ("anna", 1, [5, 6]),
        ("ANNX", 1, [5, 6]),
        ("ann-x", 1, [7]),
        ("żółw", 1, []),
        ("7" * 100, 4, []),
    ],
)
def test_a_masked_filter(engine: Engine, asked: str, hidden: int, numbers: list[int]) -> None:
    write_calls(engine, [Version(1, call(n, caller_number=one)) for n, one in enumerate(NUMBERS)])
    found = list_calls(engine, CallFilter(caller=asked, hidden=hidden), None)
    assert sorted(round(one.record.began - BEGAN) for one in found) == numbers
