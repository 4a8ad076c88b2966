"""Every route, asked by everybody about another tenant's objects, and about none at all.

Both are answered alike, to the letter, and nothing of the other tenant has changed afterwards.
"""

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import Engine, select
from werkzeug.test import TestResponse

from fsctl.admin import users
from fsctl.admin.groups import add_group
from fsctl.admin.members import add_member
from fsctl.admin.numbers import add_numbers
from fsctl.settings import Settings
from fsctl.store.call_tables import Call
from fsctl.store.engine import make_engine, reading, writing
from fsctl.store.live import LiveHunt, write_live
from fsctl.store.tables import AuditEntry, Base, HuntGroup
from fsctl.store.web_tables import WebUser
from fsctl.web.app import create_app
from tests.databases import make_tables
from tests.records.samples import call as past_call
from tests.web.conftest import PAGE, PASSWORD, Browser, Clock
from tests.web.routes import SEARCH, requests_of
from tests.web.routes import Call as Request
from tests.web.test_calls_pages import write

OWN, FOREIGN = "a.example", "b.example"
THEIRS = {
    "group": "Zforeign", "domain": FOREIGN, "user": "xforeign", "number": "0777",
    "label": "yforeign", "form": "csv", "filename": "panel.css",
}  # fmt: skip
NOBODYS = {
    "group": "Zmissing", "domain": "c.example", "user": "xmissing", "number": "0778",
    "label": "ymissing", "form": "csv", "filename": "panel.css",
}  # fmt: skip
IDS = ("group_id", "call_id", "entry_id", "user_id")
SECRETS = (
    "Foreign secrets", "foreign note", "foreignadmin", "+48225550177", "+48699700177",
    "Foreign Caller", "foreigncolleague", "sharedgroup", "sharedmember",
)  # fmt: skip
FOR_EVERYBODY = {
    "signin.sign_in", "signin.choose_language", "signin.sign_out", "signin.sign_out_everywhere",
    "signin.set_password", "members.timeline",
}  # fmt: skip
CHANGING = {"web_session", "group_revision", "live_call", "live_controller"}
"""Tables that requests change which change nothing."""
VARYING = r'(csrf|seen)" (content|value)="\w+"|[?&/=]\d+|"(id|at)":\d+|\d+ \w+ \d{4}, [\d:]+'
"""Secrets of a session, ids, and moments."""
ENDING = ("signin.sign_out", "signin.sign_out_everywhere")


@dataclass
class House:
    """A panel with two tenants, and the ids of their objects."""

    app: Flask
    engine: Engine
    own: Mapping[str, str]
    foreign: Mapping[str, str]
    shared: Mapping[str, str]
    nobodys: Mapping[str, str]


@pytest.fixture
def houses(tmp_path: Path, clock: Clock, compiled: FileSystemBytecodeCache) -> Callable[[], House]:
    """Make a house; all of them are alike."""

    def build() -> House:
        url = f"sqlite:///{tmp_path / secrets.token_hex(4)}.db"
        make_tables(url)
        engine = make_engine(url)
        app = create_app(engine, Settings(), clock)
        app.jinja_env.bytecode_cache = compiled
        return furnished(app, engine, round(clock() * 1000))

    return build


@pytest.fixture
def house(houses: Callable[[], House]) -> House:
    return houses()


def furnished(app: Flask, engine: Engine, now_ms: int) -> House:
    for domain, name, member in (
        (OWN, "ours", "ourmember"),
        (FOREIGN, THEIRS["group"], THEIRS["user"]),
        ("", "sharedgroup", "sharedmember"),
    ):
        description, note = ("", "") if domain == OWN else ("Foreign secrets", "foreign note")
        add_group(engine, name, domain=domain, description=description)
        add_member(engine, name, member, domain=domain, note=note)
        users.add_user(engine, f"admin@{domain or 'all'}", PASSWORD, domain=domain, language="en")
        users.add_user(
            engine,
            f"viewer@{domain or 'all'}",
            PASSWORD,
            domain=domain,
            language="en",
            role="viewer",
        )
    add_member(engine, THEIRS["group"], "foreigncolleague", domain=FOREIGN)
    add_numbers(engine, THEIRS["group"], ["0777", "+48225550177"], "PL", domain=FOREIGN)
    users.add_user(engine, "foreignadmin", PASSWORD, domain=FOREIGN)
    users.add_token(engine, "foreignadmin", THEIRS["label"])
    group = {"caller_number": "+48699700177", "caller_name": "Foreign Caller"}
    write(
        engine,
        past_call(1, domain=FOREIGN, group=THEIRS["group"], **group),
        past_call(2, domain="", group="sharedgroup", **group),
        past_call(3, domain=OWN, group="ours"),
    )
    hunt = LiveHunt(
        "u1",
        FOREIGN,
        THEIRS["group"],
        "0777",
        "+48699700177",
        "Foreign Caller",
        now_ms / 1000,
        30.0,
    )
    with writing(engine) as session:
        write_live(session, "pbx1", [], [hunt], now_ms)
    return House(
        app, engine,
        {**NOBODYS, **ids(engine, OWN, "admin@a.example"), "user": "ourmember"},
        THEIRS | ids(engine, FOREIGN, "foreignadmin"),
        THEIRS | ids(engine, "", "admin@all"),
        NOBODYS | dict.fromkeys(IDS, "987654321"),
    )  # fmt: skip


