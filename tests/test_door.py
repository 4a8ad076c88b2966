"""``fsctl web`` and ``fsctl serve`` as they are started, and strangers who are slow, large or many.

What they cost is asserted as the peak of the process's memory (``VmHWM``) and as the time that a
user's request takes meanwhile.
"""

from __future__ import annotations

import http.client
import os
import re
import selectors
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlencode

import pytest

from fsctl.admin import users
from fsctl.store.engine import make_engine
from tests.hostile.served import furnish
from tests.scenarios.controllers import ROOT

PASSWORD = "correct horse battery"  # noqa: S105
FORM = "application/x-www-form-urlencoded"
MAY_GROW = 90_000_000
"""Bytes by which strangers may raise the peak of a process's memory."""
MAY_TAKE = 1.0
"""Seconds that a request may take in the median, whatever strangers do: 3 s and more before."""
A_PASSWORD = 64 * 1024 * 1024
"""Bytes that Argon2id takes on purpose."""
HALF = b"POST /sign-in HTTP/1.1\r\nHost: x\r\n"
LARGE = 31 * 1024 * 1024

Answer = tuple[int, http.client.HTTPMessage, str]


class Process:
    """A command of fsctl that serves HTTP; its output says where, after these ``words``."""

    def __init__(self, url: str, words: Sequence[str], *command: str, **settings: str) -> None:
        variables = {f"FSCTL_{name.upper()}": value for name, value in settings.items()}
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "cli.py"), *command],
            stdout=subprocess.PIPE,
            env={**os.environ, "FSCTL_DATABASE_URL": url, "PYTHONUNBUFFERED": "1", **variables},
            text=True,
        )
        assert self.process.stdout
        said = ""
        while not all(word in said for word in words):
            said += self.process.stdout.readline()
        found = [re.search(rf"{word} http://127\.0\.0\.1:(\d+)/", said) for word in words]
        self.ports = [int(one[1]) for one in found if one]

    def peak(self) -> int:
        """Return the most bytes of memory that the process ever had."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1024

    def ask(
        self, method: str, path: str, body: bytes = b"", here: str = "127.0.0.1", **headers: str
    ) -> Answer:
        asked = http.client.HTTPConnection(
            "127.0.0.1", self.ports[0], timeout=20, source_address=(here, 0)
        )
        try:
            asked.request(method, path, body, headers)
            answer = asked.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            asked.close()

    def connect(self, sent: bytes = b"", here: str = "127.0.0.1") -> socket.socket:
        sock = socket.create_connection(
            ("127.0.0.1", self.ports[0]), timeout=20, source_address=(here, 0)
        )
        sock.sendall(sent)
        return sock

    def close(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=30)


class Panel(Process):
    """``fsctl web``, and anna, who is signed in."""

    def __init__(self, url: str) -> None:
        super().__init__(url, ["The panel is at"], "web", web_listen="127.0.0.1:0")
        status, headers = self.sign_in(*self.visit(), "anna", PASSWORD)
        assert status == 302
        self.cookie = "; ".join(one.partition(";")[0] for one in headers.get_all("Set-Cookie", []))

    def visit(self, here: str = "127.0.0.1") -> tuple[str, str]:
        """Return the cookie and token of somebody who comes to the sign-in page."""
        _, headers, page = self.ask("GET", "/sign-in", here=here)
        token = re.search(r'<meta name="csrf" content="(\w+)"', page)
        assert token
        return headers["Set-Cookie"].partition(";")[0], token[1]

    def sign_in(
        self, cookie: str, token: str, name: str, password: str, here: str = "127.0.0.1"
    ) -> tuple[int, http.client.HTTPMessage]:
        form = urlencode({"csrf": token, "name": name, "password": password}).encode()
        headers = {"Cookie": cookie, "Content-Type": FORM}
        status, answered, _ = self.ask("POST", "/sign-in", form, here, **headers)
        return status, answered

    def page(self) -> float:
        """Look at anna's groups; return after how many seconds they came."""
        began = time.monotonic()
        status, _, page = self.ask("GET", "/groups", Cookie=self.cookie)
        assert (status, "group 600" in page) == (200, True)
        return time.monotonic() - began


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('door') / 'fsctl.db'}"
    furnish(url, "600")
    engine = make_engine(url)
    users.add_user(engine, "anna", PASSWORD)
    engine.dispose()
    return url


@pytest.fixture
def panel(url: str) -> Iterator[Panel]:
    panel = Panel(url)
    yield panel
    panel.close()


