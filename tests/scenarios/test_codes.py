"""Codes before a group's number: members sign on and off, and callers are picked up."""

from __future__ import annotations

import signal
from itertools import count

import gevent
import pytest
from sqlalchemy import Engine

from fsctl.admin.audit import list_changes
from fsctl.admin.groups import add_group, get_group
from fsctl.admin.members import add_member
from fsctl.admin.numbers import add_numbers
from tests.scenarios.conftest import MakeGroup, Mortal
from tests.scenarios.rig import Call, Rig, Script
from tests.scenarios.test_records import record

SIGN, PICK_UP = "*45", "*8"
_tenants_numbers = count(71)
MUSIC = "tone_stream://%(200,200,350);loops=-1"
ELSEWHERE = "Call completed elsewhere"
TRIALS = 5


def signed_on(engine: Engine, number: str) -> dict[str, bool]:
    group = get_group(engine, f"group {number}")
    return {member.user: member.signed_on for member in group.members}


def refused(rig: Rig, call: Call) -> int:
    """Return the status with which a code was refused; it was not answered, but heard."""
    released = rig.log.wait(call.who, "released")
    assert rig.log.wait(call.who, "ringing").detail["early"]
    rig.log.absent(call.who, "answered")
    return int(released.detail["code"])


def test_a_member_signs_off_and_on(rig: Rig, group: MakeGroup, engine: Engine) -> None:
    number = group(("test002", "test006"))
    for user in ("test002", "test006"):
        rig.phone(user)
    off = rig.dial(SIGN + number, user="test002", who="off")
    rig.log.wait("off", "answered")
    assert off.listens()
    assert signed_on(engine, number) == {"test002": False, "test006": True}
    first = rig.dial(number, who="first")
    rig.log.wait("test006", "invite")
    rig.log.wait("off", "bye")
    rig.log.absent("test002", "invite")
    first.hang_up()
    rig.dial(SIGN + number, user="test002", who="on")
    rig.log.wait("on", "answered")
    assert signed_on(engine, number)["test002"]
    rig.dial(number, who="second")
    rig.log.wait("test002", "invite")
    changes = list_changes(engine, group=f"group {number}", limit=2)
    assert {one.action for one in changes} == {"toggle signed on"}
    assert all("test002@" in one.actor and "telephone" in one.actor for one in changes)


def test_of_two_tenants_each_has_its_own(rig: Rig, engine: Engine) -> None:
    number = str(next(_tenants_numbers))
    for domain in (rig.domain, "other.example"):
        name, user = f"codes {rig.name}", "test002"
        add_group(engine, name, domain=domain, wait=2.0)
        add_numbers(engine, name, [number], "PL", domain=domain)
        add_member(engine, name, user, domain=domain)
    rig.dial(SIGN + number, user="test002", who="off")
    rig.log.wait("off", "answered")
    here, there = (
        get_group(engine, f"codes {rig.name}", domain=domain).members[0].signed_on
        for domain in (rig.domain, "other.example")
    )
    assert (here, there) == (False, True)


def test_nobody_is_signed_on(rig: Rig, group: MakeGroup, engine: Engine, database_url: str) -> None:
    number = group(("test002",))
    rig.phone("test002")
    rig.dial(SIGN + number, user="test002", who="off")
    rig.log.wait("off", "answered")
    call = rig.dial(number)
    assert rig.log.wait("caller", "released").detail["code"] == 480
    assert record(database_url, call.uuid)["outcome"] == "no members"


def test_who_may_not_is_refused(rig: Rig, group: MakeGroup, engine: Engine) -> None:
    number = group(("test002",))
    rig.phone("test009")
    attempts = [
        rig.dial(SIGN + number, who="stranger", caller_number="test002"),
        rig.dial(SIGN + number, who="no member", user="test009"),
        rig.dial(SIGN + "1999", who="no group", user="test009"),
        rig.dial(PICK_UP + number, who="strange picker"),
        rig.dial(PICK_UP + number, who="other picker", user="test009"),
    ]
    assert [refused(rig, one) for one in attempts] == [603, 603, 404, 603, 603]
    assert signed_on(engine, number) == {"test002": True}


def test_who_waits_is_picked_up(rig: Rig, group: MakeGroup, database_url: str) -> None:
    number = group({"test002": 0.0, "test006": 0.0, "test007": 9.0}, wait=10.0)
    for user in ("test002", "test006", "test007"):
        rig.phone(user)
    call = rig.dial(number)
    rig.log.wait("test002", "invite")
    younger = rig.dial(number, who="younger")
    for user in ("test002", "test006"):
        rig.log.wait(user, "invite", count=2)
    picker = rig.dial(PICK_UP + number, user="test007", who="picker")
    rig.log.wait("caller", "answered")
    assert call.talks_with(picker)
    for user in ("test002", "test006"):
        assert ELSEWHERE in str(rig.log.wait(user, "cancel").detail["reason"])
    rig.log.absent("younger", "answered")
    assert "Deleted: 0" in rig.api(f"sched_del fsctl-{call.uuid}")
    younger.hang_up()
    picker.hang_up()
    rig.log.wait("caller", "bye")
    found = record(database_url, call.uuid)
    assert (found["outcome"], found["answered_by"]) == ("answered", "test007")
    legs = {leg["member"]: leg["outcome"] for leg in found["attempts"]}
    assert legs == {"test002": "cancelled", "test006": "cancelled", "test007": "picked up"}
    assert rig.fallbacks() == []


