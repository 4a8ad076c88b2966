from collections.abc import Callable
from contextlib import suppress

import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
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
from fsctl.admin.groups import get_group, set_group
from fsctl.web.openapi import document
from fsctl.web.openapi_answers import ANSWERS
from fsctl.web.throttle import MOST_ACCOUNT, WINDOW
from tests.records.samples import ANSWERED
from tests.web.conftest import PASSWORD
from tests.web.test_calls_pages import write

ALWAYS = [not_a_server_error, content_type_conformance, response_schema_conformance]
CHECKS = {
    GenerationMode.POSITIVE: [
        *ALWAYS, status_code_conformance, ignored_auth, unsupported_method,
    ],
    GenerationMode.NEGATIVE: ALWAYS,
}  # fmt: skip
EXAMPLES = {GenerationMode.POSITIVE: 10, GenerationMode.NEGATIVE: 2}

OPERATIONS = 34

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


def test_a_group_is_replaced_as_it_was_read(api: Api, example: Engine) -> None:
    client, place = api(), "/api/v1/groups/1"
    read = client.get(place)
    old = {"If-Match": read.headers["ETag"]}
    set_group(example, "sales", description="somebody else's")
    sent = {"name": "sales", "wait": 12}
    refused = client.put(place, json=sent, headers=old)
    assert (refused.status_code, "meanwhile" in refused.json["error"]) == (412, True)
    assert client.patch(place, json={"wait": 13}, headers=old).status_code == 412
    for wrong in ("W/" + read.headers["ETag"], '"x"', "x"):
        assert client.delete(place, headers={"If-Match": wrong}).status_code == 412
    assert get_group(example, "sales").description == "somebody else's"
    new = {"If-Match": client.get(place).headers["ETag"]}
    changed = client.put(place, json=sent, headers=new)
    assert (changed.status_code, changed.json["wait"]) == (200, 12)
    assert client.delete(place, headers={"If-Match": changed.headers["ETag"]}).status_code == 204


def test_parts_of_a_group_are_changed(api: Api, example: Engine) -> None:
    client = api()
    group = client.patch("/api/v1/groups/1", json={"wait": 12.5, "ring_time": None}).json
    assert (group["wait"], group["name"]) == (12.5, "sales")
    place = "/api/v1/groups/1/members"
    assert client.post(place, json={"user": "ola", "delay": 3}).status_code == 201
    assert client.patch(f"{place}/OLA", json={"enabled": False, "note": "ill"}).status_code == 200
    ola = get_group(example, "sales").members[-1]
    assert (ola.user, ola.delay, ola.enabled, ola.note) == ("ola", 3, False, "ill")
    assert client.delete(f"{place}/ola").status_code == 204
    assert client.delete(f"{place}/ola").status_code == 404
    assert client.patch(f"{place}/test002", json={"dealy": 1}).status_code == 422
    assert client.patch(f"{place}/test002", json={"delay": [1]}).status_code == 422
    numbers = client.post("/api/v1/groups/1/numbers", json={"numbers": ["22 123 45 67"]}).json
    assert "+48221234567" in numbers["numbers"]
    assert client.delete("/api/v1/groups/1/numbers/+48221234567").status_code == 204
    copied = client.post("/api/v1/groups/1/copy", json={"name": "Copy"})
    assert (copied.status_code, copied.json["numbers"]) == (201, [])
    closed = client.post("/api/v1/groups/1/holidays", json={"year": 2026})
    assert "2026-12-25" in closed.json["dates"]
    assert "2026-08-31" not in closed.json["dates"]
    sent = {"year": 2026, "country": "GB-ENG"}
    assert "2026-08-31" in client.post("/api/v1/groups/1/holidays", json=sent).json["dates"]


def test_a_call_is_played(api: Api) -> None:
    client, place = api(), "/api/v1/groups/1/simulation"
    sent = {"answers": {"test006": 7}, "offline": ["test007"]}
    played = client.post(place, json=sent).json
    assert (played["winner"], played["ended"], played["refused"]) == ("test006", 7.0, None)
    assert [leg["member"] for leg in played["legs"]] == ["test002", "test006"]
    assert played["legs"][0]["outcome"] == "cancelled"
    assert client.post(place, json={"busy": ["tset006"]}).status_code == 409
    client.patch("/api/v1/groups/1", json={"hours": "mon 8:00-9:00"})
    closed = client.post(place, json={"at": "2026-11-22 12:00"}).json
    assert closed["refused"] == "the group is closed"


def test_a_played_call_goes_through_groups_as_a_real_one_does(api: Api) -> None:
    client = api()
    for name, members in (("Inner", ["test020"]), ("After", ["test021"])):
        place = f"/api/v1/groups/{client.post('/api/v1/groups', json={'name': name}).json['id']}"
        for user in members:
            assert client.post(f"{place}/members", json={"user": user}).status_code == 201
    sent = {"user": "group:Inner", "delay": 1}
    assert client.post("/api/v1/groups/1/members", json=sent).status_code == 201
    client.patch("/api/v1/groups/1", json={"ending": "group After"})
    played = client.post("/api/v1/groups/1/simulation", json={"answers": {"test021": 31}}).json
    assert "test020" in [leg["member"] for leg in played["legs"]]
    assert (played["winner"], played["ending"]) == (None, "group After")
    assert [(one["group"], one["winner"]) for one in played["onward"]] == [("After", "test021")]


def test_a_program_gets_plain_csv_unless_it_asks(api: Api, example: Engine) -> None:
    client = api()
    plain = client.get("/api/v1/export.csv", headers={"Accept-Language": "pl"}).text
    assert plain.startswith('"group","')
    asked = client.get("/api/v1/export.csv?separator=semicolon&bom=1").text
    assert asked.startswith('\ufeff"group";"')
    for text in (plain, asked):
        told = client.post("/api/v1/import?dry=1", data=text.encode()).json
        assert told == {"changes": [], "warnings": [], "done": False}