def ids(engine: Engine, domain: str, user: str) -> dict[str, str]:
    """Return the ids of what a domain has."""
    with reading(engine) as session:
        found = {
            "group_id": select(HuntGroup.id).where(HuntGroup.domain == domain),
            "call_id": select(Call.id).where(Call.domain == domain),
            "entry_id": select(AuditEntry.id).where(AuditEntry.domain == domain),
            "user_id": select(WebUser.id).where(WebUser.name == user),
        }
        return {name: str(session.scalars(one).all()[-1]) for name, one in found.items()}


def state(engine: Engine, *, but: str | None) -> dict[str, list[object]]:
    """Return what the database has of all tenants, or of all ``but`` one."""
    found: dict[str, list[object]] = {}
    with reading(engine) as session:
        own = set(session.scalars(select(HuntGroup.id).where(HuntGroup.domain == but)))
        for table in Base.metadata.sorted_tables:
            if table.name in CHANGING:
                continue
            rows = [row._asdict() for row in session.execute(select(table))]
            found[table.name] = [
                row for row in rows
                if (but is None or row.get("domain") != but) and row.get("group_id") not in own
            ]  # fmt: skip
    return found


@dataclass
class Actor:
    """Somebody who asks: a browser with the token of its pages, or a program."""

    client: FlaskClient
    csrf: str = ""
    token: str = ""

    def ask(self, call: Request) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else PAGE
        if call.is_api and call.method != "GET":
            body = {"data": call.body} if isinstance(call.body, str) else {"json": call.body}
            return self.client.open(call.path, method=call.method, headers=headers, **body)
        form = {"csrf": self.csrf, **call.form} if call.method == "POST" else None
        return self.client.open(call.path, method=call.method, data=form, headers=headers)


def browser(house: House, name: str = "") -> Actor:
    made = Browser(house.app.test_client())
    made.get("/sign-in")
    if name:
        assert made.sign_in(name).status_code == 200
    return Actor(made.client, made.csrf)


def program(house: House, name: str) -> Actor:
    """Return a program with a token of this user, which no cookie helps."""
    return Actor(house.app.test_client(), token=users.add_token(house.engine, name, "of a program"))


def asking(house: House, name: str, *, api: bool) -> Actor:
    return program(house, name) if api else browser(house, name)


def calls(
    house: House, named: Mapping[str, str], *, api: bool, query: Mapping[str, str] = SEARCH
) -> list[Request]:
    """Return every request of pages, or of programs; what removes comes last."""
    found = [one for one in requests_of(house.app, named, query) if one.is_api is api]
    return sorted(found, key=lambda one: "remove" in one.endpoint)


def alike(answer: TestResponse, call: Request) -> tuple[int, str, str]:
    """Return what must be the same of an answer, without what the request itself has said."""
    seen = [answer.headers.get("Location", ""), answer.get_data(as_text=True)]
    for one in range(2):
        for theirs, nobodys in zip(THEIRS.values(), NOBODYS.values(), strict=True):
            seen[one] = re.sub(
                f"{re.escape(theirs)}|{re.escape(nobodys)}", "~", seen[one], flags=re.I
            )
        seen[one] = re.sub(VARYING, "~", seen[one])
    return answer.status_code, seen[0], seen[1].replace(call.path, "~")


def rounds(house: House, *others: Mapping[str, str], api: bool) -> list[Request]:
    """Return requests that name objects of others, or of nobody; first those about an own group."""
    mixed = {**others[0], **{name: house.own[name] for name in IDS}}
    asked = [one for named in (mixed, *others) for one in calls(house, named, api=api)]
    return sorted(asked, key=lambda one: one.endpoint in ENDING)


