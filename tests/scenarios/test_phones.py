"""Members with several phones, of which some do one thing and some another."""

from __future__ import annotations

import gevent
import pytest

from fsctl.hunt.machine import NEWS_TIME
from tests.scenarios.conftest import MakeGroup
from tests.scenarios.rig import Call, Rig, Script
from tests.scenarios.test_records import record

RINGS = Script()
DEAD = Script(dead=True)


def answered_together(rig: Rig, number: str, who: str, *phones: str) -> Call:
    """Place a call that these phones of a member, and no others of theirs, answer at once."""
    call = rig.dial(number, who=who)
    for phone in phones:
        rig.log.wait(phone, "invite")
    rig.answer_together(*{phone.partition("#")[0] for phone in phones})
    rig.log.wait(who, "answered")
    return call


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
    call = answered_together(rig, number, "caller", *ringing)
    rig.log.wait("test006", "cancel")
    nobody_is_rung_again(rig, "test006", *ringing)
    assert call.hears("test002")
    call.hang_up()
    found = record(database_url, call.uuid)
    assert (found["outcome"], found["answered_by"]) == ("answered", "test002")
    outcomes = {leg["member"]: leg["outcome"] for leg in found["attempts"]}
    assert outcomes == {"test002": "answered", "test006": "cancelled"}
