"""What others tell of their lines, while the database does not answer or something fails."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from threading import Event
from types import SimpleNamespace
from unittest.mock import Mock

import gevent
import pytest
from gevent.event import Event as Signal

from fsctl.controller.arrival import Arrival
from fsctl.controller.live import Live, ToldLines, hunt_of
from fsctl.esl.presentation import Caller
from fsctl.hunt import events as ev
from fsctl.hunt.group import Group
from fsctl.hunt.line import Others
from fsctl.hunt.machine import Hunt
from fsctl.hunt.schedule import Ring, Schedule
from fsctl.store.live import LiveLeg
from fsctl.store.memory import GroupKey

LINE: dict[GroupKey, Others] = {("", "sales"): Others(1)}


class Heard:
    """Lines that keep what they hear."""

    def __init__(self) -> None:
        self.all: list[ToldLines] = []
        self.came: Signal = Signal()
        self.fails = 0

    def told(self) -> ToldLines:
        if self.fails:
            self.fails -= 1
            raise RuntimeError("a fault of ours")
        return {}

    def hear(self, others: ToldLines) -> None:
        self.all.append(others)
        self.came.set()

    def wait(self, what: ToldLines) -> None:
        """Wait until this is the last that was heard."""
        with gevent.Timeout(5.0, AssertionError(f"heard {self.all}")):
            while self.all[-1:] != [what]:
                self.came.wait()
                self.came.clear()


@pytest.fixture
def lines() -> Heard:
    return Heard()


@pytest.fixture
def live(lines: Heard, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    serving = SimpleNamespace(lines=lines, calls=[], in_line=[])
    found = Live(Mock(), serving, pace=0.01, patience=0.05)
    monkeypatch.setattr(found, "_take_back", lambda: None)
    yield found
    found.stop()


def test_a_database_that_hangs_freezes_nobody_s_line(
    live: Live, lines: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs = Event()
    times = [0.0, 5.0]

    def exchange(*_told: object) -> ToldLines:
        if times:
            hangs.wait(times.pop(0))
        return LINE

    monkeypatch.setattr(live, "_exchange", exchange)
    live.start()
    lines.wait(LINE)
    lines.wait({})
    hangs.set()
    lines.wait(LINE)


def test_a_fault_does_not_end_the_telling(
    live: Live, lines: Heard, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lines.fails = 3
    monkeypatch.setattr(live, "_exchange", lambda *_told: LINE)
    with caplog.at_level(logging.WARNING):
        live.start()
        lines.wait(LINE)
    assert lines.all[:3] == [{}, {}, {}]
    assert len(caplog.records) == 1


def test_whatever_a_driver_raises_is_a_database_that_is_away(
    live: Live, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(live, "_write", Mock(side_effect=ValueError("bad row")))
    with caplog.at_level(logging.WARNING):
        assert [live._exchange({}, {}, tidy=False) for _ in range(2)] == [{}, {}]
    assert len(caplog.records) == 1


def test_after_a_line_a_hunt_is_told_as_its_record_will_have_it() -> None:
    """By its beginning the two are known to be of one call, and the oldest caller is found."""
    hunt = Hunt(Schedule((Ring("test002", 0.0, 20.0), Ring("test006", 5.0, 20.0)), 30.0), 100.0)
    hunt.tick(100.0)
    hunt.handle(ev.LegEnded(1, "USER_BUSY"), 102.0)
    arrival = Arrival("u1", "600", Caller("601234567", "Kowal", False), None)
    stay = SimpleNamespace(
        caller=SimpleNamespace(arrival=arrival), group=Group("sales"), began=50.0
    )
    call = Mock(stay=stay, came=90.0, hunt=hunt)
    told = hunt_of(call)
    assert (told.began, told.wait) == (50.0, 70.0)
    assert told.legs == (
        LiveLeg("test002", 40.0, 42.0, "busy"),
        LiveLeg("test006", 42.0, None, "rings"),
    )