def has_object(call: Request, named: Mapping[str, str]) -> bool:
    return any(re.search(rf"/{named[name]}(/|\?|$)", call.path) for name in IDS)


@pytest.mark.parametrize("role", ["viewer", "admin"])
@pytest.mark.parametrize("api", [False, True], ids=["pages", "programs"])
def test_another_tenants_objects_are_as_if_they_were_not(
    houses: Callable[[], House], role: str, api: bool
) -> None:
    here, there = houses(), houses()
    actor, other = (asking(house, f"{role}@{OWN}", api=api) for house in (here, there))
    before = state(here.engine, but=OWN)
    theirs = rounds(here, here.foreign, here.shared, api=api)
    nobodys = rounds(there, there.nobodys, there.nobodys, api=api)
    assert len(theirs) > 100
    for asked, missing in zip(theirs, nobodys, strict=True):
        if asked.endpoint != "static":
            answer = actor.ask(asked)
            assert alike(answer, asked) == alike(other.ask(missing), missing), asked
            body = answer.get_data(as_text=True)
            assert not [one for one in SECRETS if one in body], asked
            assert answer.status_code in (403, 404) or not has_object(missing, there.nobodys), asked
    assert state(here.engine, but=OWN) == before


def test_a_stranger_learns_nothing_by_asking(house: House) -> None:
    before = state(house.engine, but=None)
    for actor in (browser(house), Actor(house.app.test_client(), token="fsctl_" + "x" * 43)):
        for api in (False, True):
            for asked in calls(house, house.foreign, api=api):
                answer = actor.ask(asked)
                body = answer.get_data(as_text=True)
                assert not [one for one in SECRETS if one in body], asked
                if asked.endpoint not in ("static", "api.openapi", *FOR_EVERYBODY):
                    to_sign_in = answer.status_code == 302 and "/sign-in" in answer.location
                    assert to_sign_in or answer.status_code in (401, 403), asked
    assert state(house.engine, but=None) == before


@pytest.mark.parametrize("api", [False, True], ids=["pages", "programs"])
@pytest.mark.parametrize("who", [f"viewer@{OWN}", "viewer@all"])
def test_a_viewer_changes_nothing(house: House, who: str, api: bool) -> None:
    actor = asking(house, who, api=api)
    before = state(house.engine, but=None)
    for named in (house.own, house.foreign):
        for asked in calls(house, named, api=api):
            if asked.method != "GET" and asked.endpoint not in FOR_EVERYBODY:
                assert actor.ask(asked).status_code == 403, asked
    assert state(house.engine, but=None) == before


@pytest.mark.parametrize("who", ["viewer@all", "admin@all"])
def test_a_head_is_asked_for_and_changes_nothing(house: House, who: str) -> None:
    """Routes that show a page and take its form are asked with HEAD, which carries no token."""
    actor = browser(house, who)
    before = state(house.engine, but=None)
    asked_for = {one.path for one in calls(house, house.own, api=False, query={})}
    for path in sorted(asked_for - {"/live/events"}):
        answer = actor.client.head(path.rstrip("?"))
        assert answer.status_code in (200, 302, 403, 404, 405), path
        assert not answer.data, path
    assert state(house.engine, but=None) == before


def test_no_page_is_changed_without_its_token(house: House) -> None:
    """Even by an administrator who may: a foreign site sends their cookies along."""
    actor = browser(house, "admin@all")
    actor.csrf = "0" * 64
    before = state(house.engine, but=None)
    for asked in calls(house, house.foreign, api=False):
        if asked.method != "GET":
            assert actor.ask(asked).status_code == 403, asked
    assert state(house.engine, but=None) == before


@pytest.mark.parametrize("api", [False, True], ids=["pages", "programs"])
def test_a_tenants_administrator_manages_no_users(house: House, api: bool) -> None:
    actor = asking(house, f"admin@{OWN}", api=api)
    for asked in calls(house, house.foreign, api=api):
        if "users" in asked.endpoint:
            assert actor.ask(asked).status_code == 403, asked


@pytest.mark.parametrize("api", [False, True], ids=["pages", "programs"])
def test_an_administrator_of_all_sees_them(house: House, api: bool) -> None:
    """The objects of this file are there, and would be found if somebody else were let in."""
    actor = asking(house, "admin@all", api=api)
    shown = ""
    for asked in calls(house, house.foreign, api=api, query={}):
        if asked.method == "GET" and asked.endpoint not in ("live.events", "static"):
            answer = actor.ask(asked)
            assert answer.status_code in (200, 302), asked
            shown += answer.get_data(as_text=True)
    assert not [one for one in SECRETS if one not in shown]
