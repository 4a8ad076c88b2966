"""The wire under a session: who waits for whom, and that nobody waits for ever."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import gevent
import pytest

from fsctl.esl import wire as wire_module
from fsctl.esl.wire import CHUNK, Wire

Pair = tuple[Wire, socket.socket]


@pytest.fixture
def pairs() -> Iterator[list[Pair]]:
    made = [socket.socketpair() for _ in range(40)]
    wires = [(Wire(ours), theirs) for ours, theirs in made]
    yield wires
    for wire, theirs in wires:
        wire.close()
        theirs.close()


def soon() -> float:
    return time.monotonic() + 5.0


def test_what_comes_is_returned_and_what_does_not_come_is_not_waited_for(pairs: list[Pair]) -> None:
    wire, theirs = pairs[0]
    assert wire.receive(time.monotonic() + 0.01) is None
    theirs.send(b"hello")
    assert wire.receive(time.monotonic() - 1.0) == b"hello"  # it is there, whatever the time is
    theirs.close()
    assert wire.receive(soon()) == b""


def test_an_earlier_moment_is_kept_after_a_later_one(pairs: list[Pair]) -> None:
    wire, theirs = pairs[0]
    theirs.send(b"x")
    assert wire.receive(time.monotonic() + 60.0) == b"x"
    began = time.monotonic()
    while wire.receive(began + 0.02) is None and time.monotonic() < began + 0.02:
        pass
    assert time.monotonic() - began < 2.0


def test_more_than_the_kernel_holds_is_sent_whole(pairs: list[Pair]) -> None:
    wire, theirs = pairs[0]
    sending = gevent.spawn(wire.send, b"x" * 3_000_000, 5.0)
    theirs.setblocking(False)
    got = 0
    while got < 3_000_000:
        try:
            got += len(theirs.recv(CHUNK))
        except BlockingIOError:
            gevent.sleep(0)
    sending.get(timeout=5.0)


def test_nobody_takes_the_bytes(pairs: list[Pair]) -> None:
    wire, _ = pairs[0]
    with pytest.raises(TimeoutError):
        wire.send(b"x" * 3_000_000, 0.02)


def test_who_waits_for_a_wire_that_is_closed_finds_it_closed(pairs: list[Pair]) -> None:
    wire, _ = pairs[0]
    waiting = gevent.spawn(wire.receive, soon())
    gevent.sleep(0)
    wire.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        waiting.get(timeout=2.0)


def test_new_calls_and_due_moments_pass_those_in_line(
    pairs: list[Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each in line takes more than the budget, so between two of them the loop looks around."""
    monkeypatch.setattr(wire_module, "BUDGET", 0.0)
    order: list[str] = []

    def read(name: str, pair: Pair) -> None:
        while not pair[0].receive(soon()):
            pass
        order.append(name)

    (urgent, its_switch), *others = pairs
    for number, (wire, _) in enumerate(others):
        wire.urgent = False
        gevent.spawn(read, f"in line {number}", (wire, _))
    fresh = gevent.spawn(read, "new", (urgent, its_switch))
    gevent.sleep(0)
    for _, theirs in others:
        theirs.send(b"event")
    while not order:
        gevent.sleep(0)
    its_switch.send(b"reply")
    fresh.get(timeout=5.0)
    assert order.index("new") < len(others) / 2
    while len(order) < len(pairs):
        gevent.sleep(0.001)
