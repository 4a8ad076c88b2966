from collections.abc import Callable

import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)
from sqlalchemy import Engine

from fsctl.admin import users
from fsctl.admin.audit import list_changes
from fsctl.admin.groups import get_group
from tests.records.samples import ANSWERED
from tests.web.conftest import PASSWORD
from tests.web.test_calls_pages import write

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    ignored_auth,
    unsupported_method,
]

Api = Callable[..., FlaskClient]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def api(app: Flask, example: Engine) -> Api:
    def client(name: str = "anna") -> FlaskClient:
        made = app.test_client()
        made.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {users.add_token(example, name, 'x')}"
        return made

    return client


def test_a_group_is_added_changed_and_removed(api: Api, example: Engine) -> None:
    client = api()
    body = {"name": "Biuro", "numbers": [601, "22 123 45 67"], "members": [{"user": "test002"}]}
    added = client.post("/api/v1/groups", json=body)
    assert (added.status_code, added.json["numbers"]) == (201, ["601", "+48221234567"])
    place = f"/api/v1/groups/{added.json['id']}"
    changed = client.put(place, json={"name": "Office", "wait": 12.5, "strategy": "top-down"})
    assert changed.status_code == 200
    group = get_group(example, "office")
    assert (group.wait, group.strategy, group.members) == (12.5, "top-down", ())
    assert client.get("/api/v1/groups?search=off").json["total"] == 1
    assert list_changes(example, limit=1)[0].actor == "anna"
    assert client.delete(place).status_code == 204
    assert client.get(place).status_code == 404
    last = client.get("/api/v1/history?limit=1").json["changes"][0]["id"]
    assert client.post(f"/api/v1/history/{last}/undo").json["name"] == "Office"


def test_what_cannot_be_is_told(api: Api) -> None:
    client = api()
    answers = {
        422: client.post("/api/v1/groups", json={"name": "x", "wait": "soon"}),
        409: client.post("/api/v1/groups", json={"name": "x", "numbers": ["600"]}),
        400: client.post("/api/v1/groups", data="{", content_type="application/json"),
        404: client.get("/api/v1/nothing"),
        405: client.post("/api/v1/calls"),
    }
    for code, answer in answers.items():
        assert answer.status_code == code
        assert "line 1" not in answer.json["error"]
    assert "is not a time" in answers[422].json["error"]
    assert client.get("/api/v1/groups/1").json["numbers"] == ["600", "+48587624731"]


def test_a_token_is_needed_and_a_cookie_is_none(app: Flask, anna: object, api: Api) -> None:
    stranger = app.test_client()
    assert stranger.get("/api/v1/groups").status_code == 401
    stranger.environ_base["HTTP_AUTHORIZATION"] = "Bearer fsctl_nothing"
    assert stranger.get("/api/v1/groups").status_code == 401
    assert anna.client.get("/api/v1/groups").status_code == 401  # type: ignore[attr-defined]
    assert stranger.get("/api/v1/openapi.json").status_code == 200


def test_roles_and_domains_hold(api: Api, example: Engine) -> None:
    users.add_user(example, "olga", PASSWORD, role="viewer")
    users.add_user(example, "bob", PASSWORD, domain="b.example")
    viewer, bob = api("olga"), api("bob")
    assert viewer.get("/api/v1/groups").json["total"] == 1
    changes = [
        viewer.delete("/api/v1/groups/1"),
        viewer.put("/api/v1/groups/1", json={"name": "x"}),
        viewer.post("/api/v1/groups", json={"name": "x"}),
        viewer.post("/api/v1/history/1/undo"),
    ]
    assert [answer.status_code for answer in changes] == [403] * 4
    assert bob.get("/api/v1/groups").json["total"] == 0
    assert bob.delete("/api/v1/groups/1").status_code == 404
    bob.post("/api/v1/groups", json={"name": "mine", "domain": "a.example"})
    assert get_group(example, "mine", domain="b.example").name == "mine"
    stolen = bob.put("/api/v1/groups/2", json={"name": "mine", "numbers": ["+48587624731"]})
    assert "another domain" in stolen.json["error"]
    assert "sales" not in stolen.text


def test_schemathesis_finds_no_fault(app: Flask, api: Api, example: Engine) -> None:
    write(example, ANSWERED)
    headers = {"Authorization": api().environ_base["HTTP_AUTHORIZATION"]}
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    walked = 0
    for result in schema.get_all_operations():
        operation = result.ok()

        @settings(
            max_examples=10, deadline=None, database=None, derandomize=True,
            phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        def walk(case: schemathesis.Case) -> None:
            case.call_and_validate(headers=headers, checks=CHECKS)

        schema_test = _given(operation, walk)
        schema_test()
        walked += 1
    assert walked == 11


def _given(operation: object, walk: Callable[..., None]) -> Callable[[], None]:
    from hypothesis import given

    return given(case=operation.as_strategy())(walk)  # type: ignore[attr-defined,no-any-return]
