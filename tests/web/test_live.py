"""Calls that hunt right now: from a controller through the database to who watches."""

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import gevent
import pytest
from sqlalchemy import Engine

from fsctl.admin import users
from fsctl.admin.example import add_example
from fsctl.esl.listener import bind
from fsctl.http_server import Limits
from fsctl.settings import Settings
from fsctl.store.engine import reading, writing
from fsctl.store.live import (
    FRESH,
    LiveHunt,
    LiveLeg,
    forget_dead,
    read_live,
    read_waiting,
    write_live,
)
from fsctl.web.app import create_app
from fsctl.web.door import door_of
from fsctl.web.server import Server
from tests.scenarios.controllers import ServedController
from tests.scenarios.python_rig import PythonRig
from tests.web.conftest import PASSWORD, Browser

HOSTILE = "<script>alert(1)</script>"
NOW = 1_800_000_000_000
LEGS = (LiveLeg("test002", 0.0, 3.0, "busy"), LiveLeg("test006", 3.0, None, "rings"))
HUNT = LiveHunt("u1", "", "sales", "600", "+48601234567", HOSTILE, NOW / 1000, 30.0, LEGS)
THEIRS = LiveHunt("u2", "b.example", "theirs", "1", "\0\n", "", NOW / 1000 + 1, 30.0)


IN_LINE = replace(HUNT, uuid="u3", legs=(), wait=300.0, position=3)


def write(engine: Engine, controller: str, hunts: list[LiveHunt], now: int = NOW) -> None:
    with writing(engine) as session:
        write_live(session, controller, ["gone"], hunts, now)


def read(engine: Engine, now: int, domain: str = "") -> tuple[list[str], list[str]]:
    with reading(engine) as session:
        hunts, controllers = read_live(session, domain, now, hidden=0)
    return [hunt.uuid for hunt in hunts], controllers


def test_who_waits_elsewhere_in_a_group(engine: Engine) -> None:
    later = replace(HUNT, uuid="u3", began=HUNT.began + 5)
    not_yet = replace(HUNT, uuid="u4", legs=())
    write(engine, "pbx1", [later, not_yet, replace(HUNT, uuid="u5", domain="b.example")])
    write(engine, "pbx2", [HUNT, replace(HUNT, uuid="u6", group="support")])

    def waiting(but: str, now: int = NOW, most: int = 9) -> list[str]:
        with reading(engine) as session:
            return [one.uuid for one in read_waiting(session, "", "sales", but, now, most)]

    assert waiting("pbx3") == ["u1", "u3"]
    assert waiting("pbx3", most=1) == ["u1"]
    assert (waiting("pbx1"), waiting("pbx2")) == (["u1"], ["u3"])
    assert waiting("pbx3", NOW + round(FRESH * 1000) + 1) == []


def test_what_controllers_say_counts_as_long_as_they_say_it(engine: Engine) -> None:
    write(engine, "pbx1", [HUNT])
    write(engine, "pbx2", [THEIRS])
    with reading(engine) as session:
        assert read_live(session, "", NOW, hidden=0)[0][0] == HUNT
    assert read(engine, NOW) == (["u1", "u2"], ["pbx1", "pbx2"])
    assert read(engine, NOW, "b.example") == (["u2"], ["pbx1", "pbx2"])
    later = NOW + round(FRESH * 1000) + 1
    write(engine, "pbx2", [], later)
    assert read(engine, later) == (["u2"], ["pbx2"])
    with writing(engine) as session:
        forget_dead(session, later)
        write_live(session, "pbx2", ["u2"], [], later)
    assert read(engine, NOW) == ([], ["pbx2"])


def test_who_stands_in_line_is_shown_with_his_place(example: Engine) -> None:
    write(example, "pbx1", [IN_LINE])
    with reading(example) as session:
        assert read_live(session, "", NOW, hidden=0)[0] == [IN_LINE]
    app = create_app(example, Settings(), lambda: NOW / 1000 + 5)
    anna = Browser(app.test_client())
    anna.sign_in()
    assert "Number 3 in line" in anna.get("/live").text


