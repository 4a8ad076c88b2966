"""Groups that are members of groups."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from fsctl.admin.groups import set_group
from fsctl.admin.members import add_member
from tests.scenarios.conftest import MakeGroup
from tests.scenarios.rig import Rig, Script
from tests.scenarios.test_hunt import SLACK, after
from tests.scenarios.test_records import record


def test_a_group_rings_in_its_turn_by_its_own_strategy(
    rig: Rig, group: MakeGroup, engine: Engine, database_url: str
) -> None:
    inner = group(("test006", "test007"), strategy="top-down", ring_time=1)
    outer = group({"test002": 0.0, f"group:group {inner}": 0.5}, wait=5)
    rig.phone("test002")
    rig.phone("test006")
    rig.phone("test007", Script(answer_after=0.2))
    call = rig.dial(outer)
    assert after(rig, rig.log.wait("test006", "invite")) == pytest.approx(0.5 + SLACK, abs=SLACK)
    assert after(rig, rig.log.wait("test007", "invite")) == pytest.approx(1.5 + SLACK, abs=SLACK)
    rig.log.wait("caller", "answered")
    assert call.hears("test007")
    for user in ("test002",):
        assert "Call completed elsewhere" in str(rig.log.wait(user, "cancel").detail["reason"])
    call.hang_up()
    rig.log.wait("test007", "bye")
    found = record(database_url, call.uuid)
    assert (found["group"], found["answered_by"]) == (f"group {outer}", "test007")


def test_a_change_of_the_inner_group_is_noticed(rig: Rig, group: MakeGroup, engine: Engine) -> None:
    inner = group(("test006",))
    outer = group((f"group:group {inner}",), wait=2)
    rig.phone("test006")
    rig.phone("test007")
    first = rig.dial(outer, who="first")
    rig.log.wait("test006", "invite")
    first.hang_up()
    rig.log.wait("test006", "cancel")
    add_member(engine, f"group {inner}", "test007")

    def rings_now() -> bool:
        call = rig.dial(outer, who="again")
        count = len(rig.log.all("test006", "invite")) + 1
        rig.log.wait("test006", "invite", count=count)
        rung = rig.log.until(lambda: bool(rig.log.all("test007", "invite")), 0.2)
        call.hang_up()
        return rung

    assert any(rings_now() for _ in range(8))  # a second at most
    set_group(engine, f"group {inner}", closed_until="2050-01-01")
    codes = set()
    for number in range(8):
        rig.dial(outer, who=f"closed {number}")
        rig.log.until(lambda n=number: bool(rig.log.all(f"closed {n}", "released")), 0.3)
        codes |= {seen.detail["code"] for seen in rig.log.all(f"closed {number}", "released")}
        if codes:
            break
    assert codes == {480}
