"""With ``mask_numbers`` no page, file, stream or answer to a program tells who called."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from msgspec.structs import replace
from sqlalchemy import Engine

from fsctl.admin import users
from fsctl.settings import Settings
from fsctl.store.engine import writing
from fsctl.store.live import LiveHunt, LiveLeg, write_live
from fsctl.web.app import create_app
from fsctl.web.server import STREAM
from tests.records.samples import ANSWERED
from tests.web.conftest import PASSWORD, Clock
from tests.web.routes import Call, requests_of
from tests.web.test_calls_pages import write

NUMBER, NAME, USER = "+48601100042", "Jan Zolw", "secretuser"
SECRETS = (NUMBER, "0042", NAME, USER)
ARGUMENTS = {
    "group_id": "1",
    "call_id": "1",
    "entry_id": "1",
    "user_id": "1",
    "group": "sales",
    "domain": "",
    "user": "test001",
    "number": "0601",
    "label": "x",
    "form": "csv",
    "filename": "panel.css",
}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def masking(example: Engine, clock: Clock) -> Flask:
    """A panel that hides four digits, with a past call and one that hunts."""
    write(
        example,
        replace(ANSWERED, caller_number=NUMBER, caller_name=NAME, caller_user=USER),
        replace(ANSWERED, uuid="other", caller_number="+48601100043"),
        replace(ANSWERED, uuid="another", caller_number="+48601190042"),
    )
    now = clock()
    legs = (LiveLeg("test002", 0.0, None, "rings"),)
    hunt = LiveHunt("u1", "", "sales", "600", NUMBER, NAME, now - 5, 30.0, legs)
    with writing(example) as session:
        write_live(session, "pbx1", [], [hunt], round(now * 1000))
    return create_app(example, Settings(mask_numbers=4), clock)


def keeping(app: Any, streams: list[Iterator[bytes] | None]) -> Any:
    """Return an application that keeps what is to be streamed: the server would send it."""

    def answer(environ: dict[str, Any], start_response: Any) -> Any:
        body = app(environ, start_response)
        streams.append(environ.get(STREAM))
        return body

    return answer


def answers(app: Flask, engine: Engine) -> Iterator[tuple[Call, str]]:
    """Yield what an administrator is answered by every route that is read, streams too."""
    token = users.add_token(engine, "anna", "reader")
    browser = app.test_client()
    page = browser.get("/sign-in", headers={"Accept": "text/html"}).text
    csrf = page.partition('name="csrf" content="')[2].partition('"')[0]
    browser.post("/sign-in", data={"csrf": csrf, "name": "anna", "password": PASSWORD})
    streams: list[Iterator[bytes] | None] = []
    app.wsgi_app = keeping(app.wsgi_app, streams)  # type: ignore[method-assign]
    for call in requests_of(app, ARGUMENTS):
        if call.method != "GET":
            continue
        client = app.test_client() if call.is_api else browser
        headers = {"Accept": "text/html", "Authorization": f"Bearer {token}"}
        answer = client.get(call.path, headers=headers)
        assert answer.status_code in (200, 302), call
        stream = streams.pop()
        yield call, answer.text if stream is None else next(stream).decode()


def test_no_route_tells_who_called(masking: Flask, example: Engine) -> None:
    shown = set()
    for call, text in answers(masking, example):
        if call.endpoint != "static":
            assert not [secret for secret in SECRETS if secret in text], call
        if "+4860110****" in text:
            shown.add(call.endpoint)
    assert shown == {
        "api.call", "api.calls", "api.live",
        "calls.as_csv", "calls.call", "calls.calls", "live.events", "live.live",
    }  # fmt: skip


@pytest.mark.parametrize("asked", [NUMBER, "601100042", "+48601100099", "+4860110****"])
def test_hidden_digits_are_not_found_by_trying(masking: Flask, example: Engine, asked: str) -> None:
    token = users.add_token(example, "anna", "reader")
    headers = {"Authorization": f"Bearer {token}"}
    client = masking.test_client()
    found = client.get("/api/v1/calls", query_string={"caller": asked}, headers=headers).json
    assert [one["caller_number"] for one in found["calls"]] == ["+4860110****"] * 2
    counted = client.get("/api/v1/stats", query_string={"caller": asked}, headers=headers)
    assert json.loads(counted.text)["calls"] == 2
