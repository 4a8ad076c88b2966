"""Users and strangers are distinguished before a request is answered; strangers take turns."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from http import HTTPStatus
from ipaddress import ip_network
from typing import Any

import gevent
import pytest
from flask import Flask
from sqlalchemy import Engine

from fsctl.admin import users
from fsctl.http_server import KNOWN
from fsctl.web import door as module
from fsctl.web import sizes
from fsctl.web.door import Door, door_of
from fsctl.web.server import InThreads, Lane
from tests.web.conftest import PASSWORD, Browser

NewBrowser = Callable[[], Browser]
PROXY = (ip_network("10.0.0.0/8"),)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What differs between databases is tested elsewhere."""
    return sqlite_url


def environ(path: str = "/groups", method: str = "GET", **headers: str) -> dict[str, Any]:
    """Return a request as a server has it."""
    named = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    return {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "REMOTE_ADDR": "192.0.2.7",
        "SERVER_NAME": "panel",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        **named,
    }


def cookie_of(browser: Browser) -> str:
    cookie = browser.client.get_cookie("fsctl_session")
    assert cookie is not None
    return f"fsctl_visit=x; fsctl_session={cookie.value}"


def test_a_user_is_known_from_the_sign_in_on(app: Flask, new_browser: NewBrowser) -> None:
    door, browser = door_of(app), new_browser()
    assert not door.is_known(environ())
    assert not door.is_known(environ(cookie="fsctl_session=guessed"))
    browser.sign_in()
    assert door.is_known(environ(cookie=cookie_of(browser)))
    assert not door.is_known(environ(cookie=cookie_of(browser) + "x"))


def test_a_program_is_known_once_its_token_was_looked_up(
    app: Flask, engine: Engine, example: Engine
) -> None:
    door, token = door_of(app), f"Bearer {users.add_token(engine, 'anna', 'test')}"
    asked = environ(authorization=token)
    assert not door.is_known(asked)
    assert app.test_client().get("/api/v1/groups", headers={"Authorization": token}).json
    assert door.is_known(asked)


