"""Whatever an administrator may store, everything that shows it can show it."""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import example as example_of
from hypothesis import strategies as st
from sqlalchemy import Engine

from fsctl.admin import users
from fsctl.admin.errors import AdminError
from fsctl.admin.groups import set_group
from fsctl.admin.kinds import Count, Kind, Seconds, Switch
from fsctl.admin.members import set_member
from fsctl.admin.terms import GROUP_TERMS, MEMBER_TERMS, Term, Terms
from fsctl.cli.main import root
from tests.fuzz.panel import VALUES
from tests.web.conftest import PAGE, Browser

PAGES = ("/groups", "/groups/1", "/groups/1/numbers", "/groups/1/configuration",
         "/groups/1/history", "/groups/1/remove", "/history", "/export.yaml", "/export.csv",
         "/api/v1/groups", "/api/v1/groups/1", "/api/v1/history",
         "/api/v1/export.yaml")  # fmt: skip
COMMANDS = (("group", "list"), ("group", "show", "sales"), ("simulate", "sales"), ("audit",),
            ("dialplan",), ("export",), ("export", "--csv"))  # fmt: skip
TEXTS = [value for value in VALUES if isinstance(value, str) and "\ud800" not in value]
OFTEN: dict[str, list[str]] = {
    "closed_until": ["1970-01-01", "9999-12-31 23:59", "9999-12-31", "2999-12-31 23:59",
                     "3000-01-01", "2026-10-25 2:30", "2027-03-28 2:30"],
    "time_zone": ["America/Los_Angeles", "Pacific/Kiritimati", "Pacific/Apia", "Etc/GMT+12",
                  "Antarctica/Troll", "Africa/Monrovia", "UTC"],
    "hours": ["mon-sun 0:00-24:00", "mon 23:59-0:00", "sun 22:00-6:00", "mon-fri 8:00-16:00"],
    "dates": ["0001-01-01", "9999-12-31", "9999-12-31 23:00-1:00", "2027-02-28",
              "0001-01-01 0:00-1:00"],
    "ending": ["group sales", "voicemail test002", "play sorry.wav BUSY", "external +48587624731"],
    "recording": ["/var/{group}/{number}-{uuid}.wav"],
    "line_position": ["file_string://a.wav!digits/{position}.wav"],
    "alert_info": ["<http://example.com/%00>;info=alert-group"],
    "missed_mail": ["anna@example.org, b@example.org", '"a,b"@example.org', "ł@żółw.example"],
    "missed_when": ["busy, closed", "caller gave up"],
}  # fmt: skip


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Each value is kept on both databases elsewhere; here it is shown."""
    return sqlite_url


def values_of(term: Term) -> st.SearchStrategy[Any]:
    """What somebody may write for a setting: half of it may be right, and much is at an edge."""
    kind: Kind = term.kind
    fitting: st.SearchStrategy[Any] = st.sampled_from(OFTEN.get(term.name, TEXTS))
    if kind.choices:
        fitting = st.sampled_from(kind.choices)
    elif isinstance(kind, Switch):
        fitting = st.booleans()
    elif isinstance(kind, Count):
        fitting = st.sampled_from((kind.least, kind.most, kind.least + 1))
    elif isinstance(kind, Seconds):
        fitting = st.sampled_from((kind.least_ms, kind.most_ms, kind.least_ms + 1)).map(_seconds)
    return st.one_of(fitting, fitting, st.sampled_from(TEXTS), st.text(max_size=120))


def _seconds(ms: int) -> str:
    return f"{ms / 1000:.3f}"


def accepted(terms: Terms, given: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is refused at once."""

    def readable() -> Iterator[tuple[str, Any]]:
        for name, value in given.items():
            try:
                terms[name].read(value)
            except AdminError:
                continue
            yield name, value

    return dict(readable())


def settings_for(terms: Terms) -> st.SearchStrategy[dict[str, Any]]:
    """Some settings, with values."""
    return st.fixed_dictionaries(
        {}, optional={name: values_of(term) for name, term in terms.items()}
    )


class Shown:
    """Everything that shows a group."""

    def __init__(self, app: Flask, engine: Engine) -> None:
        self.engine = engine
        browser = Browser(app.test_client())
        browser.sign_in()
        self.anna = browser.client
        self.program: FlaskClient = app.test_client()
        token = users.add_token(engine, "anna", "x")
        self.program.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"

    def store(self, group: dict[str, Any], member: dict[str, Any]) -> None:
        """Set what is accepted; a conflict with what is there sets nothing."""
        with suppress(AdminError):
            set_group(self.engine, "sales", **accepted(GROUP_TERMS, group))
        with suppress(AdminError):
            set_member(self.engine, "sales", "test002", **accepted(MEMBER_TERMS, member))

    def look(self) -> None:
        """Look at everything."""
        for path in PAGES:
            client = self.program if path.startswith("/api/") else self.anna
            answer = client.get(path, headers=None if path.startswith("/api/") else PAGE)
            assert answer.status_code == 200, path
        group = self.program.get("/api/v1/groups/1").json
        assert group is not None
        for name in ("id", "warnings"):
            del group[name]
        again = self.program.put("/api/v1/groups/1", data=json.dumps(group),
                                 content_type="application/json")  # fmt: skip
        assert again.status_code == 200, again.text
        played = self.program.post("/api/v1/groups/1/simulation", json={})
        assert played.status_code == 200, played.text
        exported = self.anna.get("/export.yaml").text
        told = self.program.post("/api/v1/import?dry=1", data=exported)
        assert (told.status_code, told.json["changes"]) == (200, []), told.text
        for command in COMMANDS:
            result = CliRunner().invoke(root, command)
            assert result.exit_code in {0, 1}, (command, result.output, result.exception)
            assert result.exception is None or isinstance(result.exception, SystemExit), command


