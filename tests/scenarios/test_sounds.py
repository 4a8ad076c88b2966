"""What a caller hears until a member has the call, and that none of it stops a hunt."""

from __future__ import annotations

from pathlib import Path

import gevent
import pytest

from tests.scenarios.conftest import MakeGroup
from tests.scenarios.controllers import ServedController
from tests.scenarios.rig import Rig, Script
from tests.scenarios.test_hunt import SLACK, after

BEEP = "tone_stream://%(300,0,425)"
MUSIC = "tone_stream://%(200,200,350);loops=-1"
SILENCE = "silence_stream://-1"
MISSING = "/nowhere/at/all.wav"


def test_a_group_without_sounds_rings(rig: Rig, group: MakeGroup) -> None:
    rig.phone("test002")
    call = rig.dial(group({"test002": 0.0}))
    assert rig.log.wait("caller", "ringing").detail["early"] is False
    assert not call.listens(0.3)


@pytest.mark.parametrize("music", [MUSIC, MISSING], ids=["music", "music that is missing"])
def test_music_instead_of_ringing(rig: Rig, group: MakeGroup, music: str) -> None:
    """Where the music is missing the caller hears ringing, as media."""
    rig.phone("test002", Script(answer_after=0.6))
    rig.phone("test006")
    call = rig.dial(group({"test002": 0.0, "test006": 0.0}, music=music))
    assert rig.log.wait("caller", "ringing").detail["early"] is True
    assert call.listens(2.0)
    rig.log.absent("caller", "answered")
    assert after(rig, rig.log.wait("caller", "answered")) < 0.6 + 2 * SLACK
    rig.log.wait("test006", "cancel")
    assert call.hears("test002")
    assert not call.listens(0.5), "the music goes on"
    call.hang_up()
    rig.log.wait("test002", "bye")


def test_nobody_takes_a_caller_with_music(rig: Rig, group: MakeGroup) -> None:
    rig.phone("test002")
    rig.dial(group({"test002": 0.0}, wait=1.0, music=MUSIC))
    released = rig.log.wait("caller", "released")
    assert released.detail["code"] == 480
    assert after(rig, released) == pytest.approx(1.0 + SLACK / 2, abs=SLACK)
    assert rig.fallbacks() == []


def test_a_caller_gives_up_during_music(rig: Rig, group: MakeGroup) -> None:
    rig.phone("test002")
    call = rig.dial(group({"test002": 0.0}, music=MUSIC))
    assert call.listens(2.0)
    call.hang_up()
    gave_up = rig.log.wait("caller", "gave up")
    assert rig.log.wait("test002", "cancel").at - gave_up.at < SLACK


@pytest.mark.parametrize(("greeting", "lasts"), [(BEEP, 0.3), (MISSING, 0.0)])
def test_a_greeting_is_heard_before_anybody_rings(
    rig: Rig, group: MakeGroup, greeting: str, lasts: float
) -> None:
    rig.phone("test002", Script(answer_after=0.1))
    call = rig.dial(group({"test002": 0.0}, greeting=greeting))
    assert after(rig, rig.log.wait("test002", "invite")) == pytest.approx(lasts + SLACK, abs=SLACK)
    assert rig.log.wait("caller", "ringing").detail["early"] is True
    rig.log.wait("caller", "answered")
    assert call.hears("test002")


def test_a_caller_gives_up_during_the_greeting(rig: Rig, group: MakeGroup) -> None:
    rig.phone("test002")
    call = rig.dial(group({"test002": 0.0}, greeting="tone_stream://%(500,0,425)"))
    assert call.listens(2.0)
    call.hang_up()
    assert rig.log.until(lambda: not rig.channels(), 2.0)
    gevent.sleep(0.5)  # what must not happen is a telephone that rings after the greeting
    rig.log.absent("test002", "invite")


def test_an_announcement_comes_again_and_again(
    rig: Rig, group: MakeGroup, controller: ServedController
) -> None:
    rig.phone("test002", Script(answer_after=1.6))
    call = rig.dial(
        group({"test002": 0.0}, wait=4.0, music=SILENCE, announcement=BEEP, announce_every=1.0)
    )
    rig.log.wait("caller", "ringing")
    assert not call.listens(0.5)
    assert call.listens(1.5)
    rig.log.wait("caller", "answered")
    assert call.hears("test002")


@pytest.mark.parametrize("music", [None, MUSIC])
def test_a_group_that_answers_first(rig: Rig, group: MakeGroup, music: str | None) -> None:
    rig.phone("test002", Script(answer_after=0.6))
    rig.phone("test006")
    call = rig.dial(group({"test002": 0.0, "test006": 0.3}, answer_first=True, music=music))
    assert after(rig, rig.log.wait("caller", "answered")) < 2 * SLACK
    assert call.listens(2.0)
    rig.log.wait("test006", "cancel")
    assert call.hears("test002")
    call.hang_up()
    rig.log.wait("test002", "bye")


def test_an_answered_caller_is_hung_up_when_nobody_comes(rig: Rig, group: MakeGroup) -> None:
    rig.phone("test002")
    rig.dial(group({"test002": 0.0}, wait=1.0, answer_first=True))
    ended = rig.log.wait("caller", "bye")
    assert after(rig, ended) == pytest.approx(1.0 + SLACK / 2, abs=SLACK)
    assert rig.log.wait("test002", "cancel")


@pytest.mark.parametrize("place", ["recordings/{group}/{number}-{member}.wav", "file/{uuid}.wav"])
def test_a_conversation_is_recorded(rig: Rig, group: MakeGroup, tmp_path: Path, place: str) -> None:
    """One that cannot be recorded is a conversation all the same."""
    (tmp_path / "file").touch()
    rig.phone("test002", Script(answer_after=0.1))
    called = group({"test002": 0.0}, recording=f"{tmp_path}/{place}")
    call = rig.dial(called, caller_number="+48600/../x")
    rig.log.wait("caller", "answered")
    assert call.hears("test002")
    call.hang_up()
    rig.log.wait("test002", "bye")
    assert rig.log.until(lambda: not rig.channels(), 2.0)
    files = [str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*.wav")]
    recorded = place.startswith("recordings")
    name = f"recordings/group_{called}/+48600_x-test002.wav"
    assert files == ([name] if recorded else [])
