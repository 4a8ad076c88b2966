"""Records in the database: once each, the later version, and gone when they are old."""

import dataclasses

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import IntegrityError

from fsctl.hunt.group import Member
from fsctl.store import call_writing
from fsctl.store.call_queries import CallFilter, StoredCall, list_calls
from fsctl.store.call_records import CallRecord, Version, cleaned, group_text
from fsctl.store.call_tables import CallAttempt, CallGroup
from fsctl.store.call_writing import purge_calls, write_calls
from fsctl.store.engine import make_engine, reading
from fsctl.store.errors import Unavailable
from tests.records.samples import ANSWERED, BEGAN, GROUP, call

EVERY = CallFilter(hidden=0)
DAY = 86_400


def write(engine: Engine, *records: CallRecord, stamp: int = 1) -> None:
    write_calls(engine, [Version(stamp, record) for record in records])


def stored(engine: Engine) -> list[StoredCall]:
    return list(list_calls(engine, EVERY, None))


def count(engine: Engine, table: type) -> int:
    with reading(engine) as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_record_is_read_as_it_was_written(engine: Engine) -> None:
    write(engine, ANSWERED)
    [found] = stored(engine)
    assert found.record == ANSWERED
    assert found.not_rung == ("test007", "test008", "test009")


def test_nothing_to_write_is_no_trouble(engine: Engine) -> None:
    write(engine)
    assert stored(engine) == []


def test_the_later_version_stays_whichever_comes_first(engine: Engine) -> None:
    early = replace(ANSWERED, talk_seconds=None, attempts=ANSWERED.attempts[:1])
    for versions in (
        [Version(1, early), Version(2, ANSWERED)],
        [Version(2, ANSWERED), Version(1, early)],
    ):
        write_calls(engine, versions)
        assert [one.record for one in stored(engine)] == [ANSWERED]
        for version in versions:
            write_calls(engine, [version])
        assert [one.record for one in stored(engine)] == [ANSWERED]


def test_a_record_written_again_keeps_its_id(engine: Engine) -> None:
    write(engine, call(1), call(2))
    before = [one.id for one in stored(engine)]
    write(engine, call(2), call(1), stamp=2)
    assert [one.id for one in stored(engine)] == before


def test_a_caller_who_goes_on_to_another_group_has_a_record_of_each(engine: Engine) -> None:
    write(engine, ANSWERED, replace(ANSWERED, began=BEGAN + 40, group="Service"))
    assert [one.record.group for one in stored(engine)] == ["Service", "Sales"]


def test_a_member_rung_twice_has_one_last_leg(engine: Engine) -> None:
    first, second = ANSWERED.attempts
    again = replace(first, started=5.0, outcome="no answer")
    write(engine, replace(ANSWERED, attempts=(first, again, second)))
    with reading(engine) as session:
        rows = session.execute(
            select(CallAttempt.member, CallAttempt.last).order_by(CallAttempt.position)
        )
        assert [tuple(row) for row in rows][:3] == [
            ("test002", False), ("test002", True), ("test006", True),
        ]  # fmt: skip


def test_a_group_is_kept_once_for_all_its_calls(engine: Engine) -> None:
    write(engine, *(call(number) for number in range(20)))
    other = group_text(dataclasses.replace(GROUP, members=(Member("test002"),)))
    write(engine, call(30, group_as_it_was=other), call(31, group_as_it_was=""))
    assert count(engine, CallGroup) == 2
    assert [one.record.group_as_it_was for one in stored(engine)][:2] == ["", other]


def test_what_a_stranger_sends_is_kept(engine: Engine) -> None:
    nasty = "\0\ud800'; DROP TABLE call_record; --\x1b[2J\n=cmd()"
    record = cleaned(
        replace(ANSWERED, caller_name=nasty, caller_number=nasty, number=nasty, cause="X" * 999)
    )
    write(engine, record)
    assert [one.record for one in stored(engine)] == [record]


def test_what_the_database_refuses_leaves_nothing(engine: Engine) -> None:
    wrong = replace(call(2), controller=None)  # type: ignore[arg-type]
    with pytest.raises((IntegrityError, Unavailable)):
        write(engine, call(1), wrong)
    assert stored(engine) == []


def test_old_records_go_step_by_step(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_writing, "PURGED_AT_ONCE", 3)
    write(engine, *(call(number) for number in range(10)))
    assert purge_calls(engine, BEGAN + 7) == 7
    assert [one.record for one in stored(engine)] == [call(9), call(8), call(7)]
    assert count(engine, CallAttempt) == 3 * 5
    assert purge_calls(engine, BEGAN + 7) == 0


def test_groups_go_with_the_last_call_that_had_them(engine: Engine) -> None:
    other = group_text(dataclasses.replace(GROUP, wait=20.0))
    write(engine, call(1, group_as_it_was=other))
    write(engine, call(2), call(3, began=BEGAN + 10 * DAY))
    purge_calls(engine, BEGAN + 5 * DAY)
    assert [one.record.group_as_it_was for one in stored(engine)] == [ANSWERED.group_as_it_was]
    assert count(engine, CallGroup) == 1
    purge_calls(engine, BEGAN + 20 * DAY)
    assert (stored(engine), count(engine, CallGroup), count(engine, CallAttempt)) == ([], 0, 0)


def test_a_database_that_is_away_is_said(sqlite_url: str) -> None:
    with pytest.raises(Unavailable):
        write(make_engine(sqlite_url), ANSWERED)
