"""The panel, asked without a network; each test on SQLite and PostgreSQL."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from fsctl.admin import passwords, users
from fsctl.admin.example import add_example
from fsctl.settings import Settings
from fsctl.web.app import create_app

PASSWORD = "correct horse battery"  # noqa: S105
PAGE = {"Accept": "text/html"}


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2 costs what it costs; here nobody guesses."""
    monkeypatch.setattr(
        passwords, "_hasher", passwords.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    )
    passwords._nobodys.cache_clear()


@dataclass
class Clock:
    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Browser:
    """Somebody's browser: it remembers cookies and sends the token of the last page."""

    client: FlaskClient
    csrf: str = ""
    page: str = ""
    where: str = field(default="")

    def get(self, path: str, **more: object) -> TestResponse:
        return self._seen(self.client.get(path, headers=PAGE, **more))  # type: ignore[arg-type]

    def post(self, path: str, follow: bool = True, **form: object) -> TestResponse:
        data = {"csrf": self.csrf, **form}
        answer = self.client.post(path, data=data, headers=PAGE)
        if follow and answer.status_code == 302:
            return self.get(answer.location)
        return self._seen(answer)

    def sign_in(self, name: str = "anna", password: str = PASSWORD) -> TestResponse:
        self.get("/sign-in")
        return self.post("/sign-in", name=name, password=password)

    def _seen(self, answer: TestResponse) -> TestResponse:
        self.page, self.where = answer.text, answer.request.path
        token = re.search(r'<meta name="csrf" content="(\w+)"', self.page)
        self.csrf = token[1] if token else self.csrf
        return answer


def filled(form: dict[str, Any]) -> dict[str, Any]:
    """A configuration form as a browser sends it: with every input, those not given by default."""
    sent = {"wait": "30", "strategy": "delayed", "ring_time": "", "rounds": "1"}
    sent |= {
        "pickup": "members",
        "caller_name": "{name}",
        "caller_number": "{number}",
        "announce_every": "30",
        "missed_when": "all",
        "line_wait": "300",
        "line_retry": "10",
        "line_every": "30",
    }
    for key in form["row"]:
        sent |= {f"delay-{key}": "0", f"ring_time-{key}": "", f"weight-{key}": "1"}
        sent |= {f"note-{key}": "", f"signed_on-{key}": "on"}
    return sent | form


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def example(engine: Engine) -> Engine:
    add_example(engine)
    users.add_user(engine, "anna", PASSWORD, language="en")
    return engine


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """What is compiled of the templates: each test has an app of its own, and all the same."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("compiled")))


@pytest.fixture
def app(example: Engine, clock: Clock, compiled: FileSystemBytecodeCache) -> Flask:
    made = create_app(example, Settings(), clock)
    made.jinja_env.bytecode_cache = compiled
    return made


@pytest.fixture
def new_browser(app: Flask) -> Callable[[], Browser]:
    return lambda: Browser(app.test_client())


@pytest.fixture
def stranger(new_browser: Callable[[], Browser]) -> Browser:
    return new_browser()


@pytest.fixture
def anna(new_browser: Callable[[], Browser]) -> Browser:
    """An administrator who is signed in."""
    browser = new_browser()
    assert browser.sign_in().status_code == 200
    return browser
