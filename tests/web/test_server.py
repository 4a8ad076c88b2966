"""The panel's HTTP server, asked over real connections; ``fsctl web`` and ``fsctl run``."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import gevent
import pytest

from fsctl.esl.listener import bind
from fsctl.http_server import Limits
from fsctl.web.server import STREAM, Server

LARGEST = 1000


class Application:
    """Answers with what it was sent; may wait, and send as it comes."""

    def __init__(self) -> None:
        self.go_on = threading.Event()

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/slow":
            self.go_on.wait(30)
        if path == "/stream":
            environ[STREAM] = self._stream()
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [environ["wsgi.input"].read()]

    def _stream(self) -> Iterator[bytes]:
        for number in range(3):
            yield b"%d\n" % number
            gevent.sleep(0.01)


class Everybody:
    """A door that takes everybody for a stranger who may send no more than anybody."""

    def is_known(self, _environ: dict[str, Any]) -> bool:
        return False

    def is_signing_in(self, _environ: dict[str, Any]) -> bool:
        return False

    def origin(self, environ: dict[str, Any]) -> str:
        return str(environ["REMOTE_PORT"])  # each connection by itself

    def largest(self, _environ: dict[str, Any]) -> int:
        return LARGEST

    def why(self, status: HTTPStatus, _environ: dict[str, Any]) -> str:
        return f"no: {status.phrase}"

    def crowded(
        self, _environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        start_response("503 Service Unavailable", [])
        return []


@contextmanager
def served(app: Application) -> Iterator[int]:
    """Serve from a thread of its own: gevent has a loop in each."""
    sock = bind("127.0.0.1", 0)
    started, stop = threading.Event(), threading.Event()

    def serve() -> None:
        server = Server(sock, app, Everybody(), Limits(body=LARGEST))
        server.start()
        started.set()
        while not stop.is_set():
            gevent.sleep(0.01)
        server.stop()

    thread = threading.Thread(target=serve)
    thread.start()
    assert started.wait(10)
    try:
        yield sock.getsockname()[1]
    finally:
        app.go_on.set()
        stop.set()
        thread.join(10)


def test_a_request_comes_whole_and_the_slow_hold_nobody_up() -> None:
    app = Application()
    with served(app) as port:
        slow = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        slow.request("GET", "/slow")
        dawdler = socket.create_connection(("127.0.0.1", port))
        dawdler.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf")
        for body in (b"", b"x" * LARGEST):
            quick = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            quick.request("POST", "/", body)
            assert quick.getresponse().read() == body
        chunked = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        chunked.request("POST", "/", iter([b"a", b"b"]), encode_chunked=True,
                        headers={"Transfer-Encoding": "chunked"})  # fmt: skip
        assert chunked.getresponse().read() == b"ab"
        app.go_on.set()
        assert slow.getresponse().status == 200
        dawdler.sendall(b" done")
        assert dawdler.recv(1000).startswith(b"HTTP/1.1 200")
        dawdler.close()


@pytest.mark.parametrize("length", [str(LARGEST + 1), "999999999999"])
def test_what_is_too_large_is_not_taken(length: str) -> None:
    with served(Application()) as port, socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode())
        heard = b""
        while data := sock.recv(1000):
            heard += data
        assert heard.startswith(b"HTTP/1.1 413")
        assert heard.endswith(b"\r\n\r\nno: Request Entity Too Large\n")


def test_a_stream_is_sent_as_it_comes() -> None:
    with served(Application()) as port:
        asked = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        asked.request("GET", "/stream")
        assert asked.getresponse().read() == b"0\n1\n2\n"


@contextmanager
def running(
    place: Path, template: Path, *words: str, **settings: str
) -> Iterator["subprocess.Popen[str]"]:
    (place / "fsctl.db").write_bytes(template.read_bytes())
    environ = {name: value for name, value in os.environ.items() if not name.startswith("FSCTL_")}
    environ |= {"FSCTL_LISTEN": "127.0.0.1:0", "FSCTL_WEB_LISTEN": "127.0.0.1:0", **settings}
    process = subprocess.Popen(
        [sys.executable, "-m", "fsctl", *words],
        cwd=place, env=environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()  # "run" ends what it has started
        process.communicate(timeout=30)


def lines_until(process: "subprocess.Popen[str]", *wanted: str) -> str:
    """Return what a program says until it has said all of this."""
    assert process.stdout is not None
    said = ""
    while not all(word in said for word in wanted):
        line = process.stdout.readline()
        assert line, said
        said += line
    return said


@pytest.mark.parametrize("order", [signal.SIGINT, signal.SIGTERM])
def test_run_starts_both_and_ends_both(
    tmp_path: Path, sqlite_template: Path, order: signal.Signals
) -> None:
    with running(tmp_path, sqlite_template, "run") as process:
        said = lines_until(process, "listens on", "The panel is at http://", "fsctl user add NAME")
        place = re.search(r"http://127\.0\.0\.1:(\d+)/", said)
        assert place is not None
        asked = http.client.HTTPConnection("127.0.0.1", int(place[1]), timeout=10)
        asked.request("GET", "/sign-in")
        assert asked.getresponse().status == 200
        process.send_signal(order)
        said += process.communicate(timeout=30)[0]
        assert process.returncode == 0
        assert "fsctl has stopped." in said
        assert "The panel has stopped." in said


def test_both_end_when_run_is_killed(tmp_path: Path, sqlite_template: Path) -> None:
    with running(tmp_path, sqlite_template, "run") as process:
        said = lines_until(process, "listens on", "The panel is at http://")
        process.kill()
        said += process.communicate(timeout=30)[0]  # until nobody is left who could say something
    assert "fsctl has stopped." in said
    assert "The panel has stopped." in said


def test_run_ends_when_one_of_them_does(tmp_path: Path, sqlite_template: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        began = time.monotonic()
        with running(tmp_path, sqlite_template, "--web-listen", place, "run") as process:
            said = process.communicate(timeout=30)[0]
        assert process.returncode == 1
        assert "give another with --listen" in said
        # On a busy machine the other may end before it has learned to stop in good order.
        ends = "Error: fsctl web has ended, and so the other: serve with (0|-15), web with 1"
        assert re.search(ends, said), said
        assert time.monotonic() - began < 20


def test_a_taken_address_is_one_line(tmp_path: Path, sqlite_template: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        with running(tmp_path, sqlite_template, "web", "--listen", place) as process:
            said = process.communicate(timeout=30)[0]
    assert process.returncode == 1
    assert said == (
        f"Error: cannot listen on {place}: Address already in use; give another with --listen\n"
    )