def test_everything_is_exported_and_imported(api: Api, example: Engine) -> None:
    client = api()
    for form in ("yaml", "csv"):
        exported = client.get(f"/api/v1/export.{form}").text
        changed = exported.replace("test006", f"new-{form}")
        told = client.post("/api/v1/import?dry=1&keep=1", data=changed).json
        assert [one["change"] for one in told["changes"]] == ["changed"]
        assert f"new-{form}" not in str(get_group(example, "sales"))
        assert client.post("/api/v1/import", data=changed).json["done"] is True
        assert f"new-{form}" in str(get_group(example, "sales"))
        assert client.post("/api/v1/import", data=exported).status_code == 200
    assert client.post("/api/v1/import", data="version: 9").status_code == 422
    assert client.get("/api/v1/telephones").json == {"users": [], "silent": []}


def test_users_are_managed_by_whoever_may(api: Api, app: Flask) -> None:
    client = api()
    sent = {"name": "ewa", "password": PASSWORD, "role": "viewer"}
    made = client.post("/api/v1/users", json=sent)
    assert made.status_code == 201
    assert PASSWORD not in made.text
    place = f"/api/v1/users/{made.json['id']}"
    changed = client.patch(place, json={"role": "administrator", "domain": "b.example"})
    assert changed.json["domain"] == "b.example"
    token = client.post(f"{place}/tokens", json={"label": "one"}).json["token"]
    ewa = app.test_client()
    ewa.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    assert ewa.get("/api/v1/groups").status_code == 200
    for answer in (ewa.get("/api/v1/users"), ewa.delete("/api/v1/users/1"), ewa.get(place)):
        assert answer.status_code == 403
    assert client.get(f"{place}/tokens").json == {"tokens": ["one"]}
    assert client.delete(f"{place}/tokens/one").status_code == 204
    assert ewa.get("/api/v1/groups").status_code == 401
    assert client.put(f"{place}/password", json={"password": "short"}).status_code == 422
    assert client.put(f"{place}/password", json={"password": PASSWORD * 2}).status_code == 204
    assert client.delete(f"{place}/sessions").json == {"ended": 0}
    assert client.patch("/api/v1/users/1", json={"role": "viewer"}).status_code == 409
    assert client.delete("/api/v1/users/1").status_code == 409
    assert client.delete(place).status_code == 204
    assert client.get(place).status_code == 404


def test_a_token_does_not_change_its_own_password(api: Api, app: Flask, example: Engine) -> None:
    client = api()
    users.add_token(example, "anna", "other")
    place = "/api/v1/users/1/password"
    new = {"password": "another long password"}
    assert client.put(place, json=new).status_code == 422
    wrong = client.put(place, json={**new, "current_password": "wrong"})
    assert (wrong.status_code, wrong.json) == (
        403,
        {"error": "current_password is wrong"},
    )
    assert (
        client.put(place, json={"password": "1234567890", "current_password": PASSWORD}).status_code
        == 422
    )
    assert users.list_tokens(example, "anna") == ["other", "x"]
    assert client.put(place, json={**new, "current_password": PASSWORD}).status_code == 204
    assert client.get("/api/v1/groups").status_code == 401
    assert users.list_tokens(example, "anna") == []


def test_a_token_does_not_guess_its_users_password(api: Api) -> None:
    client, place = api(), "/api/v1/users/1/password"
    sent = {"password": "another long password", "current_password": "wrong"}
    codes = [client.put(place, json=sent).status_code for _ in range(MOST_ACCOUNT)]
    assert codes == [403] * MOST_ACCOUNT
    refused = client.put(place, json={**sent, "current_password": PASSWORD})
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= WINDOW


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


@pytest.mark.parametrize(
    "query",
    ["limit=0000000019999999", "limit=" + "9" * 20, "limit=0", "limit=-1", "limit=1e2", "limit=٣",
     "limit=", "limit=501"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["calls", "groups", "history"])
def test_a_limit_is_a_number_within_its_bounds(api: Api, path: str, query: str) -> None:
    answer = api().get(f"/api/v1/{path}?{query}")
    assert (answer.status_code, answer.json) == (422, {"error": "limit is 1 to 500"})


@pytest.mark.parametrize("first", ["9" * 30, "-1", "0000000019999999", "10000001"])
def test_a_place_in_the_list_is_within_its_bounds(api: Api, first: str) -> None:
    assert api().get(f"/api/v1/groups?first={first}").status_code == 422


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


@pytest.mark.parametrize("mode", CHECKS, ids=lambda mode: mode.value)
def test_schemathesis_finds_no_fault(
    app: Flask, api: Api, example: Engine, mode: GenerationMode
) -> None:
    write(example, ANSWERED)
    headers = {"Authorization": api().environ_base["HTTP_AUTHORIZATION"]}
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    walked = 0
    for result in schema.get_all_operations():
        operation = result.ok()

        @settings(
            max_examples=EXAMPLES[mode], deadline=None, database=None, derandomize=True,
            phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy(generation_mode=mode))
        def walk(case: schemathesis.Case) -> None:
            case.call_and_validate(headers=headers, checks=CHECKS[mode])

        with suppress(Unsatisfiable):  # nothing that could be wrong
            walk()
        walked += 1
    assert walked == OPERATIONS


def test_every_answer_is_described(app: Flask) -> None:
    described = document()
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            for code, found in operation["responses"].items():
                for kind, content in found.get("content", {}).items():
                    assert not kind.endswith("json") or content["schema"], (method, path, code)
    assert len(set(ANSWERS)) == len(ANSWERS) > 20
