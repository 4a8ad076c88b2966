"""One call, with a switch that forgets, repeats itself or is late."""

from __future__ import annotations

import gc
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import gevent
import pytest

from fsctl.controller import aftermath, call, line, parting, reception
from fsctl.esl.commands import CALL_TAG
from fsctl.esl.picking import PICKER_TAG
from fsctl.hunt.group import Group, Member
from tests.controller.scripted import CALLER, ScriptedSwitch
from tests.hostile.house import House

ROOT = Path(__file__).parent.parent.parent
Dial = Callable[[str], ScriptedSwitch]


@pytest.fixture
def house() -> Iterator[House]:
    found = House()
    yield found
    found.close()


@pytest.fixture
def dial(house: House) -> Iterator[Dial]:
    house.groups["601"] = Group("short", members=(Member("test002"),), wait=0.2)
    house.groups["603"] = Group(
        "sends on", members=(Member("test002"),), wait=0.2, ending="play /a.wav"
    )
    house.groups["604"] = Group(
        "line", members=(Member("test002"),), line=1, line_wait=0.5, line_retry=60.0
    )
    house.groups["605"] = Group("music", members=(Member("test002"),), music="/no/such.wav")
    three = tuple(map(Member, ("test002", "test006", "test007")))
    house.groups["602"] = Group("three", members=three)
    switches: list[ScriptedSwitch] = []

    def place(number: str) -> ScriptedSwitch:
        switches.append(ScriptedSwitch(house.controller.address, number))
        return switches[-1]

    yield place
    for switch in switches:
        switch.close()


def keep_talking(switch: ScriptedSwitch) -> gevent.Greenlet:
    """Send events that mean nothing, faster than anybody would want to wait for the next."""

    def talk() -> None:
        while not switch.closed.is_set():
            switch.tell("CHANNEL_PROGRESS")
            gevent.sleep(0.001)

    return gevent.spawn(talk)


def test_a_refused_caller_who_is_not_hung_up_is_left_to_the_switch(
    dial: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reception, "REFUSAL_TIME", 0.2)
    switch = dial("999")
    switch.said("UNALLOCATED_NUMBER")
    talking = keep_talking(switch)
    assert switch.closed.wait(2.0)
    talking.kill()


def test_a_refused_caller_who_is_gone_is_not_waited_for(dial: Dial) -> None:
    switch = dial("999")
    switch.said("UNALLOCATED_NUMBER")
    began = time.monotonic()
    switch._send(b"Content-Type: text/disconnect-notice\nContent-Length: 0\n\n" + b"x" * 600)
    assert switch.closed.wait(5.0)
    assert time.monotonic() - began < reception.REFUSAL_TIME / 2


def test_a_channel_that_came_too_late_for_the_cancel_is_ended(dial: Dial) -> None:
    switch = dial("600")
    switch.said("^bgapi originate")
    switch.tell("CHANNEL_HANGUP_COMPLETE", **{"Hangup-Cause": "ORIGINATOR_CANCEL"})
    switch.said("hupall ORIGINATOR_CANCEL fsctl_hunt")
    assert not switch.fitting("hupall ORIGINATOR_CANCEL fsctl_ring")
    switch.tell_of_leg("CHANNEL_CREATE", 1)
    switch.said("hupall ORIGINATOR_CANCEL fsctl_ring", timeout=aftermath.STRAGGLER_TIME / 2)


@pytest.mark.parametrize(("number", "first"), [("605", "filter"), ("600", "ring")])
def test_music_that_may_fail_is_begun_when_its_end_is_heard(
    dial: Dial, number: str, first: str
) -> None:
    switch = dial(number)
    filters, rings = "^filter Unique-ID", "endless_playback|^api uuid_ring_ready"
    said = [switch.commands.index(switch.said(pattern)) for pattern in (filters, rings)]
    assert (said[0] < said[1]) == (first == "filter")


def test_sounds_are_loaded_before_the_first_leg(dial: Dial) -> None:
    """A winner clears them: a sound that is loaded later is heard in the conversation."""
    switch = dial("605")
    switch.said("endless_playback")
    loads = [switch.commands.index(load) for load in switch.fitting("uuid_setvar .* fsctl_")]
    assert len(loads) == 2
    assert max(loads) < switch.commands.index(switch.said("^bgapi originate"))


