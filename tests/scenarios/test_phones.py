"""Members with several phones, of which some do one thing and some another."""

from __future__ import annotations

import gevent
import pytest

from fsctl.hunt.machine import NEWS_TIME
from tests.scenarios.conftest import MakeGroup
from tests.scenarios.rig import Rig, Script
from tests.scenarios.test_records import NEAR, record

RINGS = Script()
DEAD = Script(dead=True)
REJECTS = Script(refuse=603)


def nobody_is_rung_again(rig: Rig, *phones: str) -> None:
    gevent.sleep(NEWS_TIME + 0.2)  # what must not happen gives nothing to wait for
    for phone in phones:
        assert len(rig.log.all(phone, "invite")) == 1, str(rig.log)


@pytest.mark.parametrize("phones", [(RINGS,) * 2, (RINGS,) * 3, (DEAD, RINGS, RINGS)])
def test_phones_of_a_member_answer_in_the_same_instant(
    rig: Rig, group: MakeGroup, database_url: str, phones: tuple[Script, ...]
) -> None:
    """One has the caller; the others lose within the switch, which is no lost claim."""
    rig.phones("test002", *phones)
    rig.phone("test006")
    number = group({"test002": 0.0, "test006": 0.0}, wait=10.0)
    labels = [f"test002#{at}" if at > 1 else "test002" for at in range(1, len(phones) + 1)]
    ringing = [own for own, script in zip(labels, phones, strict=True) if not script.dead]
    call = rig.dial(number)
    for phone in ("test006", *ringing):
        rig.log.wait(phone, "invite")
    rig.answer_together("test002")
    rig.log.wait("test006", "cancel")
    nobody_is_rung_again(rig, "test006", *ringing)
    assert call.hears("test002")
    call.hang_up()
    found = record(database_url, call.uuid)
    assert (found["outcome"], found["answered_by"]) == ("answered", "test002")
    outcomes = {leg["member"]: leg["outcome"] for leg in found["attempts"]}
    assert outcomes == {"test002": "answered", "test006": "cancelled"}


@pytest.mark.parametrize("dead_first", [False, True])
def test_a_member_who_rejects_on_one_phone_has_rejected(
    rig: Rig, group: MakeGroup, database_url: str, dead_first: bool
) -> None:
    """The next member rings at once: a phone that cannot be reached does not keep the leg alive."""
    phones = [REJECTS, DEAD]
    rig.phones("test002", *(reversed(phones) if dead_first else phones))
    rig.phone("test006", Script(answer_after=0.1))
    number = group(["test002", "test006"], wait=20.0, strategy="top-down", ring_time=8.0)
    call = rig.dial(number)
    rejected = rig.log.wait("test002#2" if dead_first else "test002", "reject")
    assert rig.log.wait("test006", "invite").at - rejected.at < 2 * NEAR
    rig.log.wait("caller", "answered")
    call.hang_up()
    found = record(database_url, call.uuid)
    assert [leg["outcome"] for leg in found["attempts"]] == ["rejected", "answered"]
    assert found["attempts"][0]["sip_code"] == 603


def test_a_phone_that_rings_is_told_when_another_of_its_member_rejects(
    rig: Rig, group: MakeGroup
) -> None:
    rig.phones("test002", Script(refuse=603, refuse_after=0.2), RINGS)
    rig.dial(group(["test002"], wait=20.0))
    reason = rig.log.wait("test002#2", "cancel").detail["reason"]
    assert "Call completed elsewhere" in str(reason)  # no missed call: the member knows of it
    assert rig.log.wait("caller", "released").detail["code"] == 603


@pytest.mark.parametrize("code", [486, 480])
def test_a_phone_that_is_busy_speaks_for_itself_only(rig: Rig, group: MakeGroup, code: int) -> None:
    rig.phones("test002", Script(refuse=code, refuse_after=0.1), Script(answer_after=0.4))
    call = rig.dial(group(["test002"], wait=20.0))
    rig.log.wait("caller", "answered")
    assert call.hears("test002")
