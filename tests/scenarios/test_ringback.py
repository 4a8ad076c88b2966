"""What a caller hears whose channel has media already: ringing as media, for 180 says nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scenarios.conftest import MakeGroup
from tests.scenarios.rig import Actions, Rig, Script
from tests.scenarios.test_sounds import BEEP, SILENCE

ANSWER: Actions = (("answer", ""),)
PRE_ANSWER: Actions = (("pre_answer", ""),)


@pytest.mark.parametrize(
    "dialled",
    [{"before": ANSWER}, {"before": PRE_ANSWER}, {"late_offer": True}],
    ids=["answer", "pre_answer", "late offer"],
)
def test_ringing_is_heard_until_a_member_answers(
    rig: Rig, group: MakeGroup, dialled: dict[str, Any]
) -> None:
    rig.phone("test002", Script(answer_after=0.8))
    rig.phone("test006")
    call = rig.dial(group(["test002", "test006"]), **dialled)
    rig.log.wait("test002", "invite")
    assert call.listens(0.6)
    rig.log.wait("test006", "cancel")
    assert call.hears("test002")
    assert not call.listens(0.3), "the ringing goes on"
    call.hang_up()
    rig.log.wait("test002", "bye")


def test_ringing_is_heard_in_the_next_group_and_after_the_line(rig: Rig, group: MakeGroup) -> None:
    """The caller stands in line without a word, and hears ringing all the while."""
    rig.phone("test002", Script(refuse=486))
    rig.phone("test006", Script(answer_after=0.8))
    second = group(["test006"])
    first = group(
        ["test002"], line=1, line_wait=1.5, line_retry=1.0, ending=f"group group {second}"
    )
    call = rig.dial(first, before=(("set", "ringback=%(200,100,440)"), *ANSWER))
    rig.log.wait("test002", "busy", count=2)
    assert call.listens(0.4)
    rig.log.wait("test006", "invite")
    assert call.listens(0.6)
    rig.log.wait("test006", "talking")
    assert call.hears("test006")
    assert not call.listens(0.3)


def test_ringing_is_heard_by_who_comes_back_through_the_dialplan(
    rig: Rig, group: MakeGroup
) -> None:
    rig.phone("test002")
    rig.phone("test006", Script(answer_after=0.8))
    second = group(["test006"])
    first = group(["test002"], music=BEEP, wait=1.0, ending=f"extension {second} rig")
    call = rig.dial(first)
    rig.log.wait("test006", "invite")
    assert call.listens(0.6)
    rig.log.wait("test006", "talking")
    assert call.hears("test006")
    assert not call.listens(0.3)


@pytest.mark.parametrize("chosen", ["", "transfer_ringback=%(100,100,440)"], ids=["usual", "own"])
def test_ringing_is_heard_after_a_transfer_by_a_member(
    rig: Rig, group: MakeGroup, chosen: str
) -> None:
    """The caller is answered, and heard a 180 before."""
    rig.phone("test002", Script(answer_after=0.1))
    rig.phone("test006", Script(answer_after=1.0))
    second = group(["test006"])
    call = rig.dial(group(["test002"]), before=(("set", chosen),) if chosen else ())
    rig.log.wait("test002", "talking")
    assert call.hears("test002")
    rig.transfer("test002", second)
    rig.log.wait("test006", "invite")
    assert call.listens(0.8)
    rig.log.wait("test006", "talking")
    assert call.hears("test006")
    assert not call.listens(0.3), "the ringing goes on"


TONE = "ringback=%(2000, 4000, 440, 480)"


@pytest.mark.parametrize(
    ("variables", "heard"),
    [
        ((TONE,), True),
        ((f"ringback={SILENCE}",), False),
        (("ringback=silence",), False),
        ((TONE, f"transfer_ringback={SILENCE}"), False),
        (("ringback=shell_stream://x y",), True),
        (("ringback=/nowhere/at/all.wav",), True),
    ],
    ids=["tones", "a stream", "silence", "transfer_ringback", "no sound", "a missing file"],
)
def test_the_ringing_that_the_dialplan_chose(
    rig: Rig, group: MakeGroup, variables: tuple[str, ...], heard: bool
) -> None:
    """What cannot be played, or must not be, is ringing as usual."""
    rig.phone("test002")
    before: Actions = (*(("set", one) for one in variables), ("answer", ""))
    call = rig.dial(group(["test002"]), before=before)
    rig.log.wait("test002", "invite")
    assert call.listens(0.5) is heard


def test_music_goes_before_ringing(rig: Rig, group: MakeGroup) -> None:
    rig.phone("test002")
    call = rig.dial(group(["test002"], music=SILENCE), before=ANSWER)
    rig.log.wait("test002", "invite")
    assert not call.listens(0.5)


def test_an_unanswered_caller_hears_no_media(rig: Rig, group: MakeGroup) -> None:
    """Their own telephone rings then, whatever ``ringback`` is."""
    rig.phone("test002")
    call = rig.dial(group(["test002"]), before=(("set", TONE),))
    assert rig.log.wait("caller", "ringing").detail["early"] is False
    assert not call.listens(0.3)
