"""The directory's source: few round trips, and a server that goes and comes back."""

from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from fsctl.admin.groups import add_group, set_group
from fsctl.admin.numbers import add_numbers
from fsctl.controller.source import database_source
from fsctl.store.engine import make_engine


@pytest.fixture
def sales(engine: Engine) -> Engine:
    add_group(engine, "sales")
    add_numbers(engine, "sales", ["600"], "PL")
    return engine


def test_it_reads_groups_and_what_changed(sales: Engine) -> None:
    source = database_source(sales)
    assert source.load_many is not None
    assert source.changed is not None
    group = source.load(("600",))
    assert group is not None
    assert source.load_many([("600",), ("601",)]) == {("600",): group, ("601",): None}
    before = source.revision()
    set_group(sales, "sales", wait=20)
    assert source.changed(before, source.revision()) == {"600", "group:/sales"}
    changed = source.load(("600",))
    assert changed is not None
    assert changed.wait == 20.0


def test_connections_are_kept(sales: Engine) -> None:
    source = database_source(sales)
    source.revision()
    opened: list[Any] = []
    taken: list[Any] = []
    event.listen(sales, "connect", lambda *_: opened.append(1))
    event.listen(sales.pool, "checkout", lambda *_: taken.append(1))
    for _ in range(5):
        source.revision()
        source.load(("600",))
    assert (opened, taken) == ([], [])


def backends(admin: Engine, name: str | None) -> list[tuple[str, str]]:
    statement = text("SELECT state, query FROM pg_stat_activity WHERE datname = :name")
    with admin.connect() as connection:
        return [(row[0], row[1]) for row in connection.execute(statement, {"name": name})]


@pytest.mark.postgresql
def test_a_look_is_one_statement_and_no_transaction(postgresql_url: str, tables: None) -> None:
    engine = make_engine(postgresql_url)
    admin = make_engine(postgresql_url.rsplit("/", 1)[0] + "/postgres")
    source = database_source(engine)
    source.revision()
    [(state, query)] = backends(admin, engine.url.database)
    assert state == "idle"
    assert query.startswith("SELECT group_revision.number")
    admin.dispose()


@pytest.mark.postgresql
def test_a_server_that_came_back_is_asked_again(postgresql_url: str, tables: None) -> None:
    engine = make_engine(postgresql_url)
    admin = make_engine(postgresql_url.rsplit("/", 1)[0] + "/postgres")
    source = database_source(engine)
    before = source.revision()
    kill = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")
    with admin.connect() as connection:
        connection.execute(kill, {"name": engine.url.database})
    assert source.revision() == before
    admin.dispose()
