"""One session and a switch that goes on and on: what it may take of our time and memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import gevent
import pytest
from gevent import socket

from fsctl.esl import session as module
from fsctl.esl.errors import NoReply, ProtocolError
from fsctl.esl.session import CALLER_LEFT, CallSession
from tests.hostile.house import pour

Ends = tuple[CallSession, socket.socket]
EVENT = b'Content-Length: 18\nContent-Type: text/event-json\n\n{"Event-Name":"X"}'
NOTHING = b"Content-Type: log/data\n\n"
OK = b"Content-Type: command/reply\nReply-Text: +OK\n\n"


@pytest.fixture
def ends() -> Iterator[Ends]:
    ours, theirs = socket.socketpair()
    session = CallSession(("test", 0), ours, reply_time=0.2)
    yield session, theirs
    session.stop()
    theirs.close()


def for_ever(piece: bytes) -> Iterator[bytes]:
    while True:
        yield piece


@pytest.mark.parametrize("piece", [NOTHING * 50, b"\n" * 1000, b"x"])
def test_bytes_that_make_no_event_put_no_moment_off(ends: Ends, piece: bytes) -> None:
    session, switch = ends
    pouring = gevent.spawn(pour, switch, for_ever(piece))
    began = time.monotonic()
    assert session.next_event(began + 0.1) is None
    assert 0.1 <= time.monotonic() - began < 0.3
    pouring.kill()


def test_a_reply_must_come_in_time_whatever_else_does(ends: Ends) -> None:
    session, switch = ends
    pouring = gevent.spawn(pour, switch, for_ever(NOTHING * 50))
    began = time.monotonic()
    with pytest.raises(NoReply):
        session.send("connect")
    assert time.monotonic() - began < 0.4
    pouring.kill()


def test_a_posted_command_is_answered_in_time_though_events_keep_coming(ends: Ends) -> None:
    session, switch = ends
    pouring = gevent.spawn(pour, switch, for_ever(EVENT))
    session.post("api uuid_kill x y")
    began = time.monotonic()

    def listen() -> None:
        while time.monotonic() - began < 2:
            session.next_event(time.monotonic() + 1)

    with pytest.raises(NoReply):
        listen()
    pouring.kill()


def test_a_reply_that_we_were_too_slow_to_read_still_counts(ends: Ends) -> None:
    """As after a controller was frozen: the reply is behind much else that waits."""
    session, switch = ends
    session.post("api uuid_kill x y")
    session.flush()
    pour(switch, iter([NOTHING * 1000, OK, EVENT]))
    gevent.sleep(0.3)  # longer than the reply may take
    event = session.next_event(time.monotonic() + 1)
    assert event is not None
    assert event.name == "X"


@pytest.mark.parametrize(
    ("name", "limit", "said"),
    [("MAX_QUEUED", 100_000, "bytes of events"), ("MAX_EVENTS", 100, "events in one call")],
)
def test_events_without_end_end_the_session(
    ends: Ends, monkeypatch: pytest.MonkeyPatch, name: str, limit: int, said: str
) -> None:
    session, switch = ends
    monkeypatch.setattr(module, name, limit)
    pouring = gevent.spawn(pour, switch, for_ever(EVENT))
    with pytest.raises(ProtocolError, match=said):
        session.send("connect")
    pouring.kill()


def test_events_that_are_taken_up_wait_for_nobody(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, switch = ends
    monkeypatch.setattr(module, "MAX_QUEUED", 150_000)
    pouring = gevent.spawn(pour, switch, for_ever(EVENT))
    for _ in range(1500):  # five times what may wait
        assert session.next_event(time.monotonic() + 1)
    pouring.kill()


@pytest.mark.parametrize("uuid", ["a b", "", "%0A", "-x", "a%0Aapi", "x" * 300])
def test_a_call_whose_uuid_fits_no_command_is_refused(ends: Ends, uuid: str) -> None:
    """A switch may take a caller's Call-ID for it."""
    session, switch = ends
    gevent.spawn(switch.sendall, f"Unique-ID: {uuid}\nContent-Type: command/reply\n\n".encode())
    with pytest.raises(ProtocolError, match="names no channel"):
        session.connect()


def test_a_notice_with_bytes_that_are_no_text_is_stepped_over(ends: Ends) -> None:
    session, switch = ends
    connected = b"Unique-ID: x1\nChannel-Name: sofia/internal/%FF%C3a\nContent-Type: command/reply"
    gevent.spawn(switch.sendall, connected + b"\n\n")
    session.connect(stay=5)
    notice = (
        b"Content-Type: text/disconnect-notice\nControlled-Session-UUID: x1\n"
        b"Content-Disposition: linger\nChannel-Name: sofia/internal/\xff\xc3a\nLinger-Time: 5\n"
        b"Content-Length: 0\n\n"
    )
    pour(switch, iter([OK, notice, EVENT]))
    names = [session.next_event(time.monotonic() + 1) for _ in range(2)]
    assert [event and event.name for event in names] == [CALLER_LEFT, "X"]


@pytest.mark.parametrize("block", [b"a:b\n" * 900_000, b"\n" * 3_000_000, b"x" * 3_000_000])
def test_a_large_frame_takes_no_time_to_refuse(ends: Ends, block: bytes) -> None:
    session, _ = ends
    measure: Callable[[], float] = time.process_time
    began = measure()
    try:
        for start in range(0, len(block), 16_384):
            for _ in session._decoder.feed(block[start : start + 16_384]):
                raise AssertionError("that is no frame")
        list(session._decoder.feed(b"\n\n"))
    except ProtocolError:
        pass
    assert measure() - began < 0.3


def test_a_socket_that_always_has_bytes_lets_others_have_their_turn(ends: Ends) -> None:
    session, switch = ends
    switch.setblocking(False)
    waiting = 0
    with suppress(BlockingIOError):
        while True:
            waiting += switch.send(EVENT * 200)
    assert waiting > 100_000
    turns = 0

    def take_turns() -> None:
        nonlocal turns
        while True:
            gevent.sleep(0)
            turns += 1

    beside = gevent.spawn(take_turns)
    for _ in range(waiting // len(EVENT)):
        assert session.next_event(time.monotonic() + 1)
    beside.kill()
    assert turns >= 3
