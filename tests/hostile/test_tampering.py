"""Refused commands, lost replies, lost, repeated and reordered events: every wait has an end.

Whatever happens between the switch and its controller, the caller is answered, released or back in
the dialplan in time, and no phone rings beyond that. All calls of one test run side by side.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import gevent
import pytest

from fsctl.controller.server import Limits
from fsctl.esl import commands
from fsctl.hunt.group import Group, Member
from fsctl.logs import TextLines
from tests.hostile.house import House, wait_until
from tests.hostile.tampering import At, Between, Disorder, Tamperer, Without
from tests.scenarios.rig import Script, Seen

NOBODY, SOMEBODY = "600", "601"
"""Groups: nobody of the first answers; somebody of the second does, who joins second."""
WAIT = 0.8
LONGER = 2.5
"""The wait of the group in which somebody answers: time enough on a machine with a lot to do."""
BOUND = 5.0
"""Seconds beyond the group's wait within which every caller knows."""
COMMANDS = 14
"""A call that is released has so many: to subscribe, look after the caller, ring two, end."""
ENDS = ("answered", "released", "fallback")


@dataclass(frozen=True)
class End:
    what: str
    after: float


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    leave_soon(monkeypatch)
    house = furnished(reply_time=1.0)
    yield house
    house.close()


