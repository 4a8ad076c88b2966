"""What the pages tell of a switch's users, on a scripted event socket in a thread of its own."""

import threading
import time
from collections.abc import Callable, Iterator

import gevent
import orjson
import pytest
from sqlalchemy import Engine

from fsctl.admin import users
from fsctl.admin.groups import add_group, get_group
from fsctl.admin.members import add_member
from fsctl.esl.address import SwitchAddress
from fsctl.esl.listener import bind
from fsctl.settings import Settings
from fsctl.web import switches
from fsctl.web.app import create_app
from fsctl.web.switches import State, Switches
from tests.esl.inbound_server import InboundServer
from tests.web.conftest import PASSWORD, Browser, filled

HEAD = "userid|context|domain|group|contact|callgroup|effective_caller_id_name|number\n"
HOSTILE = "<script>alert(1)</script>"
NOBODY = "no one of group &#34;sales&#34; is registered: it rings nobody"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switches, "PATIENCE", 10.0)
    monkeypatch.setattr(switches, "PACE", 0.0)
    monkeypatch.setattr(switches, "REST", 0)


class Switch:
    """A switch whose users a test says: name -> registered, and who is on the phone."""

    def __init__(self) -> None:
        self.users: dict[str, bool] = {}
        self.calls: dict[str, tuple[str, str]] = {}
        self.elsewhere: set[str] = set()
        self.aliases: set[str] = set()
        self._commands: set[str] = set()
        self._stop = threading.Event()
        started = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(started,))
        self._thread.start()
        assert started.wait(10)

    def _serve(self, started: threading.Event) -> None:
        server = InboundServer(self._answer)
        self.address = server.switch_address
        started.set()
        while not self._stop.is_set():
            gevent.sleep(0.01)
        server.stop(timeout=0)

    def close(self) -> None:
        self._stop.set()
        self._thread.join(10)

    def asked_of(self, name: str) -> list[str]:
        """Return the questions about a user."""
        return [command for command in self._commands if name in command]

    def _answer(self, command: str) -> str:
        verb, _, rest = command.partition(" ")
        self._commands.add(command)
        if verb == "list_users":
            return HEAD + "".join(self._line(name) for name in self.users) + "\n+OK\n"
        if verb == "show":
            rows = [
                {"presence_id": name, "direction": way, "callstate": state}
                for name, (way, state) in self.calls.items()
            ]
            return orjson.dumps({"row_count": len(rows), "rows": rows}).decode()
        if verb == "global_getvar":
            return "a.example"
        if verb == "user_exists":
            name, domain = rest.split()[1:]
            known = f"{name}@{domain}" in self.users or name in self.aliases
            return "true" if known else "false"
        if verb == "user_data":
            name = rest.partition("@")[0]
            return "sofia/gateway/x" if name in self.elsewhere else "${sofia_contact(*/x)}"
        name = rest.removeprefix("*/")
        return "sofia/internal/x" if name.partition("@")[0] in self.aliases else self._place(name)

    def _place(self, name: str) -> str:
        return "sofia/internal/x" if self.users.get(name) else "error/user_not_registered"

    def _line(self, name: str) -> str:
        user, _, domain = name.partition("@")
        return f"{user}|default|{domain}|all|{self._place(name)}|x|{HOSTILE}|1\n"


@pytest.fixture
def switch() -> Iterator[Switch]:
    made = Switch()
    yield made
    made.close()


@pytest.fixture
def browse(example: Engine, switch: Switch) -> Callable[..., Browser]:
    app = create_app(example, Settings(esl_url=(switch.address,)), time.time)

    def browser(name: str = "anna") -> Browser:
        made = Browser(app.test_client())
        made.sign_in(name)
        return made

    return browser


def test_members_are_picked_from_the_users_of_the_switch(
    browse: Callable[..., Browser], switch: Switch, example: Engine
) -> None:
    switch.users = {"test002@a.example": False, "ola@a.example": True, "jan@b.example": False}
    switch.calls = {"ola@a.example": ("inbound", "ACTIVE")}
    switch.elsewhere = {"jan"}
    anna = browse()
    page = anna.get("/groups/1/configuration").text
    assert HOSTILE not in page
    assert '<option value="ola">' in page
    assert '<option value="jan@b.example">' in page
    assert '<option value="test002">' not in page
    assert '<span class="presence away" id="presence-0">not registered' in page
    assert '<span class="presence unknown" id="presence-1">not known' in page
    assert '<span class="presence talks">on the phone' in page
    assert '<span class="presence elsewhere">needs no registration' in page
    rows = {f"user-{at}": one.user for at, one in enumerate(get_group(example, "sales").members)}
    form = filled({"row": ["0", "1", "2"], **rows})
    page = anna.post(
        "/groups/1/configuration", **form, picked=["ola", "jan@b.example"], act="pick"
    ).text
    assert 'value="ola"' in page
    assert '<option value="ola">' not in page
    assert len(get_group(example, "sales").members) == 3
    told = anna.post("/groups/1/timeline", **filled({"row": ["7"], "user-7": "ola"})).json
    assert told["states"] == {"7": {"kind": "talks", "text": "on the phone"}}


