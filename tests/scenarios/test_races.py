"""Moments that collide: a few of each kind here, thousands of them in ``tests.live.trials``."""

from __future__ import annotations

import gevent
import pytest
from sqlalchemy import Engine

from fsctl.admin.groups import remove_group, set_group
from fsctl.admin.members import remove_member
from tests.scenarios.conftest import MakeGroup
from tests.scenarios.rig import Call, Rig, Script, Seen

TRIO = ("test002", "test006", "test007")
TRIALS = 5
MUSIC = "tone_stream://%(200,200,350);loops=-1"
TOLD = 0.3
"""Seconds after the answer within which everybody else is told, on a machine busy with other tests;
the trials hold the promise itself, 0.1, against a real FreeSWITCH."""
QUIET = 2.0
"""Seconds after the caller gave up from which on no telephone rings or talks."""


def ends(rig: Rig) -> list[Seen]:
    """Return what told a member's telephone that the call is over."""
    return [seen for user in TRIO for seen in rig.log.all(user) if seen.what in ("bye", "cancel")]


def wait_for_ends(rig: Rig, count: int) -> None:
    assert rig.log.until(lambda: len(ends(rig)) >= count, 2.0), str(rig.log)
    assert len(ends(rig)) == count


@pytest.mark.parametrize(
    "settings", [{}, {"music": MUSIC}, {"answer_first": True}], ids=["ringing", "music", "answered"]
)
def test_members_answer_in_the_same_instant(
    rig: Rig, group: MakeGroup, settings: dict[str, object]
) -> None:
    number = group(dict.fromkeys(TRIO, 0.0), wait=10.0, **settings)
    for user in TRIO:
        rig.phone(user)
    for trial in range(TRIALS):
        call = rig.dial(number, who=f"caller {trial}")
        for user in TRIO:
            rig.log.wait(user, "invite", count=trial + 1)
        rig.answer_together(*TRIO[trial % 2 :])
        rig.log.wait(call.who, "answered")
        wait_for_ends(rig, 3 * trial + 2)
        answered = rig.log.all(TRIO[2], "answer")[trial].at
        losers = {seen.who: seen.at for seen in ends(rig) if seen.at > answered}
        assert all(at - answered < TOLD for at in losers.values())
        (winner,) = set(TRIO) - losers.keys()
        assert call.hears(winner)
        call.hang_up()
        wait_for_ends(rig, 3 * trial + 3)
    assert rig.fallbacks() == []


def give_up_soon_after_calling(rig: Rig, number: str, trial: int) -> None:
    call = rig.dial(number, who=f"caller {trial}")
    gevent.sleep(0.015 * trial)
    call.hang_up()


def give_up_with_the_answer(rig: Rig, number: str, trial: int) -> None:
    call = rig.dial(number, who=f"caller {trial}")
    rig.log.wait("test002", "invite", count=trial + 1)
    rig.answer_together("test002")
    gevent.sleep(0.015 * trial)
    call.hang_up()


@pytest.mark.parametrize("give_up", [give_up_soon_after_calling, give_up_with_the_answer])
def test_the_caller_gives_up_at_any_moment(rig: Rig, group: MakeGroup, give_up) -> None:
    """In a group without sounds, and in one with every sound."""
    plain, sounding = (
        group({"test002": 0.0, "test006": 0.0, "test007": 0.03}, wait=10.0, **settings)
        for settings in ({}, {"greeting": "tone_stream://%(10,0,425)", "music": MUSIC})
    )
    for user in TRIO:
        rig.phone(user)
    for trial in range(TRIALS):
        give_up(rig, plain, 2 * trial)
        give_up(rig, sounding, 2 * trial + 1)
    # What must not happen is a telephone that rings after all: there is nothing to wait for.
    gevent.sleep(QUIET)
    assert rig.channels() == []
    assert len(ends(rig)) == sum(len(rig.log.all(user, "invite")) for user in TRIO)
    assert rig.fallbacks() == []


def is_over(rig: Rig, call: Call) -> bool:
    return bool(rig.log.all(call.who, "bye") or rig.log.all(call.who, "released"))


def test_a_member_hangs_up_while_taking_the_call(rig: Rig, group: MakeGroup) -> None:
    """Each trial has a group of its own: one member who vanishes, one who rings in vain."""
    calls = []
    for trial in range(TRIALS):
        vanishing, ringing = f"test{10 + trial:03}", f"test{20 + trial:03}"
        rig.phone(vanishing, Script(answer_after=0.1, hang_up_after=0.012 * trial))
        rig.phone(ringing)
        number = group({vanishing: 0.0, ringing: 0.0}, wait=1.0)
        calls.append(rig.dial(number, who=f"caller {trial}"))
    for call in calls:
        assert rig.log.until(lambda call=call: is_over(rig, call), 1.0 + 1.0), call.who
    assert rig.log.until(lambda: not rig.channels(), 1.0)
    assert rig.fallbacks() == []


def test_a_group_removed_while_its_call_rings(rig: Rig, group: MakeGroup, engine: Engine) -> None:
    number = group({"test002": 0.0, "test006": 1.2}, wait=2.0)
    for user in TRIO:
        rig.phone(user)
    rig.dial(number)
    rig.log.wait("test002", "invite")
    set_group(engine, f"group {number}", wait=1.0)
    remove_member(engine, f"group {number}", "test006")
    remove_group(engine, f"group {number}")
    refused = rig.log.until(lambda: unknown(rig, number), 1.5)
    calling = rig.log.wait("caller", "calling").at
    assert refused, "the removal did not come into force"
    assert rig.log.wait("test006", "invite").at - calling == pytest.approx(1.3, abs=0.15)
    released = rig.log.wait("caller", "released")
    assert released.detail["code"] == 480
    assert released.at - calling == pytest.approx(2.1, abs=0.15)


def unknown(rig: Rig, number: str) -> bool:
    """Whether a new call to this number finds no group."""
    who = f"later caller {len(rig.log.all(what='calling'))}"
    call = rig.dial(number, who=who)
    rig.log.until(
        lambda: bool(rig.log.all(who, "released") or rig.log.all(who, "ringing")), timeout=1.0
    )
    call.hang_up()
    return any(seen.detail["code"] == 404 for seen in rig.log.all(who, "released"))