def test_a_group_says_who_may_pick_up(rig: Rig, group: MakeGroup, database_url: str) -> None:
    nobody = group(("test002",), pickup="nobody")
    domain = group(("test002",), pickup="domain", music=MUSIC, answer_first=True)
    rig.phone("test002")
    call = rig.dial(domain)
    rig.log.wait("test002", "invite")
    assert refused(rig, rig.dial(PICK_UP + nobody, user="test002", who="not me")) == 603
    picker = rig.dial(PICK_UP + domain, user="test009", who="picker")
    rig.log.wait("test002", "cancel")
    assert call.talks_with(picker)
    call.hang_up()
    rig.log.wait("picker", "bye")
    assert record(database_url, call.uuid)["answered_by"] == "test009@" + rig.domain
    assert refused(rig, rig.dial(PICK_UP + domain, user="test002", who="late")) == 480


def test_picked_up_while_a_member_answers(rig: Rig, group: MakeGroup) -> None:
    number = group(("test002", "test006"), wait=10.0)
    for user in ("test002", "test006"):
        rig.phone(user)
    winners = set()
    for trial in range(TRIALS):
        call = rig.dial(number, who=f"caller {trial}")
        for user in ("test002", "test006"):
            rig.log.wait(user, "invite", count=trial + 1)
        picker = rig.dial(PICK_UP + number, user="test009", who=f"picker {trial}")
        gevent.sleep(0.02 * trial)
        rig.answer_together("test002")
        rig.log.wait(call.who, "answered")
        winners.add(exactly_one_has(rig, call, picker, trial))
        call.hang_up()
        picker.hang_up()
        assert rig.log.until(lambda: not rig.channels(), 5.0)
    assert rig.fallbacks() == []


def exactly_one_has(rig: Rig, call: Call, picker: Call, trial: int) -> str:
    """Return who has the caller, of the picker and test002; the other was told."""

    def over(who: str, count: int, *what: str) -> bool:
        return sum(len(rig.log.all(who, one)) for one in what) >= count

    def one_is_over() -> bool:
        member = over("test002", trial + 1, "bye", "cancel")
        return member or over(picker.who, 1, "bye", "released")

    assert rig.log.until(one_is_over, 3.0), str(rig.log)
    if over("test002", trial + 1, "bye", "cancel"):
        assert call.talks_with(picker)
        return "picker"
    assert call.hears("test002")
    return "test002"


def test_killed_in_the_moment_in_which_somebody_picks_up(
    rig: Rig, group: MakeGroup, mortal: Mortal
) -> None:
    controller = mortal()
    rig.phone("test002")
    number = group(("test002",), pickup="domain", wait=10.0, music=MUSIC)
    call = rig.dial(number, controllers=controller.address)
    rig.log.wait("test002", "invite")
    where = controller.address
    picker = rig.dial(PICK_UP + number, user="test009", who="picker", controllers=where)
    rig.log.wait("picker", "answered")
    controller.signal(signal.SIGKILL)
    rig.log.wait("caller", "answered")
    assert call.talks_with(picker)
    with pytest.raises(AssertionError):
        rig.log.wait("caller", "bye", timeout=0.5)
    picker.hang_up()
    rig.log.wait("caller", "bye")
    assert rig.fallbacks() == []


def test_who_waits_at_another_controller_is_picked_up(
    rig: Rig, group: MakeGroup, mortal: Mortal, database_url: str
) -> None:
    other = mortal()
    rig.phone("test002", Script())
    number = group(("test002",), pickup="domain", wait=10.0)
    call = rig.dial(number, controllers=other.address)
    rig.log.wait("test002", "invite")
    for attempt in range(30):  # the other controller tells every second
        picker = rig.dial(PICK_UP + number, user="test009", who=f"picker {attempt}")
        who = picker.who
        rig.log.until(lambda who=who: bool(rig.log.all(who, "ringing")), 1.0)
        if rig.log.until(lambda who=who: bool(rig.log.all(who, "answered")), 0.1):
            break
        picker.hang_up()
    assert call.talks_with(picker)
    call.hang_up()
    rig.log.wait(picker.who, "bye")
    assert record(database_url, call.uuid)["answered_by"] == "test009@" + rig.domain
