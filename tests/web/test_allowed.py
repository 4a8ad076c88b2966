"""What the groups of a domain may use, as a browser and a program meet it."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine

from fsctl.admin import users
from fsctl.admin.groups import add_group, get_group
from fsctl.admin.versions import fingerprint
from fsctl.hunt.allowed import read_hosts
from fsctl.settings import Settings
from fsctl.web.app import create_app
from tests.web.conftest import PASSWORD, Browser, filled

URL = "http://169.254.169.254/latest/meta-data"
SAYS = "cannot use 169.254.169.254 here; the setting allowed_hosts says what is allowed"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def theirs(example: Engine) -> Engine:
    add_group(example, "theirs", domain="b.example")
    users.add_user(example, "bob", PASSWORD, domain="b.example", language="en")
    return example


def changed(engine: Engine) -> dict[str, Any]:
    """A form that changes the music of the group."""
    seen = fingerprint(get_group(engine, "theirs", domain="b.example"))
    return filled({"row": [], "music": URL, "seen": seen})


def bob_of(app: Flask) -> Browser:
    bob = Browser(app.test_client())
    bob.sign_in("bob")
    return bob


def test_a_domains_administrator_sets_no_other_host(theirs: Engine, app: Flask) -> None:
    bob = bob_of(app)
    answer = bob.post("/groups/2/configuration", **changed(theirs))
    assert answer.status_code == 409
    assert f"music {SAYS}" in answer.text
    file = f"version: 1\ngroups:\n- name: theirs\n  music: {URL}\n"
    for act in ("look", "import"):
        assert SAYS in bob.post("/import", carried=file, act=act).text
    headers = {"Authorization": f"Bearer {users.add_token(theirs, 'bob', 'x')}"}
    client = app.test_client()
    for method, path, body in (
        ("PATCH", "/api/v1/groups/2", {"music": URL}),
        ("PUT", "/api/v1/groups/2", {"name": "theirs", "music": URL}),
        ("POST", "/api/v1/groups", {"name": "other", "when_busy": f"play {URL}"}),
    ):
        refused = client.open(path, method=method, json=body, headers=headers)
        assert refused.status_code == 409
        assert SAYS in refused.json["error"]
    assert get_group(theirs, "theirs", domain="b.example").music is None


def test_the_installation_allows_it(theirs: Engine) -> None:
    app = create_app(theirs, Settings(allowed_hosts=read_hosts("b.example=169.254.169.254")))
    bob_of(app).post("/groups/2/configuration", **changed(theirs))
    assert get_group(theirs, "theirs", domain="b.example").music == URL