def test_the_page_shows_calls_and_hides_what_is_not_for_everybody(example: Engine) -> None:
    write(example, "pbx1", [HUNT, THEIRS])
    users.add_user(example, "bob", PASSWORD, domain="b.example", role="viewer")
    app = create_app(example, Settings(mask_numbers=3), lambda: NOW / 1000 + 5)
    anna, bob = Browser(app.test_client()), Browser(app.test_client())
    anna.sign_in()
    bob.sign_in("bob")
    page = anna.get("/live").text
    assert "2 calls · 1 controller<" in page
    assert "+48601234***" in page
    assert "rings for 2\N{NO-BREAK SPACE}s" in page
    assert "alert" not in page
    assert "sales" not in bob.get("/live").text
    assert "theirs" in bob.page


def test_texts_of_callers_are_texts(anna: Browser, example: Engine) -> None:
    write(example, "pbx1", [HUNT], 1_800_000_000 * 1000)
    page = anna.get("/live").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert HOSTILE not in page


@contextmanager
def served(engine: Engine) -> Iterator[int]:
    sock = bind("127.0.0.1", 0)
    started, stop = threading.Event(), threading.Event()

    def serve() -> None:
        app = create_app(engine, Settings())
        server = Server(sock, app.wsgi_app, door_of(app), Limits())
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
        stop.set()
        thread.join(10)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_stream_follows_until_its_user_is_signed_out(anna: Browser, engine: Engine) -> None:
    def now() -> int:
        return time.time_ns() // 1_000_000

    users.add_user(engine, "eva", PASSWORD)
    with served(engine) as port:
        asked = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        asked.request("GET", "/sign-in", headers={"Accept": "text/html"})
        answer = asked.getresponse()
        visit = str(answer.getheader("Set-Cookie")).partition(";")[0]
        token = answer.read().decode().partition('name="csrf" content="')[2][:64]
        form = f"csrf={token}&name=eva&password={PASSWORD.replace(' ', '+')}"
        asked.request(
            "POST", "/sign-in", form,
            {"Cookie": visit, "Content-Type": "application/x-www-form-urlencoded"},
        )  # fmt: skip
        answer = asked.getresponse()
        answer.read()
        cookie = str(answer.getheader("Set-Cookie")).partition(";")[0]
        write(engine, "pbx1", [], now())
        asked.request("GET", "/live/events", headers={"Cookie": cookie})
        answer = asked.getresponse()
        assert answer.getheader("Content-Type") == "text/event-stream; charset=utf-8"
        said = answer.readline()
        assert said == b"event: calls\n"
        write(engine, "pbx1", [HUNT], now())
        while b"&lt;script&gt;" not in said:
            said = answer.readline()
            assert said
        users.sign_out_user(engine, "eva")
        while answer.readline():
            pass


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_controller_tells_of_its_calls(engine: Engine, database_url: str) -> None:
    add_example(engine)
    served_by = ServedController(database_url)
    rig = PythonRig(served_by.address)
    try:
        rig.phone("test002")
        call = rig.dial("600", caller_name="Jan")
        hunt = _when(engine, lambda hunts: hunts and hunts[0].legs)[0]
        assert (hunt.group, hunt.number, hunt.wait) == ("sales", "600", 30.0)
        assert [(leg.member, leg.state) for leg in hunt.legs] == [("test002", "rings")]
        call.hang_up()
        assert _when(engine, lambda hunts: not hunts) == []
    finally:
        rig.close()
        served_by.stop()


def _when(engine: Engine, holds: Callable[[list[LiveHunt]], object]) -> list[LiveHunt]:
    until = time.monotonic() + 15
    while time.monotonic() < until:
        with reading(engine) as session:
            hunts, controllers = read_live(session, "", time.time_ns() // 1_000_000, hidden=0)
        if controllers and holds(hunts):
            return hunts
        gevent.sleep(0.05)
    raise AssertionError("nothing was told")
