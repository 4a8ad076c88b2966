"""What strangers send: each connection costs little, ends in time, and harms no call beside it."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from itertools import chain, repeat

import gevent
import pytest
from gevent import socket

from fsctl.controller.server import Limits
from fsctl.esl import codec
from tests.esl import captures
from tests.hostile.house import House, pour, until_closed, wait_until

LIMITS = Limits(max_frame=300_000, reply_time=0.5)
BESIDE = 0.4
"""Seconds within which a call beside rings, though strangers, switch and controller share a thread
here; what strangers cost a controller of its own is measured in ``test_flood``."""
EVENT = b'Content-Length: 18\nContent-Type: text/event-json\n\n{"Event-Name":"X"}'


@pytest.fixture
def house() -> Iterator[House]:
    house = House(LIMITS)
    house.rig.phone("test002")
    yield house
    house.close()


def fast(*pieces: bytes) -> Callable[[], tuple[Iterator[bytes], float]]:
    return lambda: (iter(pieces), 0.0)


def for_ever(piece: bytes, head: bytes = b"", pause: float = 0.0):
    return lambda: (chain([head], repeat(piece)), pause)


STRANGERS = {
    "silent": fast(),
    "half a frame": fast(b"Content-Type: command/re"),
    "half a body": fast(b"Content-Type: text/event-json\nContent-Length: 90000\n\n{"),
    "another protocol": fast(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 2),
    "bytes": fast(bytes(range(256)) * 400),
    "no Content-Type": fast(b"Reply-Text: +OK\n\n"),
    "no channel": fast(b"Content-Type: command/reply\nReply-Text: -ERR\n\n"),
    "a negative Content-Length": fast(b"Content-Length: -1\nContent-Type: x\n\n"),
    "a huge Content-Length": fast(b"Content-Length: 99999999999\nContent-Type: x\n\n"),
    "a Content-Length too short": fast(EVENT.replace(b"18", b"9")),
    "a line of 50 MB": lambda: (iter([b"Name: ", *repeat(b"x" * 1_000_000, 50)]), 0.0),
    "a line without an end": for_ever(b"x" * 10_000, b"Name: "),
    "headers without an end": for_ever(b"Name: value\n" * 1000),
    "a body without an end": for_ever(b"x" * 10_000, b"Content-Length: 299000\n\n"),
    "a body drop by drop": for_ever(b"x", EVENT.replace(b"18", b"99999"), pause=0.01),
    "empty lines without an end": for_ever(b"\n" * 10_000),
    "events instead of a reply": for_ever(EVENT * 100),
    "frames of no kind that we know": for_ever(b"Content-Type: log/data\n\n" * 100),
    "replies to nothing": for_ever(b"Content-Type: api/response\nUnique-ID: x\n\n"),
    "a notice instead of a reply": for_ever(b"Content-Type: text/disconnect-notice\n\n"),
}


@pytest.mark.parametrize("stranger", STRANGERS.values(), ids=STRANGERS)
def test_a_stranger_is_gone_in_time_and_no_call_notices(house: House, stranger) -> None:
    pieces, pause = stranger()
    sock = house.knock()
    pouring = gevent.spawn(pour, sock, pieces, pause)
    assert house.rings("beside") < BESIDE
    assert until_closed(sock, 2.0) < 2.0
    pouring.kill()
    sock.close()
    wait_until(lambda: not house.controller._listener._open)
    assert house.controller._room.held == 0
    assert not house.controller.calls


def test_many_half_frames_share_one_bound(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Each may hold little more than SMALL once the room for large frames is used up."""
    house.controller._room.most = 1_000_000
    socks = [house.knock() for _ in range(30)]
    half = b"Content-Length: 250000\n\n" + b"x" * 200_000
    pourings = [gevent.spawn(pour, sock, iter([half])) for sock in socks]
    held = 0
    for _ in range(40):
        gevent.sleep(0.005)
        held = max(held, house.controller._room.held)
    assert 500_000 < held < 1_000_000 + 200_000
    assert house.rings("beside") < BESIDE
    gevent.joinall(pourings)
    for sock in socks:
        until_closed(sock, 2.0)
        sock.close()
    wait_until(lambda: house.controller._room.held == 0)
    about = [line for line in caplog.messages if "said of no call" in line]
    assert len(about) == 1  # thirty connections fill no log


