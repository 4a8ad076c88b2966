"""Calls whose controllers died in mid-hunt have a record, and never two."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine

from fsctl.controller.live import Live
from fsctl.store.call_queries import CallFilter, list_calls
from fsctl.store.call_records import CallRecord, Version
from fsctl.store.call_writing import write_calls
from fsctl.store.engine import writing
from fsctl.store.live import FRESH, LiveHunt, LiveLeg, write_live
from fsctl.store.tables import now_ms
from tests.records.samples import ANSWERED

LEGS = (
    LiveLeg("test002", 0.0, None, "rings"),
    LiveLeg("test006", 0.5, None, "claims"),
    LiveLeg("test007", 0.0, 0.2, "busy"),
)
DEAD = "pbx1/1"


def hunt(uuid: str = ANSWERED.uuid) -> LiveHunt:
    caller = ("+48601234567", "Jan")
    return LiveHunt(uuid, "", "Sales", "600", *caller, ANSWERED.began, 30.0, LEGS)


def told(engine: Engine, *hunts: LiveHunt, ago: float = FRESH + 1, by: str = DEAD) -> None:
    with writing(engine) as session:
        write_live(session, by, [], hunts, now_ms() - round(ago * 1000))


def look(engine: Engine, live: Live | None = None) -> None:
    """Do what a controller does when it begins, and then once a minute."""
    (live or Live(engine, list))._exchange({}, {}, tidy=True)


def stored(engine: Engine) -> list[CallRecord]:
    return [one.record for one in list_calls(engine, CallFilter(hidden=0), None)]


def test_another_controller_writes_it_down_once(engine: Engine) -> None:
    told(engine, hunt())
    look(engine)
    look(engine)
    [found] = stored(engine)
    assert (found.outcome, found.controller) == ("interrupted", DEAD)
    assert (found.group, found.number, found.caller_name) == ("Sales", "600", "Jan")
    assert [(one.member, one.outcome) for one in found.attempts] == [
        ("test002", "interrupted"), ("test006", "interrupted"), ("test007", "busy"),
    ]  # fmt: skip
    assert found.wait_seconds == pytest.approx(found.ended - found.began, abs=0.01)


def test_who_lives_is_left_alone(engine: Engine) -> None:
    told(engine, hunt(), ago=FRESH - 5)
    look(engine)
    assert stored(engine) == []


def test_what_the_dead_one_wrote_itself_counts(engine: Engine) -> None:
    told(engine, hunt())
    write_calls(engine, [Version(now_ms(), ANSWERED)])
    look(engine)
    assert stored(engine) == [ANSWERED]


def test_what_comes_later_from_its_disk_counts(engine: Engine) -> None:
    told(engine, hunt())
    look(engine)
    early = replace(ANSWERED, talk_seconds=None)
    write_calls(engine, [Version(1, early)])
    assert stored(engine) == [early]


def test_a_controller_of_the_same_name_begins(engine: Engine) -> None:
    """In a container every one may be process 1 of the same machine."""
    live = Live(engine, list)
    told(engine, hunt(), ago=1.0, by=live._name)
    look(engine, live)
    assert [one.outcome for one in stored(engine)] == ["interrupted"]


def test_its_own_calls_are_left_alone_later(engine: Engine) -> None:
    live = Live(engine, list)
    look(engine, live)
    told(engine, hunt(), ago=0.0, by=live._name)
    look(engine, live)
    assert stored(engine) == []
