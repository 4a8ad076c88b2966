"""The HTTP server of panel, dialplan and metrics, against those who are slow or large."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import gevent
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsctl.esl.listener import bind
from fsctl.http_room import Network, Room, origin_of
from fsctl.http_server import KNOWN, HttpServer, Limits

ALL = (ip_network("0.0.0.0/0"),)
LIMITS = Limits(
    connections=20, of_one_address=5, head=0.4, idle=0.6, body=1000, body_time=0.4, linger=0.2
)
HALF = b"POST / HTTP/1.1\r\nHost: x\r\n"


class Served:
    """A server in a thread of its own, and how it is reached."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        """Bytes of the bodies that came to the application."""
        self.port = 0
        self.answer = b"here"
        self.server: HttpServer

    def application(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self.asked.append(len(environ["wsgi.input"].read()))
        if environ["PATH_INFO"] == "/known":
            environ[KNOWN] = True
        start_response("200 OK", [("Content-Length", str(len(self.answer)))])
        return [self.answer]

    def connect(self, sent: bytes = b"", here: str = "127.0.0.1") -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", self.port), 5, source_address=(here, 0))
        sock.sendall(sent)
        return sock

    def ask(self, body: bytes = b"", here: str = "127.0.0.1") -> tuple[int, float]:
        """Return the status of a request, and after how many seconds it came."""
        began = time.monotonic()
        asked = http.client.HTTPConnection("127.0.0.1", self.port, 5, source_address=(here, 0))
        asked.request("POST", "/", body)
        status = asked.getresponse().status
        asked.close()
        return status, time.monotonic() - began

    def until(self, condition: Callable[[], bool]) -> None:
        until = time.monotonic() + 5
        while not condition():
            assert time.monotonic() < until, "it did not come true"
            time.sleep(0.005)


Serve = Callable[..., Any]


@contextmanager
def serving(limits: Limits = LIMITS, **options: Any) -> Iterator[Served]:
    served = Served()
    sock = bind("127.0.0.1", 0)
    served.port = sock.getsockname()[1]
    started, stop = threading.Event(), threading.Event()

    def serve() -> None:
        served.server = HttpServer(sock, served.application, limits, **options)
        served.server.start()
        started.set()
        while not stop.is_set():
            gevent.sleep(0.005)
        served.server.stop(timeout=0)

    thread = threading.Thread(target=serve)
    thread.start()
    assert started.wait(10)
    try:
        yield served
    finally:
        stop.set()
        thread.join(10)


def said(sock: socket.socket) -> bytes:
    """Return all that a server says until it closes."""
    heard = b""
    with suppress(ConnectionError):
        while data := sock.recv(65536):
            heard += data
    sock.close()
    return heard


def answer(sock: socket.socket) -> bytes:
    """Return one answer of a connection that stays."""
    heard = b""
    while not heard.endswith(b"here"):
        heard += sock.recv(1000)
    return heard


def dribble(sock: socket.socket, data: bytes) -> float:
    """Send a byte from time to time until the server closes; return after how many seconds."""
    began = time.monotonic()
    sock.settimeout(0.02)
    for place in range(len(data)):
        with suppress(TimeoutError):
            try:
                sock.sendall(data[place : place + 1])
                if not sock.recv(1000):
                    break
            except ConnectionError:
                break
    sock.close()
    return time.monotonic() - began


@pytest.mark.parametrize("sent", [b"", HALF, HALF + b"Content-Length: 900\r\n\r\nhalf"])
def test_half_requests_make_room(sent: bytes) -> None:
    patient = replace(LIMITS, head=60.0, body_time=60.0)
    with serving(patient, trusted=ALL) as served:
        held = [served.connect(sent) for _ in range(3 * LIMITS.connections)]
        status, took = served.ask()
        assert (status, served.asked) == (200, [0])
        assert took < 1
        assert len(served.server.room) <= LIMITS.connections
        assert said(held[0]) == b""
        for sock in held[1:]:
            sock.close()


def test_answers_that_nobody_takes_make_room() -> None:
    with serving(trusted=ALL) as served:
        served.answer = b"x" * 8_000_000
        held = [served.connect(HALF + b"\r\n") for _ in range(LIMITS.connections)]
        served.until(lambda: len(served.asked) == LIMITS.connections)
        served.answer = b"here"
        assert served.ask()[0] == 200
        for sock in held:
            sock.close()


def test_a_user_s_connections_stay_while_they_are_answered() -> None:
    with serving(trusted=ALL) as served:
        served.answer = b"x" * 8_000_000
        known = [served.connect(b"GET /known HTTP/1.0\r\n\r\n") for _ in range(3)]
        served.until(lambda: len(served.asked) == 3)
        strangers = [served.connect(HALF) for _ in range(3 * LIMITS.connections)]
        assert all(len(said(sock)) > 8_000_000 for sock in known)
        for sock in strangers:
            sock.close()


def test_one_address_has_a_few_connections_and_makes_room_for_itself() -> None:
    with serving(replace(LIMITS, head=60.0)) as served:
        mine = served.connect(HALF)
        theirs = [served.connect(HALF, "127.0.0.2") for _ in range(3 * LIMITS.connections)]
        assert served.ask(here="127.0.0.2")[0] == 200
        assert len(served.server.room) <= LIMITS.of_one_address + 2
        mine.sendall(b"Connection: close\r\n\r\n")
        assert said(mine).startswith(b"HTTP/1.1 200")
        for sock in theirs:
            sock.close()


def test_who_is_not_allowed_is_not_heard(caplog: pytest.LogCaptureFixture) -> None:
    with serving(allowed=(ip_network("127.0.0.2/32"),)) as served:
        for _ in range(3 * LIMITS.connections):
            assert said(served.connect()).startswith(b"HTTP/1.1 403")
        assert b"200" not in said(served.connect(HALF + b"\r\n"))
        assert served.asked == []
        assert served.ask(here="127.0.0.2")[0] == 200
    refusals = [line for line in caplog.messages if "requests from 127.0.0.1 are refused" in line]
    assert len(refusals) == 1


@pytest.mark.parametrize(
    ("before", "dribbled"),
    [(b"", b"G" * 1000), (b"", HALF + b"X: " + b"x" * 1000), (HALF, b"X: y\r\n" * 100)],
    ids=["request line", "long header", "headers"],
)
def test_a_head_takes_so_many_seconds_however_it_comes(before: bytes, dribbled: bytes) -> None:
    with serving() as served:
        assert LIMITS.head / 2 < dribble(served.connect(before), dribbled) < LIMITS.head + 0.8
        assert served.asked == []


@pytest.mark.parametrize(
    ("length", "body"),
    [(b"Content-Length: 900", b"x" * 900), (b"Transfer-Encoding: chunked", b"1\r\nx\r\n" * 900)],
    ids=["length", "chunks"],
)
def test_a_body_takes_so_many_seconds_however_it_comes(length: bytes, body: bytes) -> None:
    with serving() as served:
        sock = served.connect(HALF + length + b"\r\n\r\n")
        assert LIMITS.body_time / 2 < dribble(sock, body) < LIMITS.body_time + 1
        assert served.asked == []


def test_a_connection_is_kept_for_a_while() -> None:
    with serving() as served:
        sock = served.connect(HALF + b"\r\n")
        assert answer(sock).startswith(b"HTTP/1.1 200")
        time.sleep(0.7 * LIMITS.idle)
        sock.sendall(HALF + b"\r\n")
        assert answer(sock).startswith(b"HTTP/1.1 200")
        began = time.monotonic()
        assert said(sock) == b""
        assert 0.7 * LIMITS.idle < time.monotonic() - began < LIMITS.idle + 1


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (HALF + b"X: " + b"x" * 20_000 + b"\r\n\r\n", 431),
        (HALF + b"X: y\r\n" * 150 + b"\r\n", 400),
        (b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n", 414),
        (HALF + b"Content-Length: x\r\n\r\n", 400),
        (HALF + b"Content-Length: -1\r\n\r\n", 400),
        (HALF + b"Content-Length: 1001\r\n\r\n", 413),
        (HALF + b"Content-Length: 99999999999999999999\r\n\r\n", 413),
        (HALF + b"Transfer-Encoding: chunked\r\n\r\n3e9\r\n" + b"x" * 1001 + b"\r\n0\r\n\r\n", 413),
        (HALF + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n" + b"x" * 1001, 413),
        (HALF + b"Transfer-Encoding: chunked\r\n\r\nx", 400),
    ],
)
def test_what_is_too_large_or_no_request_is_not_answered(
    sent: bytes, status: int, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with serving() as served:
        assert said(served.connect(sent)).startswith(b"HTTP/1.1 %d" % status)
        assert served.asked == []
        assert served.ask(b"x" * 1000)[0] == 200
    assert (caplog.messages, capfd.readouterr().err) == ([], "")


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: +5", b"Content-Length: 0_5", b"Content-Length: 5\r\nContent-Length: 6",
        b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: x\r\nContent-Length: 5",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    ],
)  # fmt: skip
def test_a_body_whose_end_is_a_matter_of_opinion_is_refused(headers: bytes) -> None:
    """A proxy that sees another end than we do lets one user's request into another's."""
    with serving() as served:
        assert said(served.connect(HALF + headers + b"\r\n\r\nhello")).split()[1] == b"400"
        assert served.asked == []


def test_a_head_that_ends_is_no_request(capfd: pytest.CaptureFixture[str]) -> None:
    with serving() as served:
        sock = served.connect(HALF)
        sock.shutdown(socket.SHUT_WR)
        assert b"200" not in said(sock)
        assert served.asked == []
    assert capfd.readouterr().err == ""


def test_large_bodies_share_what_there_is() -> None:
    """Two who may send 10 kB hold it all; the third is asked to come back, then gets it."""
    limits = replace(LIMITS, bodies=20_000, body_time=1.5)
    head = HALF + b"Content-Length: 10000\r\nConnection: close\r\n\r\n"
    with serving(limits, largest=lambda _environ: 10_000) as served:
        held = [served.connect(head + b"x") for _ in range(2)]
        served.until(lambda: served.server.bodies._left == 0)
        assert served.ask(b"x" * 10_000)[0] in (503, 408)
        assert served.ask(b"x" * 1_000)[0] == 200  # what anybody may send waits for nobody
        for sock in held:
            assert said(sock).startswith(b"HTTP/1.1 408")
        assert served.ask(b"x" * 10_000)[0] == 200
        assert served.asked == [1_000, 10_000]
        served.until(lambda: served.server.bodies._left == 20_000)


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_whose_connections_count_together(address: str, origin: str) -> None:
    assert origin_of(address) == origin


class Sock:
    def __init__(self) -> None:
        self.ended = False

    def shutdown(self, _how: int) -> None:
        self.ended = True


TRUSTED: Sequence[Network] = (ip_network("10.0.0.0/8"),)
STEPS = st.tuples(
    st.sampled_from(["admit", "wait", "work", "vouch", "leave"]),
    st.sampled_from(["10.0.0.1", "192.0.2.1", "192.0.2.2"]),
    st.integers(0, 9),
)


@given(st.lists(STEPS, max_size=60))
def test_a_room_never_holds_more_than_it_may(steps: list[tuple[str, str, int]]) -> None:
    room = Room(6, 3, TRUSTED)
    came: list[Any] = []
    for what, address, place in steps:
        if what == "admit":
            if (connection := room.admit(Sock(), address)) is not None:
                came.append(connection)
        elif came:
            getattr(room, what)(came[place % len(came)])
        stay = [one for one in came if one in room._open]
        assert len(room) == len(stay) <= 6
        assert set(room._waiting) <= set(stay)
        assert not any(one.sock.ended for one in stay)
        for one in ("10.0.0.1", "192.0.2.1", "192.0.2.2"):
            counted = sum(each.counted for each in stay if each.origin == one)
            assert room._of[one] == counted
            assert counted <= 3 or any(each.origin == one for each in stay)
    for connection in came:
        room.leave(connection)
    assert (len(room), room._of.total()) == (0, 0)


def test_fields_behind_a_chunked_body_are_bounded_and_hold_up_nobody() -> None:
    with serving(replace(LIMITS, body_time=5.0)) as served:
        fields = served.connect(HALF + b"Transfer-Encoding: chunked\r\n\r\n0\r\n")
        with suppress(OSError):
            fields.sendall(b"X: y\r\n" * 500_000)
        assert served.ask()[1] < 1
        assert said(fields)[:12] in (b"", b"HTTP/1.1 400")
        assert served.asked == [0]