@contextmanager
def meanwhile(*strangers: threading.Thread) -> Iterator[None]:
    for one in strangers:
        one.start()
    try:
        yield
    finally:
        for one in strangers:
            one.join(30)


@contextmanager
def asked_without_end(process: Process, path: str, connections: int) -> Iterator[None]:
    """Have 30 addresses ask again and again, the next requests always there already."""
    over = threading.Event()
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    asking = [
        process.connect(request * 5, f"127.0.0.{2 + place % 30}") for place in range(connections)
    ]

    readable = selectors.DefaultSelector()
    for sock in asking:
        readable.register(sock, selectors.EVENT_READ, sock)

    def ask() -> None:
        while not over.is_set():
            for key, _events in readable.select(0.1):
                with suppress(ConnectionError):
                    key.data.recv(200_000)
                    key.data.sendall(request)

    with meanwhile(threading.Thread(target=ask)):
        try:
            yield
        finally:
            over.set()
    readable.close()
    for sock in asking:
        sock.close()


def unharmed(panel: Process, before: int, times: Sequence[float], more: int = 0) -> None:
    grown = panel.peak() - before - more
    print(f"pages: {[round(one * 1000) for one in times]} ms; peak: {grown / 1e6:+.1f} MB")
    assert statistics.median(times) < MAY_TAKE
    assert grown < MAY_GROW


def test_large_forms_cost_a_panel_nothing(panel: Panel) -> None:
    """A name of 31 MiB, and the form that takes 20 s and 1.5 GiB to take apart."""
    cookie, token = panel.visit()
    name = f"csrf={token}&name=".encode()
    fields = b"&".join(b"%d" % number for number in range(4_000_000))[:LARGE]
    before = panel.peak()

    def send(body: bytes) -> None:
        head = f"Cookie: {cookie}\r\nContent-Type: {FORM}\r\nContent-Length: {len(body)}\r\n\r\n"
        with suppress(ConnectionError), panel.connect(HALF + head.encode()) as sock:
            sock.sendall(body)

    bodies = [name + b"a" * LARGE, fields]
    with meanwhile(*(threading.Thread(target=send, args=(body,)) for body in bodies * 3)):
        times = [panel.page() for _ in range(10)]
    unharmed(panel, before, times)


def test_a_user_still_sends_a_large_file(panel: Panel, url: str) -> None:
    """By its length, or in chunks; a token that nobody knows is refused before it has sent much."""
    engine = make_engine(url)
    token = users.add_token(engine, "anna", "import")
    engine.dispose()
    file = b"# " + b"a" * 5_000_000 + b"\nversion: 1\ngroups: []\n"
    for sent, answer in ((token, b"200"), (token[:-1], b"413")):
        head = (
            f"POST /api/v1/import?keep=1&dry=1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {sent}"
        )
        for kind in (f"Content-Length: {len(file)}", "Transfer-Encoding: chunked"):
            body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(file), file) if "chunked" in kind else file
            with panel.connect(f"{head}\r\n{kind}\r\nConnection: close\r\n\r\n".encode()) as sock:
                with suppress(ConnectionError):
                    sock.sendall(body)
                assert sock.recv(1000).split()[1] == answer


def test_a_thousand_half_heads_and_held_bodies_keep_nobody_out(panel: Panel) -> None:
    """From loopback, as behind a proxy, and from elsewhere."""
    before = panel.peak()
    held = [panel.connect(HALF + b"X-Header: ") for _ in range(1_100)]
    times = [panel.page() for _ in range(5)]
    body = HALF + b"Content-Length: 16384\r\n\r\n" + b"a" * 16_383
    held += [panel.connect(body, f"127.0.0.{2 + place % 20}") for place in range(1_100)]
    large = HALF + b"Content-Length: 33554432\r\n\r\n"
    for _ in range(30):
        with suppress(ConnectionError):
            held.append(panel.connect(large + b"a" * 100_000))
    times += [panel.page() for _ in range(5)]
    cookie, token = panel.visit("127.0.1.1")
    assert panel.sign_in(cookie, token, "anna", PASSWORD, "127.0.1.1")[0] == 302
    for sock in held:
        sock.close()
    unharmed(panel, before, times)


