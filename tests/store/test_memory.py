"""What strategies remember, in the database."""

import threading
from dataclasses import replace

import pytest
from msgspec import structs
from sqlalchemy import Engine, func, select

from fsctl.admin.groups import add_group, remove_group, set_group
from fsctl.admin.members import add_member, remove_member, set_member
from fsctl.admin.transfer import all_groups, import_groups
from fsctl.hunt.memory import Memory, Served
from fsctl.store.call_records import CallRecord, Version
from fsctl.store.call_writing import purge_calls, write_calls
from fsctl.store.engine import reading, writing
from fsctl.store.memory import (
    OVERLAP_MS,
    Service,
    key_of,
    read_memories,
    read_news,
    remember,
)
from fsctl.store.revision import read_revision
from fsctl.store.tables import MemberMemory, now_ms
from tests.records.samples import ANSWERED, BEGAN, call

SALES = key_of("Sales", "")
AT = BEGAN + 7.25


@pytest.fixture
def sales(engine: Engine) -> Engine:
    add_group(engine, "Sales", strategy="round-robin")
    for user in ("test002", "test006"):
        add_member(engine, "Sales", user)
    return engine


def write(engine: Engine, record: CallRecord, stamp: int = 1) -> None:
    write_calls(engine, [Version(stamp, record)])


def memory(engine: Engine) -> Memory:
    with reading(engine) as session:
        return read_memories(session, [SALES])[SALES]


def test_an_answered_call_is_remembered_with_its_record(sales: Engine) -> None:
    assert memory(sales) == Memory()
    write(sales, structs.replace(ANSWERED, talk_seconds=None, ended=AT))
    assert memory(sales) == Memory((Served("test006", AT, AT, 1),))
    write(sales, ANSWERED, stamp=2)
    assert memory(sales) == Memory((Served("test006", AT, BEGAN + 70.25, 1),))


def test_a_call_counts_once_however_often_it_is_written(sales: Engine) -> None:
    for stamp in (1, 2, 2, 1):
        write(sales, ANSWERED, stamp=stamp)
    write_calls(sales, [Version(3, call(number)) for number in (1, 2)])
    found = memory(sales)
    assert found.served == (Served("test006", AT + 2, BEGAN + 72, 3),)
    assert found.last == "test006"


def test_what_comes_late_takes_nothing_back(sales: Engine) -> None:
    write(sales, call(100, answered_by="test002"))
    write(sales, call(1, answered_by="test002"))
    write(sales, call(50))
    found = memory(sales)
    assert found.last == "test002"
    assert found.of("test002") == Served("test002", AT + 100, BEGAN + 170, 2)


def test_calls_without_an_answer_are_not_remembered(sales: Engine) -> None:
    write(
        sales, structs.replace(ANSWERED, answered_by=None, outcome="no answer", talk_seconds=None)
    )
    assert memory(sales) == Memory()


def test_members_and_groups_that_are_gone_are_left_out(sales: Engine) -> None:
    write(sales, call(1, answered_by="nobody"))
    write(sales, call(2, group="Other"))
    write(sales, call(3, domain="a.example"))
    assert memory(sales) == Memory()


def test_memory_goes_with_the_member_and_with_the_group(sales: Engine) -> None:
    def count() -> int:
        with reading(sales) as session:
            return session.scalar(select(func.count()).select_from(MemberMemory)) or 0

    write_calls(sales, [Version(1, ANSWERED), Version(1, call(1, answered_by="test002"))])
    assert count() == 2
    remove_member(sales, "Sales", "test002")
    assert memory(sales).last == "test006"
    add_member(sales, "Sales", "test002")
    assert memory(sales).of("test002") is None
    remove_group(sales, "Sales")
    assert count() == 0


def test_memory_outlives_every_other_change(sales: Engine) -> None:
    write(sales, ANSWERED)
    before = memory(sales)
    set_group(sales, "Sales", strategy="longest-idle", ring_time=5)
    set_member(sales, "Sales", "test006", order=3)
    with all_groups(sales) as groups:
        wanted = [replace(one, wait=20.0) for one in groups]
    import_groups(sales, wanted)
    purge_calls(sales, before=BEGAN + 1_000_000)
    assert memory(sales) == before


def test_memory_moves_no_revision(sales: Engine) -> None:
    with reading(sales) as session:
        before = read_revision(session)
    write(sales, ANSWERED)
    with reading(sales) as session:
        assert read_revision(session) == before


def test_news_are_what_was_written_since(sales: Engine) -> None:
    start = now_ms()
    with reading(sales) as session:
        assert read_news(session, start).served == {}
    write(sales, ANSWERED)
    with reading(sales) as session:
        news = read_news(session, start)
        assert news.served == {SALES: (Served("test006", AT, BEGAN + 70.25, 1),)}
        assert start <= news.until <= now_ms()
        assert read_news(session, news.until) == news  # what was seen just now comes once more
        assert read_news(session, news.until + OVERLAP_MS).served == {}
    set_group(sales, "Sales", strategy="delayed")
    with reading(sales) as session:
        assert read_news(session, start).served == {}


def test_controllers_that_write_at_the_same_time_lose_no_call(sales: Engine) -> None:
    errors: list[Exception] = []
    users = ("test002", "test006")

    def work(number: int) -> None:
        try:
            for turn in range(10):
                with writing(sales) as session:
                    remember(
                        session,
                        [
                            Service(SALES, user, AT + turn, AT + turn, first=True)
                            for user in (users if number % 2 else users[::-1])
                        ],
                    )
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []
    assert {one.calls for one in memory(sales).served} == {40}


@pytest.mark.postgresql
def test_a_member_who_is_removed_meanwhile_costs_no_record(
    postgresql_url: str, tables: None
) -> None:
    """The record's transaction waits for the removal, and then leaves the member out."""
    from fsctl.store.engine import make_engine
    from fsctl.store.tables import GroupMember

    engine = make_engine(postgresql_url)
    add_group(engine, "Sales")
    add_member(engine, "Sales", "test006")
    writer = threading.Thread(target=write, args=(engine, ANSWERED))
    with writing(engine) as session:
        session.delete(session.scalars(select(GroupMember)).one())
        session.flush()
        writer.start()
        writer.join(0.3)
        assert writer.is_alive(), "it did not wait for who removes the member"
    writer.join(10)
    assert not writer.is_alive()
    assert memory(engine) == Memory()
    engine.dispose()
