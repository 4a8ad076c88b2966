"""The panel below a path, ``https://example.org/hunt/``, as a reverse proxy says."""

import http.client
import http.server
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine

from fsctl.admin import users
from fsctl.settings import Settings
from fsctl.settings_values import networks
from fsctl.store.engine import make_engine
from fsctl.web.app import create_app
from tests.web.conftest import PAGE, PASSWORD, Browser, Clock
from tests.web.routes import requests_of
from tests.web.test_browser import House, chromium, house, opened
from tests.web.test_masking import ARGUMENTS
from tests.web.test_server import lines_until, running

__all__ = ["chromium", "house"]

PREFIX = "/hunt"
BELOW = {"X-Forwarded-Prefix": PREFIX, "X-Forwarded-For": "10.0.0.9"}
ADDRESS = re.compile(r'(?:href|src|action|data-\w+)="(/[^"]*)"')


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def trusting(example: Engine, clock: Clock) -> Flask:
    return create_app(example, Settings(web_proxies=networks("127.0.0.1")), clock)


@pytest.fixture
def below(trusting: Flask) -> Browser:
    """An administrator's browser, signed in by way of a proxy."""
    client = trusting.test_client()
    client.environ_base["HTTP_X_FORWARDED_PREFIX"] = PREFIX
    browser = Browser(client)
    browser.get("/hunt/sign-in?next=/hunt/live")
    answer = browser.post(
        "/hunt/sign-in?next=/hunt/live", follow=False, name="anna", password=PASSWORD
    )
    assert (answer.status_code, answer.location) == (302, "/hunt/live")
    browser.get("/hunt/groups")
    return browser


def test_every_address_of_every_page_is_below_the_prefix(trusting: Flask, below: Browser) -> None:
    seen = 0
    for call in requests_of(trusting, ARGUMENTS):
        if call.method != "GET" or call.is_api or call.endpoint in ("static", "calls.call"):
            continue
        answer = below.client.get(PREFIX + call.path, headers=PAGE)
        assert answer.status_code in (200, 302), call
        found = ADDRESS.findall(answer.text) if "html" in answer.mimetype else []
        if answer.location:
            found.append(answer.location)
        assert not [one for one in found if not one.startswith("/hunt/")], call
        seen += len(found)
    assert seen > 100


def test_a_stranger_comes_back_to_the_page_that_was_asked_for(trusting: Flask) -> None:
    stranger = trusting.test_client()
    answer = stranger.get("/calls?group=x", headers={**PAGE, **BELOW})
    assert answer.location == "/hunt/sign-in?next=/hunt/calls?group%3Dx"
    assert stranger.get("/static/panel.css", headers=BELOW).status_code == 200


@pytest.mark.parametrize(
    "wanted",
    ["/groups", "/hunter/x", "/hunt/../x", "/hunt/%2e%2e/x", "/hunt/.%2E/x", "//evil.example/"],
)
def test_nobody_is_sent_out_of_the_panel(below: Browser, wanted: str) -> None:
    answer = below.post("/hunt/language", follow=False, language="en", back=wanted)
    assert answer.location == "/hunt/groups"


def test_a_switched_group_leads_back_to_the_list(below: Browser) -> None:
    below.get("/hunt/groups")
    back = re.search(r'name="back" value="([^"]+)"', below.page)
    assert back is not None
    answer = below.post("/hunt/groups/1/enabled", follow=False, enabled="0", back=back[1])
    assert answer.location == back[1] == "/hunt/groups"


@pytest.mark.parametrize(
    ("tls", "name"), [(False, "fsctl_session"), (True, "__Secure-fsctl_session")]
)
def test_cookies_are_for_the_panel_only(trusting: Flask, tls: bool, name: str) -> None:
    headers = {**BELOW, **PAGE, "X-Forwarded-Proto": "https" if tls else "http"}
    client = trusting.test_client()
    base = "https://localhost" if tls else "http://localhost"
    page = client.get("/hunt/sign-in", headers=headers, base_url=base)
    csrf = re.search(r'name="csrf" content="(\w+)"', page.text)
    assert csrf is not None
    form = {"csrf": csrf[1], "name": "anna", "password": PASSWORD}
    answer = client.post("/hunt/sign-in", data=form, headers=headers, base_url=base)
    assert answer.status_code == 302
    cookies = [*page.headers.getlist("Set-Cookie"), *answer.headers.getlist("Set-Cookie")]
    assert {one.partition("=")[0] for one in cookies} >= {name, "fsctl_visit"}
    assert all("Path=/hunt;" in f"{one};" for one in cookies)