def test_a_leg_of_which_nothing_is_heard_is_ended_again_and_again(
    dial: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aftermath, "STRAGGLER_TIME", 0.02)
    switch = dial("600")
    job = switch.said("^bgapi originate").rpartition("Job-UUID: ")[2]
    switch.tell("CHANNEL_HANGUP_COMPLETE", **{"Hangup-Cause": "ORIGINATOR_CANCEL"})
    switch.said(f"hupall ORIGINATOR_CANCEL fsctl_call {CALLER}", times=3)
    switch.tell_of_leg("CHANNEL_CREATE", 1)
    switch.tell("BACKGROUND_JOB", **{"Job-UUID": job, "_body": "-ERR ORIGINATOR_CANCEL\n"})
    assert switch.closed.wait(5.0)


def test_a_member_whose_caller_left_in_the_moment_of_the_answer_is_hung_up(
    dial: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no tag of the hunt any more, and waits for a caller who is not there."""
    monkeypatch.setattr(aftermath, "STRAGGLER_TIME", 0.02)
    switch = dial("600")
    switch.said("^bgapi originate")
    switch.tell_of_leg("CHANNEL_CREATE", 1)
    switch.tell_of_leg("CHANNEL_ANSWER", 1)
    switch.tell("CHANNEL_HANGUP_COMPLETE", **{"Hangup-Cause": "ORIGINATOR_CANCEL"})
    switch.said(f"hupall ORIGINATOR_CANCEL fsctl_call {CALLER}")
    switch.tell_of_leg("CHANNEL_HANGUP_COMPLETE", 1, **{"Hangup-Cause": "ORIGINATOR_CANCEL"})
    assert switch.closed.wait(5.0)


def test_a_release_is_asked_for_again_though_the_switch_talks_of_other_things(
    dial: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parting, "RELEASE_TIME", 0.05)
    switch = dial("601")
    switch.said("^bgapi originate")
    talking = keep_talking(switch)
    switch.said("limit_execute", times=parting.RELEASES)
    switch.said("hupall LOSE_RACE fsctl_hunt")  # given back to the dialplan in the end
    assert switch.closed.wait(5.0)
    talking.kill()
    assert len(switch.fitting("execute-app-name: limit_execute")) == parting.RELEASES


def test_a_call_leaves_no_circles(dial: Dial) -> None:
    """So the looks through all objects, which stop every call, may be rare (``fsctl serve``)."""
    gc.collect()
    gc.disable()
    try:
        for _ in range(10):
            switch = dial("601")
            switch.said("^bgapi originate")
            switch.tell("CHANNEL_HANGUP_COMPLETE", **{"Hangup-Cause": "ORIGINATOR_CANCEL"})
            switch.said("hupall ORIGINATOR_CANCEL fsctl_hunt")
            switch.tell_of_leg("CHANNEL_CREATE", 1)
            job = switch.said("^bgapi originate").rpartition("Job-UUID: ")[2]
            switch.tell("BACKGROUND_JOB", **{"Job-UUID": job, "_body": "-ERR ORIGINATOR_CANCEL\n"})
            assert switch.closed.wait(5.0)
        left = sum(isinstance(one, call.HuntedCall) for one in gc.get_objects())
    finally:
        gc.enable()
    assert left < 10, f"{left} of 10 calls are in circles"


def test_what_a_call_costs(dial: Dial) -> None:
    """Counts that no machine changes: whoever makes a call dearer changes them here, and knows it.

    FreeSWITCH reads a command byte by byte, and visits every socket for every event that it wants.
    """
    switch = dial("602")
    for number in (1, 2, 3):
        switch.said("^bgapi originate", times=number)
    before = switch.commands.index(switch.said("^bgapi originate"))
    assert before == 6  # connect, linger, three filters, what to listen to
    for number in (1, 2, 3):
        switch.tell_of_leg("CHANNEL_CREATE", number)
    switch.tell("CHANNEL_ANSWER")
    switch.tell_of_leg("CHANNEL_ANSWER", 2)
    switch.tell("CHANNEL_BRIDGE", **{"Other-Leg-Unique-ID": "leg-2"})
    switch.said("^api sched_del")
    assert len(switch.fitting("^bgapi originate")) == 3
    assert len(switch.fitting("^filter")) == 4
    assert [len(command.split()) - 2 for command in switch.fitting("^event")] == [8]
    # The last two make a transfer safe, once a member has the caller.
    assert len(switch.commands) <= 19, switch.commands
    # 170 bytes, 0.2 ms, are the check that no phone rings for a caller who has left; 50 say how
    # many groups there were, so that a call which comes back ends; 35 that a transfer is heard of.
    assert sum(map(len, switch.commands[: before + 1])) < 1225


def test_how_much_is_done_for_a_call() -> None:
    """Functions of ours that are called for one, and how often something is sent."""
    measured = [sys.executable, "-m", "benchmarks.one_call", "--calls", "20", "--rounds", "1"]
    said = subprocess.run(measured, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    [functions] = re.findall(r"^(\d+) calls of functions of ours$", said, re.MULTILINE)
    [sendings] = re.findall(r", (\d+) sendings$", said, re.MULTILINE)
    assert int(functions) < 1000
    assert int(sendings) <= 3


def test_who_was_picked_up_in_the_last_instant_is_not_sent_on(dial: Dial) -> None:
    switch = dial("603")
    switch.replies["limit_usage"] = "1"
    switch.said("^bgapi originate")
    switch.said("^api hupall NO_ANSWER")
    switch.tell_of_leg("CHANNEL_CREATE", 1)
    job = switch.said("^bgapi originate").rpartition(" ")[2]
    switch.tell("BACKGROUND_JOB", **{"Job-UUID": job, "_body": "-ERR NO_ANSWER\n"})
    switch.said("^api limit_usage", times=2)
    tags = {f"variable_{CALL_TAG}": CALLER, f"variable_{PICKER_TAG}": "anna"}
    switch.tell("CHANNEL_BRIDGE", "picker", **tags)
    switch.said("^api sched_del")
    switch.tell("CHANNEL_HANGUP_COMPLETE", "picker", **tags)
    switch.tell("CHANNEL_HANGUP_COMPLETE")
    assert switch.closed.wait(8.0)
    assert not switch.fitting("uuid_transfer")


def test_a_claim_that_comes_to_nothing_is_asked_of_again(dial: Dial) -> None:
    switch = dial("603")
    switch.replies["limit_usage"] = "1"
    job = switch.said("^bgapi originate").rpartition(" ")[2]
    switch.said("^api hupall NO_ANSWER")
    switch.tell("BACKGROUND_JOB", **{"Job-UUID": job, "_body": "-ERR NO_ANSWER\n"})
    switch.said("^api limit_usage", times=2)
    switch.replies["limit_usage"] = "0"
    switch.said("^api uuid_transfer")


PICKER = {f"variable_{CALL_TAG}": CALLER, f"variable_{PICKER_TAG}": "anna"}


def stand(dial: Dial) -> ScriptedSwitch:
    """Place a call that stands in line, since everybody is busy."""
    switch = dial("604")
    job = switch.said("^bgapi originate").rpartition(" ")[2]
    switch.tell("BACKGROUND_JOB", **{"Job-UUID": job, "_body": "-ERR USER_BUSY\n"})
    switch.said("^api sched_api", times=2)
    return switch


def test_who_is_picked_up_in_line_is_left_alone(dial: Dial) -> None:
    switch = stand(dial)
    switch.tell("CHANNEL_ANSWER", "picker", **PICKER)
    switch.tell("CHANNEL_BRIDGE", "picker", **PICKER)
    switch.said("^api sched_del", times=2)
    assert not switch.closed.wait(0.7), "the line's wait ends the conversation"
    assert not switch.fitting("execute-app-name: (limit_execute|hangup)|^api uuid_(transfer|kill)")
    assert len(switch.fitting("^bgapi originate")) == 1
    switch.tell("CHANNEL_HANGUP_COMPLETE", "picker", **PICKER)
    assert not switch.closed.wait(0.3), "the caller may be in another group"
    switch.tell("CHANNEL_HANGUP_COMPLETE")
    assert switch.closed.wait(8.0)


def test_whose_picker_vanishes_stands_where_he_stood(dial: Dial) -> None:
    switch = stand(dial)
    switch.tell("CHANNEL_ANSWER", "picker", **PICKER)
    switch.tell("CHANNEL_HANGUP_COMPLETE", "picker", **PICKER, **{"Hangup-Cause": "CALL_REJECTED"})
    switch.said("execute-app-name: limit_execute[^$]*USER_BUSY")


def test_who_talks_to_a_stranger_is_left_alone(dial: Dial) -> None:
    switch = stand(dial)
    switch.tell("CHANNEL_BRIDGE", **{"Other-Leg-Unique-ID": "stranger"})
    switch.said("^api sched_del", times=2)
    assert not switch.closed.wait(0.7), "the line's wait ends the conversation"
    assert not switch.fitting("execute-app-name: (limit_execute|hangup)")
    switch.tell("CHANNEL_HANGUP_COMPLETE")
    assert switch.closed.wait(8.0)


def test_who_is_claimed_at_the_end_of_the_wait_is_not_released(
    dial: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "TAKER_NEWS", 0.02)
    switch = stand(dial)
    before = len(switch.fitting("^api limit_usage"))
    switch.replies["limit_usage"] = "1"
    switch.said("^api limit_usage", times=before + 3)
    assert not switch.fitting("execute-app-name: (limit_execute|hangup)")
    switch.replies["limit_usage"] = "0"
    switch.said("execute-app-name: limit_execute[^$]*USER_BUSY")
    assert not switch.fitting("execute-app-name: hangup")


def test_who_gives_up_in_line_leaves_no_task_in_the_switch(dial: Dial) -> None:
    switch = stand(dial)
    before = len(switch.fitting("^api sched_del"))
    switch.tell("CHANNEL_HANGUP_COMPLETE", **{"Hangup-Cause": "ORIGINATOR_CANCEL"})
    switch.said("^api sched_del", times=before + 1)
    assert switch.closed.wait(5.0)


def change(house: House, number: str, group: Group | None) -> None:
    """Have the controller know of a change, as it does soon after one."""
    copies = house.controller.directory._copies
    [keys] = [keys for keys in copies if keys[0] == number]
    copies[keys] = group


@pytest.mark.parametrize("onward", [False, True])
def test_whose_turn_it_is_hunts_in_his_group_as_it_is(
    dial: Dial, house: House, onward: bool
) -> None:
    """Be it one to which another sent him on."""
    old = replace(house.groups["604"], line_wait=9.0)
    new = replace(old, members=(Member("test006"),))

    def called(group: Group) -> Group:
        if not onward:
            return group
        way = "group line"
        return Group("first", enabled=False, when_disabled=way, onward=(("line", group),))

    house.groups["604"] = called(old)
    switch = stand(dial)
    change(house, "604", called(new))
    house.controller.lines.freed("test002")
    switch.said("^bgapi originate.*user/test006")


def test_whose_number_is_no_group_s_any_more_is_told_so(dial: Dial, house: House) -> None:
    switch = stand(dial)
    change(house, "604", None)
    house.controller.lines.freed("test002")
    switch.said("execute-app-name: limit_execute[^$]*UNALLOCATED_NUMBER")


def test_a_refused_caller_is_waited_for_though_somebody_wakes_his_greenlet(
    dial: Dial, house: House
) -> None:
    switch = stand(dial)
    [standing] = house.controller.in_line
    switch.said("execute-app-name: limit_execute")
    standing.wake()
    assert not switch.closed.wait(0.2), "his socket is closed before he is released"
    switch.tell("CHANNEL_HANGUP_COMPLETE")
    switch._send(b"Content-Type: text/disconnect-notice\nContent-Length: 0\n\n" + b"x" * 600)
    assert switch.closed.wait(5.0)
