"""The engine and its transactions.

Owns how a database URL becomes connections, how SQLite is told to behave, and how a database that
fails is reported in one line. Knows no table.

A program has one engine. ``reading`` and ``writing`` are the only ways to a session: each is one
transaction, which commits when the block ends and leaves nothing behind when it raises.
"""

import os
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    DisconnectionError,
    IntegrityError,
    NoSuchModuleError,
)
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from fsctl.files import make_private, space_of
from fsctl.store.errors import BadURL, Busy, NoRoom, Unavailable
from fsctl.store.url import ADVICE, PREPARE_THRESHOLD, public_url, read_server_url

BUSY_MS = 5_000
PREPARED_AFTER = 5
"""How many times a statement is carried out before the server prepares it: psycopg's own."""
# Options of libpq: without them a server that vanished from the network keeps whoever asked it
# waiting until TCP gives up, which is a quarter of an hour.
_POSTGRESQL = {
    "connect_timeout": 5,  # seconds, as the next three
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,  # milliseconds
}

_DRIVERS = {
    "sqlite": "sqlite+pysqlite",
    "sqlite+pysqlite": "sqlite+pysqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
_OF_THE_DISK = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
STILL = "Nothing was changed; calls continue with the groups that controllers have in memory"
_WRITING = "fsctl_writing"
_FILE = "fsctl_file"
_SHOWN = "fsctl_shown"

File = tuple[int, int] | None
"""A file's device and number; None for a database that is no file."""


def make_engine(url: str, *, migrating: bool = False, busy_ms: int = BUSY_MS) -> Engine:
    """Return the engine of a database URL; nothing connects yet.

    ``migrating`` is for the migrations alone: connections are not kept, and SQLite does not enforce
    foreign keys (rebuilding a table, which is how SQLite alters one, would empty those that refer
    to it). ``busy_ms`` is how long SQLite waits for another writer. Raises BadURL.
    """
    scheme, there, _ = url.partition("://")
    if not there or not re.fullmatch(r"[a-z0-9+]{1,30}", scheme):
        raise BadURL(f"the database URL is not valid: {ADVICE}")
    if scheme not in _DRIVERS:
        raise BadURL(f"fsctl keeps no data in {scheme}: write sqlite:///FILE or postgresql://...")
    options: dict[str, Any] = {
        "hide_parameters": True,
        "execution_options": {_SHOWN: public_url(url).replace(scheme, scheme.partition("+")[0], 1)},
    }
    if migrating:
        options["poolclass"] = NullPool
    try:
        if scheme.startswith("sqlite"):
            parsed = make_url(url).set(drivername=_DRIVERS[scheme])
        else:
            options["pool_pre_ping"] = not migrating
            parsed, options["connect_args"] = _server(url)
        engine = create_engine(parsed, **options)
    except ModuleNotFoundError:
        raise BadURL(
            "PostgreSQL needs the psycopg driver: pip install 'fsctl[postgresql]'"
        ) from None
    except (ArgumentError, NoSuchModuleError, ValueError, TypeError):
        raise BadURL(f"the database URL cannot be used: {ADVICE}") from None
    if engine.dialect.name == "postgresql" and f"{PREPARE_THRESHOLD}=" not in url:
        _prepare_where_it_lasts(engine)
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine, busy_ms, foreign_keys=not migrating)
        _keep_to_the_file(engine)
    return engine


def _server(url: str) -> tuple[URL, dict[str, Any]]:
    """Return a URL of PostgreSQL for SQLAlchemy, and what its driver is to be told beside it.

    Raises BadURL, or ModuleNotFoundError without the driver.
    """
    from psycopg.pq import Conninfo  # noqa: PLC0415 - PostgreSQL alone needs it

    try:
        parts = read_server_url(url)
    except ValueError as error:
        raise BadURL(str(error)) from None
    query = dict(parts.query)
    told: dict[str, Any] = {PREPARE_THRESHOLD: _prepare_threshold(query)}
    known = {option.keyword.decode() for option in Conninfo.get_defaults()}
    if query.keys() - known:  # not named: it may be a part of a password
        raise BadURL("the database URL has a parameter that PostgreSQL does not know")
    if parts.hosts:
        query["host"] = ",".join(host for host, _ in parts.hosts)
        query["port"] = ",".join(port or "5432" for _, port in parts.hosts)
    # Not in the URL, which SQLAlchemy shows with all parameters.
    told |= {**_POSTGRESQL, **query}
    name = parts.database or None
    return URL.create(_DRIVERS["postgresql"], parts.user, parts.password, database=name), told


def _prepare_where_it_lasts(engine: Engine) -> None:
    """Have the server prepare statements, unless a pooler is in between.

    A prepared statement belongs to one connection of the server. A pooler, such as PgBouncer, may
    give each transaction another one, where the statement is unknown or means something else. A
    pooler is known by the process that it announces, which is not the one that answers.
    """

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: object) -> None:
        connection.autocommit = True
        [answering] = connection.execute("SELECT pg_backend_pid()").fetchone()
        connection.autocommit = False
        if answering == connection.info.backend_pid:
            connection.prepare_threshold = PREPARED_AFTER


def _prepare_threshold(query: dict[str, str]) -> int | None:
    """Take out of a URL after how many times a statement is prepared; None is never."""
    text = query.pop(PREPARE_THRESHOLD, "none")
    if text == "none":
        return None
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise BadURL(f"{PREPARE_THRESHOLD} in the database URL is a number, or none")
    return int(text)


