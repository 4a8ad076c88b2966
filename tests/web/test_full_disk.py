"""What the panel and its API say while the file system of the database is full."""

import sqlite3

import pytest
from flask import Flask
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

from fsctl.admin import users
from fsctl.admin.groups import get_group
from tests.web.conftest import Browser


class DiskFull(Exception):
    sqlstate = "53100"


@pytest.fixture
def full(example: Engine) -> Engine:
    """Have the database refuse every change of a group, as it does without room."""
    error: Exception = DiskFull("could not extend file")
    if example.dialect.name == "sqlite":
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL

    def refuse(_c: object, _r: object, statement: str, *_more: object) -> None:
        if statement.startswith(("UPDATE hunt_group", "UPDATE group_revision")):
            raise OperationalError(statement, {}, error)

    event.listen(example, "before_cursor_execute", refuse)
    return example


def test_the_panel_says_that_the_disk_is_full(full: Engine, anna: Browser) -> None:
    anna.get("/groups")
    answer = anna.post("/groups/1/enabled", enabled="0")
    assert answer.status_code == 503
    assert "disk is full, so nothing was changed. Calls go on as before." in anna.page
    assert get_group(full, "sales").enabled
    assert anna.get("/groups").status_code == 200


def test_programs_are_told_that_the_disk_is_full(full: Engine, app: Flask) -> None:
    token = users.add_token(full, "anna", "x")
    answer = app.test_client().patch(
        "/api/v1/groups/1", json={"wait": 9}, headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status_code == 503
    assert answer.json is not None
    assert "the database's disk is full" in str(answer.json)
    assert get_group(full, "sales").wait == 30