def test_the_description_for_programs_has_the_prefix(trusting: Flask) -> None:
    answer = trusting.test_client().get("/api/v1/openapi.json", headers=BELOW)
    assert answer.json["servers"] == [{"url": "/hunt/api/v1"}]


def test_a_path_with_the_prefix_or_without_is_the_same(trusting: Flask) -> None:
    client = trusting.test_client()
    for path in ("/hunt/sign-in", "/sign-in"):
        assert client.get(path, headers={**BELOW, **PAGE}).status_code == 200


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "/",
        "//evil.example",
        "hunt",
        "/hunt//x",
        "/a/../b",
        "/h\\x",
        "/<script>",
        "/a b",
        "/%2e",
    ],
)
def test_what_is_no_prefix_is_left_out(trusting: Flask, prefix: str) -> None:
    headers = {**PAGE, "X-Forwarded-Prefix": prefix}
    assert trusting.test_client().get("/", headers=headers).location == "/sign-in"


def test_a_stranger_who_says_so_is_not_believed(app: Flask) -> None:
    assert app.test_client().get("/", headers={**PAGE, **BELOW}).location == "/sign-in"


class _Prefixing(http.server.BaseHTTPRequestHandler):
    """A reverse proxy that has the panel below a prefix, and nothing else."""

    protocol_version = "HTTP/1.1"
    panel = ""

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _pass_on(self) -> None:
        self.close_connection = True
        if not self.path.startswith(f"{PREFIX}/"):
            self.send_error(404, "no panel here")
            return
        length = int(self.headers.get("Content-Length") or 0)
        headers = {**dict(self.headers), "X-Forwarded-Prefix": PREFIX, "Connection": "close"}
        headers["X-Forwarded-For"] = self.client_address[0]
        connection = http.client.HTTPConnection(self.panel, timeout=30)
        path = self.path.removeprefix(PREFIX)
        connection.request(self.command, path, self.rfile.read(length), headers)
        answer = connection.getresponse()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            while part := answer.read1(65536):
                self.wfile.write(part)
                self.wfile.flush()
        except OSError:
            pass  # the browser has left a stream
        connection.close()

    do_GET = do_POST = _pass_on


@pytest.fixture
def panel_below(tmp_path: Path, sqlite_template: Path) -> Iterator[House]:
    """A panel that runs behind a proxy; the address is the proxy's, with the prefix."""
    with running(tmp_path, sqlite_template, "run", FSCTL_WEB_PROXIES="127.0.0.1") as process:
        engine = make_engine(f"sqlite:///{tmp_path}/fsctl.db")
        users.add_user(engine, "anna", PASSWORD)
        made = House(lines_until(process, "listens on", "The panel is at"), engine)
        handler = type("Handler", (_Prefixing,), {"panel": made.url.removeprefix("http://")})
        proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        proxy.daemon_threads = True
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        made.url = f"http://127.0.0.1:{proxy.server_address[1]}"
        yield made
        proxy.shutdown()
        proxy.server_close()


@pytest.mark.browser
@pytest.mark.xdist_group("browser")
@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not on this machine")
def test_a_browser_behind_a_prefixing_proxy(chromium: Any, panel_below: House) -> None:
    page = opened(chromium, panel_below, "en")
    page.on("response", lambda one: one.status >= 400 and page.problems.append(one.url))
    page.goto(f"{PREFIX}/live")
    page.get_by_label("Name", exact=True).fill("anna")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/hunt/live")
    with page.expect_request("**/hunt/live/events"):
        page.reload()
    page.get_by_role("link", name="Hunt groups").click()
    page.get_by_role("link", name="Add", exact=True).click()
    page.get_by_label("Name", exact=True).fill("Office")
    page.get_by_role("button", name="Add", exact=True).click()
    page.locator("#numbers").type("701")
    page.locator(".said:not(.wrong)", has_text="701").wait_for()
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("link", name="Configuration", exact=True).click()
    page.locator("#user-0").fill("test002")
    page.locator("svg.timeline", has_text="test002").wait_for()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("Saved.").wait_for()
    page.get_by_role("button", name="Polski").click()
    page.get_by_role("link", name="Historia", exact=True).first.wait_for()
    assert page.evaluate("getComputedStyle(document.querySelector('.bar')).display") == "flex"
    assert {one["path"] for one in page.context.cookies()} == {PREFIX}
    page.get_by_role("button", name="Wyloguj").click()
    page.wait_for_url("**/hunt/sign-in")
    assert page.problems == []