@pytest.fixture
def patient_house(monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """One whose controller bears with a machine that has a lot to do."""
    leave_soon(monkeypatch)
    house = furnished(reply_time=10.0)
    yield house
    house.close()


def leave_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the switch keep a connection for one second after the caller's hang-up."""
    monkeypatch.setattr("fsctl.controller.handover.LINGER", 1)
    monkeypatch.setattr("fsctl.controller.server.GREETING", commands.greeting(1))


def furnished(reply_time: float) -> House:
    house = House(Limits(reply_time=reply_time))
    first = Member("test002")
    house.groups[NOBODY] = Group("nobody", members=(first, Member("test006", 0.2)), wait=WAIT)
    house.groups[SOMEBODY] = Group("somebody", members=(first, Member("test007", 0.1)), wait=LONGER)
    for user in ("test002", "test006"):
        house.rig.phone(user)
    house.rig.phone("test007", Script(answer_after=0.1))
    return house


def ends(house: House, tamperers: Mapping[tuple[str, int], Tamperer]) -> dict[str, list[End]]:
    """Place a call to a number through each tamperer, side by side; how they end, by number."""
    log, switch = house.rig.log, house.rig.switch
    places = {key: Between(house.controller.address, it) for key, it in tamperers.items()}
    calls = {
        (number, which): house.dial(number, f"{number} {which}", place.address)
        for (number, which), place in places.items()
    }
    found: dict[str, list[End]] = {number: [] for number, _ in tamperers}
    for (number, _), call in calls.items():
        end = end_of(house, call.who)
        found[number].append(End(end.what, end.at - log.wait(call.who, "calling").at))
        assert end.what != "answered" or call.hears("test007")
    wait_until(lambda: not switch.ringing, BOUND)
    for call in calls.values():
        call.hang_up()
    assert switch.quiet.wait(BOUND), house.rig.channels()
    wait_until(lambda: not house.controller.calls, BOUND)
    for place in places.values():
        place.close()
    return found


def end_of(house: House, who: str) -> Seen:
    def seen() -> list[Seen]:
        return [seen for seen in house.rig.log.all(who) if seen.what in ENDS]

    assert house.rig.log.until(lambda: bool(seen()), LONGER + BOUND), f"{who} waits without end"
    return seen()[0]


def every_command(what: str) -> dict[tuple[str, int], At]:
    return {
        (number, which): At(which, what)
        for number in (SOMEBODY, NOBODY)
        for which in range(COMMANDS)
    }


def kinds(found: list[End]) -> set[str]:
    return {end.what for end in found}


def in_time(found: dict[str, list[End]]) -> bool:
    """Whether every caller knew within the bound."""
    waits = {NOBODY: WAIT, SOMEBODY: LONGER}
    return all(end.after < waits[number] + BOUND for number, some in found.items() for end in some)


def test_nobody_tampers(house: House) -> None:
    found = ends(house, {(NOBODY, 0): Tamperer(), (SOMEBODY, 0): Tamperer()})
    assert kinds(found[NOBODY]) == {"released"}
    assert kinds(found[SOMEBODY]) == {"answered"}


def test_each_command_refused_in_turn(patient_house: House) -> None:
    """A call whose first command is refused is given back; all others are carried on with."""
    refused = every_command("refuse")
    found = ends(patient_house, refused)
    assert b"limit_execute" in refused[NOBODY, COMMANDS - 1].text  # so all were tried
    assert found[NOBODY].pop(0).what == found[SOMEBODY].pop(0).what == "fallback"
    assert kinds(found[NOBODY]) <= {"released", "fallback"}
    for which, end in enumerate(found[SOMEBODY], 1):
        text = refused[SOMEBODY, which].text
        his = b"originate" in text and b"/test007" in text
        assert end.what == ("released" if his else "answered")
    assert in_time(found)


def test_each_reply_lost_in_turn(house: House) -> None:
    found = ends(house, every_command("swallow"))
    assert found[NOBODY].pop(0).what == found[SOMEBODY].pop(0).what == "fallback"
    assert kinds(found[NOBODY]) <= {"released", "fallback"}
    assert kinds(found[SOMEBODY]) == {"answered"}
    assert in_time(found)


def test_the_connection_goes_dead_at_each_command_in_turn(house: House) -> None:
    """Nothing passes from then on, in neither direction, not even what gives the call back."""
    found = ends(house, every_command("freeze"))
    assert kinds(found[NOBODY]) <= {"released", "fallback"}
    assert kinds(found[SOMEBODY]) <= {"answered", "fallback"}
    assert in_time(found)


def test_each_event_lost_in_turn(house: House) -> None:
    lost = {(SOMEBODY, which): Without(which) for which in range(12)}
    found = ends(house, lost)
    names = b"".join(it.lost for it in lost.values())
    for name in (b"CHANNEL_CREATE", b"CHANNEL_ANSWER", b"CHANNEL_BRIDGE", b"BACKGROUND_JOB"):
        assert name in names
    assert kinds(found[SOMEBODY]) == {"answered"}


def test_events_lost_repeated_and_out_of_order(patient_house: House) -> None:
    numbers = (SOMEBODY, NOBODY)
    found = ends(
        patient_house, {(number, seed): Disorder(seed) for number in numbers for seed in range(25)}
    )
    assert kinds(found[NOBODY]) == {"released"}
    assert kinds(found[SOMEBODY]) == {"answered"}
    assert in_time(found)


PLACES = [
    "fsctl.controller.server.Arrival.of",
    "fsctl.controller.reception.admit",
    "fsctl.controller.call.Legs.add",
    "fsctl.controller.whom.Originates",
    "fsctl.hunt.machine.Hunt.tick",
]


@pytest.mark.parametrize("place", PLACES)
def test_a_fault_of_ours_gives_one_call_back_and_no_other(
    house: House,
    place: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.handler.setFormatter(TextLines(timed=False))
    beside = house.dial(SOMEBODY, "beside")
    house.rig.log.wait("beside", "answered")
    [conversation] = house.controller.calls
    wait_until(lambda: conversation.caller.over.is_set() and len(conversation.legs.open) == 1)

    def fail(*_: object, **__: object) -> None:
        monkeypatch.undo()
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr(place, fail)
    call = house.dial(NOBODY, "unlucky")
    house.rig.log.wait("unlucky", "fallback", timeout=1.0)
    assert beside.hears("test007")
    house.dial(SOMEBODY, "after")
    house.rig.log.wait("after", "answered")
    assert house.rig.fallbacks() == [call.uuid]
    faults = [line for line in caplog.text.splitlines() if "a fault of ours;" in line]
    assert faults == [f"ERROR {call.uuid} a fault of ours; the dialplan goes on"]


def test_a_call_given_back_while_phones_ring_stops_them(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.dial(NOBODY, "unlucky")
    house.rig.log.wait("test002", "invite")
    gevent.sleep(0)

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr("fsctl.controller.call.HuntedCall._step", fail)
    house.rig.log.wait("unlucky", "fallback", timeout=2.0)
    assert "Call completed elsewhere" in str(
        house.rig.log.wait("test002", "cancel").detail["reason"]
    )
    assert not house.rig.switch.ringing