def test_a_group_of_which_no_one_is_registered_is_told(
    browse: Callable[..., Browser], switch: Switch
) -> None:
    switch.users = {f"test00{number}@a.example": False for number in (2, 6, 7)}
    anna = browse()
    for path in ("/groups", "/groups/1", "/groups/1/configuration"):
        assert NOBODY in anna.get(path).text, path
    switch.users["test006@a.example"] = True
    assert NOBODY not in anna.get("/groups").text
    switch.users = {}
    switch.aliases = {"test002"}
    assert NOBODY not in anna.get("/groups").text


def test_who_is_free_is_seen_beside_the_calls(
    browse: Callable[..., Browser], switch: Switch, example: Engine
) -> None:
    users.add_user(example, "bob", PASSWORD, domain="b.example")
    switch.users = {"ola@a.example": True, "ewa@a.example": True, "jan@b.example": True}
    switch.calls = {"ewa@a.example": ("outbound", "RINGING")}
    page = browse().get("/live").text
    assert 'free">registered, free</span>: 2' in page
    assert 'rings">is rung</span>: 1' in page
    assert HOSTILE not in page
    page = browse("bob").get("/live").text
    assert "jan" in page
    assert "ola" not in page


def test_whoever_has_one_domain_learns_of_no_other(
    browse: Callable[..., Browser], switch: Switch, example: Engine
) -> None:
    users.add_user(example, "bob", PASSWORD, domain="b.example")
    add_group(example, "theirs", domain="b.example")
    add_member(example, "theirs", "ola@a.example", domain="b.example")
    switch.users = {"ola@a.example": True, "jan@b.example": True}
    page = browse("bob").get("/groups/2/configuration").text
    assert '<option value="jan">' in page
    assert 'id="presence-0"></span>' in page
    assert page.count("ola") == page.count("ola@a.example")


@pytest.mark.parametrize("registered", [True, False])
def test_no_warning_tells_of_another_domains_phone(
    browse: Callable[..., Browser], switch: Switch, example: Engine, registered: bool
) -> None:
    users.add_user(example, "bob", PASSWORD, domain="b.example", role="viewer")
    add_group(example, "theirs", domain="b.example")
    add_member(example, "theirs", "ola@a.example", domain="b.example")
    switch.users = {"ola@a.example": registered, "jan@b.example": True}
    bob = browse("bob")
    told = "of b.example is registered"
    for path in ("/groups", "/groups/2", "/groups/2/configuration"):
        assert told not in bob.get(path).text, path
    form = {"row": ["7", "8"], "user-7": "ola@a.example", "user-8": "alias@a.example"}
    drawn = bob.post("/groups/2/timeline", **filled(form))
    assert told not in drawn.json["html"]
    assert {one["kind"] for one in drawn.json["states"].values()} == {"untold"}
    assert not switch.asked_of("alias")


def test_a_switch_that_is_gone_holds_no_page_up(
    browse: Callable[..., Browser], switch: Switch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switches, "PATIENCE", 0.5)
    switch.users = {"ola@a.example": True}
    anna = browse()
    assert "free</span>: 1" in anna.get("/live").text
    switch.close()
    page = anna.get("/live").text
    assert "does not answer; this is what it said at" in page
    assert "free</span>: 1" in page
    monkeypatch.setattr(switches, "KEPT", -1.0)
    page = anna.get("/live").text
    assert "free</span>: 0" in page
    assert NOBODY not in anna.get("/groups").text


def test_a_switch_that_says_nothing_costs_a_page_half_a_second_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(switches, "PATIENCE", 0.2)
    monkeypatch.setattr(switches, "CONNECT_TIME", 0.5)
    with bind("127.0.0.1", 0) as silent:
        looks = Switches([SwitchAddress("127.0.0.1", silent.getsockname()[1], "x")])
        began = time.monotonic()
        picture = looks.picture()
        assert time.monotonic() - began < 2
        assert picture is not None
        assert [one.since for one in picture.silent] == [None]
        assert picture.state("anna", "") is State.UNTOLD
        while not looks._looks[0].failed:
            time.sleep(0.02)
        began = time.monotonic()
        looks.picture()
        assert time.monotonic() - began < 0.2
