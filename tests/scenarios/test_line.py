"""Too many callers, and callers in line: who is next, who is told what, and what may go wrong."""

from __future__ import annotations

import signal
import struct
import time
import wave
from pathlib import Path

import gevent
import pytest
from sqlalchemy import Engine

from fsctl.controller.sounds import ALL_SOUNDS
from fsctl.esl import picking
from fsctl.store.engine import reading
from fsctl.store.lines import read_others
from fsctl.store.tables import now_ms
from tests.scenarios.conftest import MakeGroup, Mortal
from tests.scenarios.rig import Call, Rig, Script
from tests.scenarios.test_endings import records
from tests.scenarios.test_hunt import SLACK, after

MUSIC = "tone_stream://%(200,200,350);loops=-1"
BEEP = "tone_stream://%(300,0,425)"
BUSY = Script(refuse=486)


def tone(path: Path, loud: int) -> None:
    """Write half a second of sound, of silence for 0."""
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, 8000, 0, "NONE", ""))
        out.writeframes(b"".join(struct.pack("<h", (n % 20 - 10) * loud) for n in range(4000)))


def is_told(rig: Rig, call: Call, file: str, timeout: float = 2.5) -> bool:
    """Whether a caller is told the place in line with this file."""
    deadline = time.monotonic() + timeout
    while not rig.api(f"uuid_getvar {call.uuid} fsctl_position").strip().endswith(f"/{file}"):
        if time.monotonic() > deadline:
            return False
        gevent.sleep(0.03)
    return True


def test_beyond_the_limit_is_an_ending_of_its_own(
    rig: Rig, group: MakeGroup, database_url: str
) -> None:
    rig.phone("test002")
    number = group(["test002"], max_callers=1, when_full="release CALL_REJECTED")
    first = rig.dial(number, who="first")
    rig.log.wait("test002", "invite")
    second = rig.dial(number, who="second")
    assert rig.log.wait("second", "released").detail["code"] == 603
    first.hang_up()
    rig.log.wait("test002", "cancel")
    [record] = records(database_url, second.uuid, 1)
    assert record["outcome"] == "too many callers"
    rig.dial(number, who="third")
    rig.log.wait("test002", "invite", count=2)


def test_beyond_the_limit_waits_in_line_until_there_is_a_place(rig: Rig, group: MakeGroup) -> None:
    rig.phone("test002", Script(answer_after=0.6))
    number = group(["test002"], max_callers=1, line=1, line_music=MUSIC, line_retry=60)
    rig.dial(number, who="first")
    rig.log.wait("test002", "invite")
    second = rig.dial(number, who="second")
    assert second.listens(2.0)
    rig.dial(number, who="third")
    assert rig.log.wait("third", "released").detail["code"] == 486
    answered = rig.log.wait("first", "answered")
    rig.log.wait("second", "answered")
    assert rig.log.all("test002", "invite")[1].at > answered.at


def test_the_first_has_who_is_free_and_the_second_moves_up(
    rig: Rig, group: MakeGroup, database_url: str, tmp_path: Path
) -> None:
    """The only member talks, to a caller of ours; nobody else tells us of that.

    Of the places only the first can be heard.
    """
    tone(tmp_path / "1.wav", 1000)
    tone(tmp_path / "2.wav", 0)
    rig.phone("test002", Script(answer_after=0.1))
    number = group(
        ["test002"],
        line=5,
        line_retry=60,
        line_music="silence_stream://-1",
        line_position=f"file_string://silence_stream://20!{tmp_path}/{{position}}.wav",
        line_every=1,
    )
    talking = rig.dial(number, who="talking")
    rig.log.wait("talking", "answered")
    assert talking.hears("test002")
    rig.phone("test002", BUSY)
    first = rig.dial(number, who="first")
    rig.log.wait("test002", "busy")
    assert first.listens(2.0)
    second = rig.dial(number, who="second")
    rig.log.wait("second", "ringing")
    assert is_told(rig, second, "2.wav")
    rig.log.absent("first", "answered")
    assert len(rig.log.all("test002", "busy")) == 1, "a newcomer overtakes the line"
    rig.phone("test002", Script(answer_after=0.1))
    talking.hang_up()
    rig.log.wait("first", "answered")
    rig.phone("test002", BUSY)
    assert is_told(rig, second, "1.wav"), "who moves up is not told"
    assert second.listens(2.0)
    rig.log.absent("second", "answered")
    second.hang_up()
    first.hang_up()
    [gave_up] = records(database_url, second.uuid, 1)
    assert gave_up["outcome"] == "caller gave up"
    assert 0 < gave_up["line_seconds"] <= gave_up["wait_seconds"]
    [answered] = records(database_url, first.uuid, 1)
    assert answered["outcome"] == "answered"
    assert answered["attempts"][-1]["outcome"] == "answered"
    assert answered["attempts"][-1]["started"] >= answered["line_seconds"]


