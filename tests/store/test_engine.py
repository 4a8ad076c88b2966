import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from fsctl.store.engine import describe, make_engine, reading, writing
from fsctl.store.errors import BadURL, SchemaError, Unavailable
from fsctl.store.schema import check_schema
from fsctl.store.tables import SCHEMA


def test_sqlite_is_told_how_to_behave(sqlite_url: str) -> None:
    engine = make_engine(sqlite_url)
    with reading(engine) as session:
        pragmas = {
            name: session.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "foreign_keys", "busy_timeout", "synchronous")
        }
    assert pragmas == {
        "journal_mode": "wal",
        "foreign_keys": 1,
        "busy_timeout": 5000,
        "synchronous": 1,
    }


def test_a_plain_postgresql_url_means_psycopg_3() -> None:
    for scheme in ("postgresql", "postgres", "postgresql+psycopg"):
        assert make_engine(f"{scheme}://u@h/d").url.drivername == "postgresql+psycopg"


def test_a_percent_sign_is_no_trouble(tmp_path: Path) -> None:
    url = make_engine("postgresql://u:a%25b%40c@h/d").url
    assert url.translate_connect_args()["password"] == "a%b@c"  # noqa: S105 - nobody's
    engine = make_engine(f"sqlite:///{tmp_path}/100%.db")
    with writing(engine) as session:
        session.execute(text("CREATE TABLE t (a INTEGER)"))
    assert (tmp_path / "100%.db").exists()


@pytest.mark.parametrize(
    "url", ["", "fsctl.db", "mysql://u@h/d", "postgresql+psycopg2://u@h/d", "postgresql://h:x/d"]
)
def test_a_url_that_cannot_be_used_is_refused_in_one_line(url: str) -> None:
    with pytest.raises(BadURL, match=r"^[^\n]*write [^\n]*$"):
        make_engine(url)


def test_a_password_is_never_shown() -> None:
    engine = make_engine("postgresql://u:hush@h/d?password=hush&sslpassword=hush")
    assert "hush" not in describe(engine)
    assert describe(engine).startswith("postgresql://u:***@h/d?")


def test_a_database_that_is_not_there_is_one_line() -> None:
    for url in ("sqlite:////nonexistent/fsctl.db", "postgresql://u:hush@127.0.0.1:1/d"):
        with pytest.raises(Unavailable) as raised, reading(make_engine(url)) as session:
            session.execute(text("SELECT 1"))
        assert "\n" not in str(raised.value)
        assert "hush" not in str(raised.value)


@pytest.mark.postgresql
def test_a_server_that_vanished_is_given_up_before_tcp_would(postgresql_url: str) -> None:
    for query, expected in (("", "20000"), ("?tcp_user_timeout=5000", "5000")):
        with make_engine(postgresql_url + query).connect() as connection:
            told = connection.connection.dbapi_connection.info.get_parameters()
            assert told["tcp_user_timeout"] == expected
            assert told["keepalives_idle"] == "10"


def test_a_file_that_is_no_database_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("not a database, but long enough to look like none\n" * 9)
    with pytest.raises(Unavailable, match=r"x\.db: file is not a database$"):
        check_schema(make_engine(f"sqlite:///{tmp_path}/x.db"))


def test_writing_is_whole_or_not_at_all(engine: Engine) -> None:
    insert = text(
        "INSERT INTO hunt_group (name, name_key, description, wait_ms, advance, enabled,"
        " created_at) VALUES (:name, :name, '', 30000, true, true, 1)"
    )

    def twice() -> None:
        with writing(engine) as session:
            session.execute(insert, {"name": "a"})
            session.execute(insert, {"name": "a"})

    with pytest.raises(IntegrityError):
        twice()
    with reading(engine) as session:
        assert session.scalar(text("SELECT count(*) FROM hunt_group")) == 0


def test_looking_for_a_missing_file_does_not_make_it(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"there is no database .*; run: fsctl db upgrade$"):
        check_schema(make_engine(f"sqlite:///{tmp_path}/fsctl.db"))
    assert list(tmp_path.iterdir()) == []


def test_a_database_without_tables_is_refused(database_url: str) -> None:
    with pytest.raises(SchemaError, match=r"run: fsctl db upgrade$"):
        check_schema(make_engine(database_url))


@pytest.mark.parametrize(
    ("version", "advice"), [("0000", "run: fsctl db upgrade"), ("9999", "install the newer fsctl")]
)
def test_another_schema_is_refused(engine: Engine, version: str, advice: str) -> None:
    check_schema(engine)
    with writing(engine) as session:
        session.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": version})
    with pytest.raises(SchemaError, match=f"{version}.*{SCHEMA}.*{advice}$"):
        check_schema(engine)


def test_who_will_write_in_sqlite_has_the_lock_before_reading(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/fsctl.db")
    other = sqlite3.connect(tmp_path / "fsctl.db", timeout=0, isolation_level=None)
    with writing(engine) as session:
        session.execute(text("SELECT 1"))
        with pytest.raises(sqlite3.OperationalError, match=r"^database is locked$"):
            other.execute("BEGIN IMMEDIATE")
    with reading(engine) as session:
        session.execute(text("SELECT 1"))
        other.execute("BEGIN IMMEDIATE")
    other.close()
