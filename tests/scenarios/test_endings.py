"""Where callers go whom nobody took."""

from __future__ import annotations

import json
import signal
from itertools import count as counting

import gevent
import pytest
from click.testing import CliRunner
from sqlalchemy import Engine

from fsctl.admin.allowed import allowing
from fsctl.admin.groups import add_group, disable_group, set_group
from fsctl.admin.members import add_member
from fsctl.admin.numbers import add_numbers
from fsctl.cli.main import root
from fsctl.hunt.allowed import Allowed, read_contexts
from tests.live.trials.stage import eventually
from tests.scenarios.conftest import MakeGroup, Mortal
from tests.scenarios.rig import Rig, Script

_limited_numbers = counting(970)
TONE = "tone_stream://%(300,0,425)"


def records(database_url: str, uuid: str, count: int = 2) -> list[dict[str, object]]:
    """Return the records of one call, the first group's first, waiting a moment for them."""
    for _ in range(100):
        command = ["--database-url", database_url, "calls", "show", uuid, "--json"]
        done = CliRunner().invoke(root, command)
        found = json.loads(done.stdout) if done.exit_code == 0 else []
        if len(found) == count:
            return sorted(found, key=lambda one: str(one["began"]))
        gevent.sleep(0.05)
    raise AssertionError(f"{count} records are not there: {done.output}")


def test_nobody_answers_and_the_next_group_does(
    rig: Rig, group: MakeGroup, database_url: str
) -> None:
    rig.phone("test002")
    rig.phone("test006", Script(answer_after=0.2))
    second = group({"test002": 0.0, "test006": 0.3}, wait=5.0)
    first = group(["test002"], wait=1.0, when_no_answer=f"group group {second}")
    call = rig.dial(first)
    rig.log.wait("caller", "answered")
    assert call.hears("test006")
    invites = rig.log.all("test002", "invite")
    assert len(invites) == 2
    assert "Call completed elsewhere" in str(rig.log.all("test002", "cancel")[1].detail["reason"])
    call.hang_up()
    rig.log.wait("test006", "bye")
    assert not rig.fallbacks()


@pytest.mark.parametrize("disabled", [True, False])
def test_a_group_that_does_not_ring_sends_its_calls_on(
    rig: Rig, group: MakeGroup, engine: Engine, database_url: str, disabled: bool
) -> None:
    rig.phone("test006", Script(answer_after=0.1))
    second = group(["test006"])
    first = group([], ending=f"group group {second}")
    if disabled:
        disable_group(engine, f"group {first}")
    call = rig.dial(first)
    rig.log.wait("caller", "answered")
    assert call.hears("test006")
    call.hang_up()
    rig.log.wait("test006", "bye")
    both = records(database_url, call.uuid)
    refused = "disabled" if disabled else "no members"
    assert [one["outcome"] for one in both] == [refused, "answered"]
    assert [one["onward"] for one in both] == [f"group group {second}", ""]


def test_told_to_stop_it_lets_the_next_group_hunt_too(
    rig: Rig, group: MakeGroup, mortal: Mortal
) -> None:
    controller = mortal()
    rig.phone("test002")
    rig.phone("test006", Script(answer_after=0.8))
    second = group(["test006"])
    first = group(["test002"], wait=1.0, ending=f"group group {second}")
    call = rig.dial(first, controllers=controller.address)
    rig.log.wait("test002", "invite")
    controller.signal(signal.SIGTERM)
    rig.log.wait("caller", "answered")
    assert controller.process.wait(timeout=5) == 0
    assert call.hears("test006")


def test_busy_and_the_call_goes_through_the_dialplan_to_another_number(
    rig: Rig, group: MakeGroup
) -> None:
    """To a number that comes back to us on a connection of its own."""
    rig.phone("test002", Script(refuse=486))
    rig.phone("test006", Script(answer_after=0.3))
    second = group(["test006"])
    first = group(["test002"], when_busy=f"extension {second} rig")
    call = rig.dial(first)
    rig.log.wait("caller", "answered")
    assert call.hears("test006")
    call.hang_up()
    rig.log.wait("test006", "bye")
    assert not rig.fallbacks()


def test_a_sound_and_a_release(rig: Rig, group: MakeGroup) -> None:
    rig.phone("test002", Script(refuse=486))
    rig.dial(group(["test002"], ending=f"play {TONE} CALL_REJECTED"))
    assert rig.log.wait("caller", "released").detail["code"] == 603
    assert rig.log.all("caller", "ringing")[-1].detail["early"]


def test_another_cause(rig: Rig, group: MakeGroup) -> None:
    rig.phone("test002", Script(refuse=486))
    rig.dial(group(["test002"], when_busy="release CALL_REJECTED"))
    assert rig.log.wait("caller", "released").detail["code"] == 603


def test_calls_that_go_round_through_the_dialplan_end(
    rig: Rig, group: MakeGroup, engine: Engine
) -> None:
    number = group([])
    set_group(engine, f"group {number}", ending=f"extension {number} rig")
    rig.dial(number)
    assert rig.log.wait("caller", "released", timeout=8.0).detail["code"] == 483


@pytest.mark.parametrize(
    "switch", [pytest.param("freeswitch", marks=pytest.mark.live)], indirect=True
)
def test_a_message_is_left(rig: Rig, group: MakeGroup) -> None:
    """The Python switch has no voicemail: this one is FreeSWITCH's."""
    if rig.api("module_exists mod_voicemail") != "true":
        pytest.skip("FreeSWITCH has no mod_voicemail on this machine")
    box = f"vm_boxcount test006@{rig.domain}"
    before = int(rig.api(box))
    rig.phone("test002", Script(refuse=486))
    call = rig.dial(group(["test002"], when_busy=f"voicemail test006@{rig.domain}"))
    rig.log.wait("caller", "answered")
    assert call.listens(), "no greeting"
    messages = rig.switch.directory.glob  # type: ignore[attr-defined]
    assert eventually(lambda: any(file.stat().st_size for file in messages("**/msg_*.wav")))
    call.hang_up()
    assert eventually(lambda: int(rig.api(box)) == before + 1)


def test_a_domains_group_leads_nowhere_that_is_not_allowed(
    rig: Rig, engine: Engine, group: MakeGroup
) -> None:
    """The settings were less strict when its administrator wrote this destination."""
    rig.phone("test002", Script(refuse=486))
    rig.phone("test006", Script(answer_after=0.3))
    forbidden = f"extension {group(['test006'])} rig"
    number = str(next(_limited_numbers))
    anything = allowing(engine, Allowed(read_contexts("*")), external=False)
    add_group(anything, number, domain=rig.domain, when_busy=forbidden)
    add_numbers(engine, number, [number], "PL", domain=rig.domain)
    add_member(engine, number, "test002", domain=rig.domain)
    rig.dial(number, user="test050")
    assert rig.log.wait("caller", "released").detail["code"] == 486
    rig.log.absent("test006", "invite")
