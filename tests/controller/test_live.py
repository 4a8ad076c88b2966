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

from fsctl.controller.live import Live, ToldLines
from fsctl.hunt.line import Others
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