def test_no_stored_value_makes_its_own_page_unreadable(
    app: Flask, example: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FSCTL_DATABASE_URL", database_url)
    shown = Shown(app, example)

    @settings(
        max_examples=6, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(settings_for(GROUP_TERMS), settings_for(MEMBER_TERMS))
    @example_of({"closed_until": "9999-12-31 23:59", "time_zone": "America/Los_Angeles"}, {})
    @example_of({"dates": "9999-12-31 23:00-1:00, 0001-01-01", "hours": "sun 22:00-6:00"}, {})
    def check(group: dict[str, Any], member: dict[str, Any]) -> None:
        shown.store(group, member)
        shown.look()

    check()


@pytest.mark.parametrize("at", ["0001-01-01", "1969-12-31 23:59", "9999-12-31 23:59", "3000-01-01"])
def test_a_call_is_played_at_a_moment_that_every_clock_has(
    app: Flask, example: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    monkeypatch.setenv("FSCTL_DATABASE_URL", database_url)
    set_group(example, "sales", time_zone="America/Los_Angeles")
    refused = Shown(app, example).program.post("/api/v1/groups/1/simulation", json={"at": at})
    assert refused.status_code == 422
    assert "write a day" in refused.json["error"]
    told = CliRunner().invoke(root, ("simulate", "sales", "--at", at))
    assert told.exit_code == 2
    assert "write a day" in told.output


NAMES = ["a/b", "a//b", "/", "..", ".", "a?b=c&d", "#1", "%2F", "%", "a\\b", "'\"<b>", "{name}",
         "{{7*7}}", "group:x", "release", "none", "0", "+48123456789", "\u202eabc", "a,b;c", "~",
         "*", "\N{ZERO WIDTH JOINER}", "\U0001f600" * 16, "\ufb03" * 64, "e\u0301", "\u0130",
         "a  b", "=1+1", "sales "]  # fmt: skip


def test_whatever_a_group_is_called_it_can_be_shown_and_called_by_that(
    app: Flask, example: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FSCTL_DATABASE_URL", database_url)
    shown = Shown(app, example)
    taken = 0
    for name in NAMES:
        added = shown.program.post("/api/v1/groups", json={"name": name})
        assert added.status_code in {201, 422}, (name, added.text)
        if added.status_code == 422:
            continue
        taken += 1
        place = f"/groups/{added.json['id']}"
        for path in ("/configuration", "/history"):
            assert shown.anna.get(place + path, headers=PAGE).status_code == 200, name
        found = shown.program.get("/api/v1/groups", query_string={"search": added.json["name"]})
        assert found.json["total"] >= 1, name
        member = {"user": f"group:{name}", "delay": 1}
        assert shown.program.post("/api/v1/groups/1/members", json=member).status_code == 201, name
        inner = f"/api/v1/groups/1/members/{quote(added.json['name'].join(('group:', '')))}"
        assert shown.program.patch(inner, json={"delay": 2}).status_code == 200, name
        told = CliRunner().invoke(root, ("group", "show", name))
        assert told.exit_code == 0, (name, told.output)
    assert taken > 20
    shown.look()
    for group in shown.program.get("/api/v1/groups/1").json["members"][3:]:
        place = f"/api/v1/groups/1/members/{quote(group['user'])}"
        assert shown.program.delete(place).status_code == 204, group


def test_whatever_a_user_or_a_token_is_called_it_can_be_shown_and_taken_back(
    app: Flask, example: Engine
) -> None:
    shown = Shown(app, example)
    taken = 0
    for name in NAMES:
        sent = {"name": name, "password": "correct horse battery"}
        added = shown.program.post("/api/v1/users", json=sent)
        assert added.status_code in {201, 422}, (name, added.text)
        if added.status_code == 201:
            taken += 1
            assert shown.anna.get(f"/users/{added.json['id']}", headers=PAGE).status_code == 200
        place = "/api/v1/users/1/tokens"
        made = shown.program.post(place, json={"label": name})
        assert made.status_code in {201, 422}, (name, made.text)
        if made.status_code == 201:
            assert shown.anna.get("/users/1", headers=PAGE).status_code == 200
            assert shown.program.delete(f"{place}/{quote(name)}").status_code == 204, name
    assert taken > 20
    for path in ("/users", "/history", "/account"):
        assert shown.anna.get(path, headers=PAGE).status_code == 200