def test_who_gives_up_in_line_leaves_nothing(rig: Rig, group: MakeGroup) -> None:
    rig.phone("test002", BUSY)
    call = rig.dial(group(["test002"], line=5, music=MUSIC))
    rig.log.wait("test002", "busy")
    assert call.listens(2.0)
    call.hang_up()
    assert rig.log.until(lambda: not rig.channels(), 2.0)


def test_who_is_picked_up_as_he_comes_to_stand_in_line_talks_on(
    rig: Rig, group: MakeGroup, database_url: str
) -> None:
    """The telephone takes him as one does that was told of him a second ago."""
    rig.phone("test002", BUSY)
    rig.phone("test009", Script(answer_after=0.0))
    number = group(["test002"], line=1, line_wait=1.5, line_retry=60, music=MUSIC)
    call = rig.dial(number)
    rig.log.wait("test002", "busy")
    assert call.listens(2.0)
    steps = picking.PickUp(call.uuid, "test009", ALL_SOUNDS, "silence_stream://100").steps()
    took = rig.api(f"originate user/test009 'm:^:{'^'.join(map(str, steps))}' inline")
    assert took.startswith("+OK"), took
    rig.log.wait("caller", "answered")
    assert call.hears("test009")
    with pytest.raises(AssertionError):
        rig.log.wait("caller", "bye", timeout=2.0)
    call.hang_up()
    [record] = records(database_url, call.uuid, 1)
    assert (record["outcome"], record["answered_by"]) == ("answered", "test009")
    assert record["attempts"][-1]["outcome"] == "picked up"


def test_the_first_tries_again_and_the_longest_wait_ends(
    rig: Rig, group: MakeGroup, database_url: str
) -> None:
    rig.phone("test002", BUSY)
    number = group(
        ["test002"],
        line=1,
        line_wait=1.5,
        line_retry=1,
        music=MUSIC,
        when_line_over=f"play {BEEP} CALL_REJECTED",
    )
    call = rig.dial(number)
    rig.log.wait("test002", "busy", count=2)
    released = rig.log.wait("caller", "released")
    assert released.detail["code"] == 603
    assert after(rig, released) == pytest.approx(1.5 + 0.5 + 0.3 + SLACK, abs=2 * SLACK)
    [record] = records(database_url, call.uuid, 1)
    assert record["outcome"] == "waited too long"
    assert {leg["outcome"] for leg in record["attempts"]} == {"busy"}


def test_the_controller_dies_or_freezes_while_callers_wait(
    rig: Rig, group: MakeGroup, mortal: Mortal
) -> None:
    """Killed: they go on in the dialplan at once. Frozen: the switch bounds their wait."""
    rig.phone("test002", BUSY)
    number = group(["test002"], line=2, line_wait=1, line_retry=60, music=MUSIC, wait=2.0)
    killed, frozen = mortal(), mortal()
    for who, controller in (("killed", killed), ("frozen", frozen)):
        call = rig.dial(number, who=who, controllers=controller.address)
        assert call.listens(3.0)
    began = rig.log.wait("frozen", "calling").at
    frozen.signal(signal.SIGSTOP)
    killed.signal(signal.SIGKILL)
    rig.log.wait("killed", "fallback", timeout=2.0)
    released = rig.log.wait("frozen", "released", timeout=8.0)
    assert released.at - began < 1.0 + 5.0 + SLACK
    rig.log.absent("killed", "released")


def test_told_to_stop_it_waits_for_callers_in_line(
    rig: Rig, group: MakeGroup, mortal: Mortal
) -> None:
    controller = mortal()
    rig.phone("test002", BUSY)
    number = group(["test002"], line=1, line_retry=1)
    call = rig.dial(number, controllers=controller.address)
    rig.log.wait("test002", "busy")
    controller.signal(signal.SIGTERM)
    rig.phone("test002", Script(answer_after=0.0))
    rig.log.wait("caller", "answered")
    assert controller.process.wait(timeout=5) == 0
    assert call.hears("test002")


def test_several_processes_share_a_limit(
    rig: Rig, group: MakeGroup, mortal: Mortal, engine: Engine
) -> None:
    here, there = mortal(), mortal()
    rig.phone("test002")
    number = group(["test002"], max_callers=1)
    rig.dial(number, who="first", controllers=here.address)
    rig.log.wait("test002", "invite")

    def known() -> bool:
        with reading(engine) as session:
            told = read_others(session, "nobody", now_ms())
        return ("", f"group {number}") in told

    while not known():
        gevent.sleep(0.05)
    gevent.sleep(1.2)  # the other looks once a second
    rig.dial(number, who="second", controllers=there.address)
    assert rig.log.wait("second", "released").detail["code"] == 486