def test_only_so_many_are_remembered_and_for_a_while(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = door_of(app)
    monkeypatch.setattr(module, "REMEMBERED", 3)
    requests = [environ(cookie=f"fsctl_session=user{number}") for number in range(5)]
    for one in requests:
        door.see(one)
        assert one[KNOWN]
    assert [door.is_known(one) for one in requests] == [False, False, True, True, True]
    monkeypatch.setattr(module, "SEEN", -1.0)
    door.see(requests[4])
    assert not door.is_known(requests[4])


@pytest.mark.parametrize(
    ("role", "path", "method", "most"),
    [
        ("administrator", "/import", "POST", sizes.LARGEST),
        ("administrator", "/groups", "POST", sizes.USERS),
        ("administrator", "/nothing", "POST", sizes.USERS),
        ("viewer", "/import", "POST", sizes.USERS),
        (None, "/import", "POST", sizes.STRANGERS),
        (None, "/sign-in", "POST", sizes.STRANGERS),
    ],
)
def test_who_may_send_how_much(
    app: Flask,
    engine: Engine,
    new_browser: NewBrowser,
    role: str | None,
    path: str,
    method: str,
    most: int,
) -> None:
    cookie = "fsctl_session=guessed"
    if role:
        users.add_user(engine, "eva", PASSWORD, role=role)
        browser = new_browser()
        browser.sign_in("eva")
        cookie = cookie_of(browser)
    assert door_of(app).largest(environ(path, method, cookie=cookie)) == most


@pytest.mark.parametrize(
    ("peer", "forwarded", "origin"),
    [
        ("192.0.2.7", "", "192.0.2.7"),
        ("192.0.2.7", "198.51.100.1", "192.0.2.7"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("2001:db8::1", "", "2001:db8::/64"),
    ],
)
def test_an_origin_is_what_a_proxy_of_ours_says(
    app: Flask, peer: str, forwarded: str, origin: str
) -> None:
    door = Door(app, PROXY, lambda: None)
    asked = environ(x_forwarded_for=forwarded) | {"REMOTE_ADDR": peer}
    assert door.origin(asked) == origin


@pytest.mark.parametrize(("language", "says"), [("en", "Wait a few seconds"), ("pl", "Odczekaj")])
def test_a_stranger_for_whom_there_is_no_room_is_asked_back(
    app: Flask, language: str, says: str
) -> None:
    said: list[Any] = []
    asked = environ(accept_language=language)
    answer = door_of(app).crowded(asked, lambda *given: said.extend(given))
    assert says in b"".join(answer).decode()
    assert said[0].startswith("503")
    assert dict(said[1])["Retry-After"] == module.RETRY


@pytest.mark.parametrize(("language", "says"), [("en", "sign in again"), ("pl", "zaloguj się")])
def test_somebody_whose_large_form_is_refused_is_told_why(
    app: Flask, language: str, says: str
) -> None:
    why = door_of(app).why(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, environ(accept_language=language))
    assert says in why


# Turns


def test_nobody_waits_behind_all_of_another_address() -> None:
    lane, order = Lane(threads=1, waiting=20, of_one=1, patience=5.0), []

    def ask(origin: str, number: int) -> None:
        with lane.turn(origin) as mine:
            assert mine
            gevent.sleep(0.001)
            order.append((origin, number))

    many = [gevent.spawn(ask, "attacker", number) for number in range(10)]
    gevent.sleep(0)
    one = gevent.spawn(ask, "user", 0)
    gevent.joinall([*many, one], raise_error=True)
    assert order.index(("user", 0)) < 3
    assert [number for origin, number in order if origin == "attacker"] == list(range(10))
    assert (lane._gates, lane._of.total()) == ({}, 0)


def test_so_many_wait_and_for_so_long() -> None:
    lane = Lane(threads=1, waiting=2, of_one=5, patience=0.05)

    def ask(origin: str) -> bool:
        with lane.turn(origin) as mine:
            return mine

    with ExitStack() as held:
        assert held.enter_context(lane.turn("first"))
        waiting = [gevent.spawn(ask, f"{number}") for number in range(3)]
        gevent.sleep(0)
        assert waiting[2].get(timeout=0.02) is False  # at once
        gevent.joinall(waiting)
        assert [one.value for one in waiting] == [False, False, False]
    assert ask("again")


def test_a_user_has_a_thread_whatever_strangers_do() -> None:
    """Of requests that all take long, the user's is answered first."""
    over = threading.Event()

    class Known:
        def is_known(self, asked: dict[str, Any]) -> bool:
            return bool(asked["PATH_INFO"] == "/user")

        def is_signing_in(self, asked: dict[str, Any]) -> bool:
            return bool(asked["PATH_INFO"] == "/sign-in")

        def origin(self, asked: dict[str, Any]) -> str:
            return str(asked["REMOTE_ADDR"])

        def largest(self, _environ: dict[str, Any]) -> int:
            return 0

        def why(self, status: HTTPStatus, _environ: dict[str, Any]) -> str:
            return status.phrase

        def crowded(self, _environ: dict[str, Any], start_response: Any) -> list[bytes]:
            start_response("503", [])
            return []

    def app(asked: dict[str, Any], start_response: Any) -> list[bytes]:
        if asked["PATH_INFO"] != "/user":
            over.wait(10)
        start_response("200", [])
        return [b"here"]

    threads = InThreads(app, Known())

    def ask(path: str, place: int) -> list[bytes]:
        asked = environ(path) | {"REMOTE_ADDR": f"192.0.2.{place}"}
        return list(threads(asked, lambda *_: None))

    strangers = [gevent.spawn(ask, path, n) for n in range(20) for path in ("/x", "/sign-in")]
    gevent.sleep(0.01)
    try:
        with gevent.Timeout(5):
            assert gevent.spawn(ask, "/user", 0).get() == [b"here"]
        assert not any(one.ready() for one in strangers)
    finally:
        over.set()
    gevent.joinall(strangers, timeout=10, raise_error=True)
    assert all(one.value == [b"here"] for one in strangers)
    threads.stop()
