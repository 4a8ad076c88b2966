"""Members who must press 1: who has the caller then, and what becomes of those who did not."""

from __future__ import annotations

import pytest

from tests.scenarios.conftest import MakeGroup
from tests.scenarios.rig import Rig, Script
from tests.scenarios.test_hunt import SLACK, after

LATE = "tone_stream://%(300,0,425)"
MISSING = "/nowhere/at/all.wav"


@pytest.mark.parametrize("keys_in_voice", [False, True])
def test_who_presses_1_has_the_caller(rig: Rig, group: MakeGroup, keys_in_voice: bool) -> None:
    pressed = Script(answer_after=0.1, press_after=0.5, keys_in_voice=keys_in_voice)
    rig.phone("test002", pressed)
    rig.phone("test006")
    number = group({"test002": 0.0, "test006": 0.0}, confirm=("test002",))
    call = rig.dial(number)
    answered = rig.log.wait("caller", "answered")
    assert after(rig, answered) == pytest.approx(0.6 + SLACK, abs=SLACK)
    assert "Call completed elsewhere" in str(rig.log.wait("test006", "cancel").detail["reason"])
    assert call.hears("test002")
    call.hang_up()
    rig.log.wait("test002", "bye")


def test_a_voicemail_box_does_not_have_the_caller(rig: Rig, group: MakeGroup) -> None:
    """It picks up and presses nothing; the others go on ringing, and the next join."""
    rig.phone("test002", Script(answer_after=0.1))
    rig.phone("test006", Script(answer_after=0.3))
    number = group({"test002": 0.0, "test006": 0.5}, confirm=("test002",))
    call = rig.dial(number)
    rig.log.wait("caller", "answered")
    assert call.hears("test006")
    ended = rig.log.wait("test002", "bye")
    assert ended.at - rig.log.wait("test006", "answer").at < 3 * SLACK


def test_nobody_presses_anything(rig: Rig, group: MakeGroup) -> None:
    rig.phone("test002", Script(answer_after=0.1))
    rig.dial(group({"test002": 0.0}, wait=1.0, confirm=("test002",), too_late=LATE))
    released = rig.log.wait("caller", "released")
    assert after(rig, released) == pytest.approx(1.0 + SLACK / 2, abs=SLACK)
    rig.log.wait("test002", "bye")
    assert rig.log.until(lambda: not rig.channels(), 1.0)


@pytest.mark.parametrize("too_late", [None, LATE])
def test_the_caller_gives_up_while_a_member_is_asked(
    rig: Rig, group: MakeGroup, too_late: str | None
) -> None:
    rig.phone("test002", Script(answer_after=0.1))
    call = rig.dial(group({"test002": 0.0}, confirm=("test002",), too_late=too_late))
    rig.log.wait("test002", "talking")
    call.hang_up()
    gave_up = rig.log.wait("caller", "gave up")
    assert rig.log.wait("test002", "bye").at - gave_up.at < 2 * SLACK


def test_who_hangs_up_without_pressing_leaves_the_hunt(rig: Rig, group: MakeGroup) -> None:
    rig.phone("test002", Script(answer_after=0.1, hang_up_after=0.2))
    rig.phone("test006", Script(answer_after=0.1))
    number = group({"test002": 0.0, "test006": 2.0}, confirm=("test002",))
    call = rig.dial(number)
    assert after(rig, rig.log.wait("caller", "answered")) < 0.4 + 2 * SLACK
    assert call.hears("test006")


def test_somebody_else_was_first(rig: Rig, group: MakeGroup) -> None:
    """Who is being asked hears that it is too late, and is hung up then."""
    rig.phone("test002", Script(answer_after=0.1))
    rig.phone("test006", Script(answer_after=0.5))
    number = group({"test002": 0.0, "test006": 0.0}, confirm=("test002",), too_late=LATE)
    call = rig.dial(number)
    answered = rig.log.wait("caller", "answered")
    assert call.hears("test006")
    told = rig.log.wait("test002", "bye")
    assert told.at - answered.at == pytest.approx(0.3 + SLACK, abs=SLACK)
    assert "Call completed elsewhere" in str(told.detail["reason"])
    call.hang_up()


def test_both_press_1_in_the_same_moment(rig: Rig, group: MakeGroup) -> None:
    both = ("test002", "test006")
    for user in both:
        rig.phone(user, Script(answer_after=0.1, press_after=0.4))
    call = rig.dial(group(dict.fromkeys(both, 0.0), confirm=both, too_late=LATE))
    rig.log.wait("caller", "answered")
    assert rig.log.until(lambda: len(rig.log.all(what="bye")) == 1, 2.0)
    (loser,) = {seen.who for seen in rig.log.all(what="bye")}
    (winner,) = set(both) - {loser}
    assert call.hears(winner)


def test_a_prompt_that_is_missing_ends_no_hunt(rig: Rig, group: MakeGroup) -> None:
    rig.phone("test002", Script(answer_after=0.1, press_after=0.1))
    rig.phone("test006", Script(answer_after=0.1))
    number = group({"test002": 0.0, "test006": 2.0}, confirm=("test002",), confirm_prompt=MISSING)
    call = rig.dial(number)
    rig.log.wait("caller", "answered")
    assert call.hears("test006")