def cut_at(house: House, stream: bytes, end: int) -> None:
    """Be a switch that vanishes, with a reset, after so many bytes."""
    sock = house.knock()
    pour(sock, iter([stream[:end]]))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@pytest.mark.parametrize("name", captures.NAMES)
def test_a_conversation_reset_anywhere(
    house: House, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    stream = captures.from_switch(name)
    first = stream.index(b"\n\n")
    cuts = [*range(0, first + 2, 211), *range(first, len(stream), 2503)]
    beside = gevent.spawn(house.rings, "beside")
    gevent.joinall([gevent.spawn(cut_at, house, stream, cut) for cut in cuts], raise_error=True)
    assert beside.get(timeout=5) < 2 * BESIDE
    wait_until(lambda: not house.controller._listener._open)
    assert not house.controller.calls
    assert not [record for record in caplog.records if record.exc_info]


def test_an_address_that_is_not_allowed_has_its_caller_back_in_the_dialplan(
    caplog: pytest.LogCaptureFixture,
) -> None:
    house = House(LIMITS, (ip_network("10.0.0.0/8"),))
    try:
        for who in ("one", "two"):
            house.rig.dial("600", who=who)
            fallback = house.rig.log.wait(who, "fallback")
            assert fallback.at - house.rig.log.wait(who, "calling").at < 0.3
        assert not house.controller._listener._open
        assert len([line for line in caplog.messages if "may not connect" in line]) == 1
    finally:
        house.close()


def test_silent_ones_make_room_for_calls() -> None:
    house = House(Limits(max_connections=4, reply_time=30))
    house.rig.phone("test002")
    try:
        strangers = [house.knock() for _ in range(4)]
        wait_until(lambda: len(house.controller._listener._open) == 4)
        assert house.rings("beside") < BESIDE
        assert until_closed(strangers[0], 1.0) < 1.0
    finally:
        house.close()


def test_one_call_too_many_goes_on_in_the_dialplan(caplog: pytest.LogCaptureFixture) -> None:
    house = House(Limits(max_connections=2))
    house.rig.phone("test002")
    try:
        for who in ("one", "two"):
            house.rig.dial("600", who=who)
        house.rig.log.wait("test002", "invite", count=2)
        for who in ("three", "four"):
            house.rig.dial("600", who=who)
            house.rig.log.wait(who, "fallback", timeout=1.0)
        assert len([line for line in caplog.messages if "2 connections are open" in line]) == 1
    finally:
        house.close()


def test_a_strangers_long_values_take_no_time() -> None:
    """64 KiB that all need decoding, in as many headers as FreeSWITCH repeats a name in."""
    block = b"\n".join(b"Header-%d: %s" % (number, b"%41" * 65_536) for number in range(20))
    began = time.process_time()
    headers = codec.parse_headers(block)
    assert time.process_time() - began < 0.1
    assert all(len(value) < codec.MAX_VALUE for value in headers.values())


def test_a_header_block_is_read_once_however_slowly_its_body_comes() -> None:
    """Reading it for each piece that comes would cost minutes."""
    head = b"".join(b"Header-%d: %s\n" % (number, b"%41" * 1000) for number in range(1000))
    decoder = codec.Decoder()
    assert list(decoder.feed(head + b"Content-Length: 5000\n\n")) == []
    began = time.process_time()
    frames = [frame for _ in range(5000) for frame in decoder.feed(b"x")]
    assert time.process_time() - began < 0.5
    assert len(frames) == 1