def test_sign_ins_by_the_hundred_slow_down_nobody_s_pages(panel: Panel) -> None:
    """From 30 addresses at once, all the time: a signed-in user has their pages."""
    before, over = panel.peak(), threading.Event()
    answers: list[int] = []

    def guess(here: str) -> None:
        cookie, token = panel.visit(here)
        while not over.is_set():
            name = f"nobody{len(answers)}"
            answers.append(panel.sign_in(cookie, token, name, "wrong", here)[0])

    places = [f"127.0.0.{2 + place}" for place in range(30)]
    with meanwhile(*(threading.Thread(target=guess, args=(place,)) for place in places)):
        while len(answers) < 10:
            time.sleep(0.01)
        times = [panel.page() for _ in range(10)]
        over.set()
    print(f"{len(answers)} guesses: {Counter(answers)}")
    assert set(answers) <= {401, 429, 503}
    unharmed(panel, before, times, more=A_PASSWORD)  # two are worked out at once
    cookie, token = panel.visit("127.0.1.1")
    assert panel.sign_in(cookie, token, "anna", PASSWORD, "127.0.1.1")[0] == 302


def test_pages_without_end_delay_no_user(panel: Panel) -> None:
    before = panel.peak()
    with asked_without_end(panel, "/nothing", 300), asked_without_end(panel, "/sign-in", 300):
        time.sleep(0.5)  # until they fill the threads and the queue
        times = [panel.page() for _ in range(15)]
    unharmed(panel, before, times)
    assert statistics.median(times) < MAY_TAKE / 4


class Controller(Process):
    """``fsctl serve`` with dialplan and metrics, and a switch that asks for the dialplan."""

    def __init__(self, url: str, spool: Path) -> None:
        super().__init__(
            url,
            ["mod_xml_curl asks", "Metrics are at"],
            "serve",
            listen="127.0.0.1:0",
            metrics_listen="127.0.0.1:0",
            dialplan_listen="127.0.0.1:0",
            allow="127.0.0.1",
            spool=str(spool),
        )

    def page(self) -> float:
        """Ask for a call's dialplan as mod_xml_curl does, and for the metrics."""
        began = time.monotonic()
        question = {"section": "dialplan", "Hunt-Destination-Number": "600"}
        question |= {f"variable_{number}": "x" * 100 for number in range(300)}
        headers = {"Content-Type": FORM}
        status, _, page = self.ask("POST", "/dialplan", urlencode(question).encode(), **headers)
        assert (status, "socket_resume" in page) == (200, True)
        return time.monotonic() - began


@pytest.fixture
def controller(url: str, tmp_path: Path) -> Iterator[Controller]:
    controller = Controller(url, tmp_path)
    yield controller
    controller.close()


@pytest.mark.parametrize("here", ["127.0.0.1", "127.0.0.2"], ids=["allowed", "not allowed"])
def test_dribbled_questions_stop_no_dialplan(controller: Controller, here: str) -> None:
    controller.page()
    before = controller.peak()
    held = []
    for place in range(300):
        with suppress(ConnectionError):
            sent = HALF if place % 2 else HALF + b"Content-Length: 60000\r\n\r\n" + b"a" * 59_000
            held.append(controller.connect(sent, here))
    times = [controller.page() for _ in range(5)]
    if here != "127.0.0.1":
        for sock in held:
            with suppress(ConnectionError):
                assert b"403" in sock.recv(1000)  # and nobody has heard them
    for sock in held:
        sock.close()
    unharmed(controller, before, times)


def test_large_questions_cost_a_controller_nothing(controller: Controller) -> None:
    controller.page()
    before = controller.peak()
    body = b"&".join(b"%d" % number for number in range(600_000))[: 4 * 1024 * 1024]

    def send() -> None:
        head = f"POST /dialplan HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
        with suppress(ConnectionError), controller.connect(head.encode()) as sock:
            sock.sendall(body)
            sock.recv(1)

    with meanwhile(*(threading.Thread(target=send) for _ in range(20))):
        times = [controller.page() for _ in range(10)]
    unharmed(controller, before, times)


def test_metrics_without_end_delay_no_dialplan(controller: Controller) -> None:
    dialplan, metrics = controller.ports
    controller.ports = [metrics]
    with asked_without_end(controller, "/metrics", 150):
        controller.ports = [dialplan]
        times = [controller.page() for _ in range(10)]
    assert statistics.median(times) < MAY_TAKE


def test_dribbled_requests_stop_no_metrics(controller: Controller) -> None:
    controller.ports.reverse()
    held = [controller.connect(HALF, f"127.0.0.{2 + place % 30}") for place in range(300)]
    assert controller.ask("GET", "/metrics")[0] == 200
    assert controller.ask("GET", "/healthz")[0] == 200
    for sock in held:
        sock.close()