def _prepare_sqlite(engine: Engine, busy_ms: int, *, foreign_keys: bool) -> None:
    """Set SQLite's pragmas, and begin transactions ourselves.

    Python's driver begins a transaction late and never for DDL; SQLAlchemy's documentation of
    pysqlite says to turn that off and emit BEGIN. One that will write takes the lock at its
    beginning: one that has read first and then finds another writer fails without waiting.
    """

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {busy_ms}")
        _use_wal(cursor, busy_ms / 1000)
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        mode = "IMMEDIATE" if connection.get_execution_options().get(_WRITING) else "DEFERRED"
        connection.exec_driver_sql(f"BEGIN {mode}")


def _keep_to_the_file(engine: Engine) -> None:
    """Have connections notice that their file was moved away or replaced.

    SQLite itself goes on reading and writing the old file, and makes an empty one where none is;
    here it does so only for an engine that has never found one.
    """
    found: set[File] = set()

    @event.listens_for(engine, "do_connect")
    def before_connect(*_: object) -> None:
        missing = missing_file(engine)
        if found and missing:
            raise sqlite3.OperationalError("the file is gone")
        if missing:  # SQLite would make it readable to everybody; -wal and -shm follow it
            with suppress(OSError):
                make_private(missing)

    @event.listens_for(engine, "connect")
    def on_connect(_connection: object, record: Any) -> None:
        record.info[_FILE] = file_of(engine)
        found.add(record.info[_FILE])

    @event.listens_for(engine, "checkout")
    def on_checkout(_connection: object, record: Any, _proxy: object) -> None:
        if record.info[_FILE] != file_of(engine):
            raise DisconnectionError  # the pool makes a new connection then


def _use_wal(cursor: sqlite3.Cursor, patience: float) -> None:
    """Switch the file to write-ahead logging, once in its life.

    SQLite's own waiting does not cover this switch: of several programs that meet a new file the
    others are told at once that it is locked. So they look again, for ``patience`` seconds.
    """
    until = time.monotonic() + patience
    while True:
        try:
            mode = cursor.execute("PRAGMA journal_mode").fetchone()[0]
            if mode not in ("wal", "memory"):
                cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() >= until:
                raise
        time.sleep(0.01)


def for_writing(engine: Engine) -> Engine:
    """Return the same engine, with transactions that take SQLite's write lock when they begin."""
    return engine.execution_options(**{_WRITING: True})


@contextmanager
def reading(engine: Engine, *, at_one_moment: bool = False) -> Iterator[Session]:
    """One transaction that changes nothing. Raises Unavailable.

    ``at_one_moment``: all that it reads was true together, however many statements that takes. In
    SQLite it always was.
    """
    if at_one_moment and engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with failures(engine), Session(engine) as session:
        yield session


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """One transaction that may write: all of it or nothing.

    Raises Unavailable; lets IntegrityError through, since only the caller knows what it means.
    """
    with failures(engine), Session(for_writing(engine)) as session, session.begin():
        yield session


@contextmanager
def failures(engine: Engine) -> Iterator[None]:
    """Turn what a database throws into Unavailable, Busy or NoRoom, in one line."""
    try:
        yield
    except IntegrityError:
        raise
    except DBAPIError as error:
        room = _about_room(engine, error.orig)
        kind = NoRoom if room else Busy if _is_busy(error.orig) else Unavailable
        why = one_line(error.orig or error) + room
        raise kind(f"database {describe(engine)}: {why}") from error


def _is_busy(error: object) -> bool:
    """Whether a driver's error says that a lock was held too long."""
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", 0)
        return code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return getattr(error, "sqlstate", None) == "55P03"  # lock_not_available


def _about_room(engine: Engine, error: object) -> str:
    """Return what to say of the file system when a driver's error may come from a full one.

    SQLite calls most of what a full file system does to it "disk I/O error".
    """
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        place = engine.url.database
        if code not in _OF_THE_DISK or not place or place.startswith((":memory:", "file:")):
            return ""
        space = space_of(place)
        if space is None or not (space.full or code == sqlite3.SQLITE_FULL):
            return ""
        return f"; {space}: make room there. {STILL}"
    if getattr(error, "sqlstate", None) == "53100":  # disk_full
        return f"; make room on the server. {STILL}"
    return ""


def describe(engine: Engine) -> str:
    """Return the engine's URL as a person may see it: without the password."""
    shown: str = engine.get_execution_options()[_SHOWN]
    return shown


def missing_file(engine: Engine) -> str | None:
    """Return the SQLite file that should be there and is not; None otherwise."""
    name = engine.url.database
    if engine.dialect.name != "sqlite" or not name or name == ":memory:":
        return None
    if name.startswith("file:") or os.path.exists(name):
        return None
    return name


def file_of(engine: Engine) -> File:
    """Return which file an SQLite database is. Raises Unavailable when it is not there."""
    name = engine.url.database
    if engine.dialect.name != "sqlite" or not name or name.startswith((":memory:", "file:")):
        return None
    try:
        found = os.stat(name)
    except OSError as error:
        raise Unavailable(f"database {describe(engine)}: {error.strerror}") from None
    return found.st_dev, found.st_ino


def one_line(error: BaseException) -> str:
    """Return an error's own words on one line, without SQL or a link to a manual."""
    text = re.sub(r"\(Background on this error.*", "", str(error), flags=re.DOTALL)
    text = " ".join(text.split())
    return text if len(text) <= 300 else text[:300] + "..."
