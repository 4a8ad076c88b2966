"""How much may be sent to the panel, by whom; before a form is taken apart."""

from __future__ import annotations

import io
import resource
import time
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import Engine

from fsctl.admin import users
from fsctl.web import sizes
from tests.web.conftest import PASSWORD, Browser

NewBrowser = Callable[[], Browser]
FORM = "application/x-www-form-urlencoded"
MANY = b"&".join(b"%d" % number for number in range(4_000_000))
"""What takes a form parser 20 seconds and 1.5 GiB."""
PARTS = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n'


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What differs between databases is tested elsewhere."""
    return sqlite_url


def peak() -> int:
    """Bytes of memory that this process had at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.mark.parametrize("path", ["/", "/sign-in", "/language", "/nothing", "/groups/1", "/import"])
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (FORM, MANY),
        (FORM, b"&" * sizes.STRANGERS_FIELDS),
        (FORM, b"name=" + b"a" * sizes.STRANGERS),
        ("multipart/form-data; boundary=x", PARTS * 200_000 + b"--x--"),
        ("multipart/form-data; boundary=x", PARTS * (sizes.STRANGERS_FIELDS + 1) + b"--x--"),
    ],
    ids=["fields, many MiB", "fields", "name", "parts, many MiB", "parts"],
)
def test_a_stranger_s_form_is_small(stranger: Browser, path: str, kind: str, body: bytes) -> None:
    before, began = peak(), time.process_time()
    answer = stranger.client.post(path, data=body, content_type=kind)
    assert answer.status_code == 413
    assert time.process_time() - began < 1
    assert peak() - before < 2 * len(MANY)


@pytest.mark.parametrize("body", [MANY, b"&" * sizes.USERS_FIELDS], ids=["many MiB", "fields"])
def test_a_user_s_form_is_bounded_too(anna: Browser, body: bytes) -> None:
    assert anna.client.post("/language", data=body, content_type=FORM).status_code == 413


def test_a_user_s_form_may_be_much_larger_than_a_stranger_s(anna: Browser) -> None:
    form = {f"field-{number}": "x" * 100 for number in range(sizes.USERS_FIELDS // 2)}
    assert anna.post("/language", language="pl", **form).status_code == 200


def test_an_administrator_imports_a_large_file_and_a_viewer_sends_none(
    anna: Browser, new_browser: NewBrowser, engine: Engine
) -> None:
    users.add_user(engine, "viewer", PASSWORD, role="viewer", language="en")
    viewer = new_browser()
    viewer.sign_in("viewer")
    file = b"# " + b"a" * (2 * sizes.USERS) + b"\nversion: 1\ngroups: []\n"

    def send(browser: Browser) -> int:
        sent = {"csrf": browser.csrf, "act": "show", "file": (io.BytesIO(file), "groups.yaml")}
        return browser.client.post("/import", data=sent).status_code

    anna.get("/import")
    assert send(anna) == 200
    assert send(viewer) == 413


def test_a_program_sends_little_without_a_token_and_json_of_some_depth(
    app: Flask, engine: Engine, example: Engine
) -> None:
    token = {"Authorization": f"Bearer {users.add_token(engine, 'anna', 'test')}"}
    client = app.test_client()

    def send(body: bytes, **headers: str) -> int:
        answer = client.post(
            "/api/v1/groups", data=body, headers=headers, content_type="application/json"
        )
        return answer.status_code

    assert send(b"[" * sizes.STRANGERS * 2) == 401  # it is not even read
    assert send(b"[" * 100_000, **token) == 400
    assert send(b'{"a":' * 100_000, **token) == 400
    assert send(b" " * (sizes.USERS + 1), **token) == 413
