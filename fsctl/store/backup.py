"""Backups of an SQLite database: taken while it is in use, private, and not too many.

Owns the files' names and which of them go. PostgreSQL has its own programs for this (pg_dump).
"""

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine

from fsctl.files import space_of, told
from fsctl.store.engine import describe, failures, one_line
from fsctl.store.errors import Unavailable

_STAMP = re.compile(r"\d{8}T\d{6}\.\d{6}Z")


def database_file(engine: Engine) -> Path | None:
    """Return the file that an SQLite database is; None for one in memory, and for PostgreSQL."""
    if engine.dialect.name != "sqlite":
        return None
    with failures(engine), engine.connect() as connection:
        name = connection.exec_driver_sql("PRAGMA database_list").first()
    return Path(name[2]) if name is not None and name[2] else None


def make_backup(engine: Engine, target: Path | None = None, *, keep: int | None = None) -> Path:
    """Copy the database as it is at this moment into a new file that only its owner may read.

    Without a ``target`` the copy stands beside the database and is named by the time; then only the
    ``keep`` newest of such copies stay. An existing file is never written to. Raises Unavailable,
    and then leaves no copy.
    """
    source = database_file(engine)
    if source is None:
        raise Unavailable(f"database {describe(engine)} is no file; PostgreSQL has: pg_dump")
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    place = target or source.with_name(f"{source.name}.backup-{stamp}")
    partial = place.with_name(f"{place.name}.partial")
    try:
        with _private_file(partial):
            _copy(engine, partial)
            os.link(partial, place)  # unlike a rename, it refuses to take another file's place
        if target is None and keep is not None:
            for old in rotated(source)[: -keep or None]:
                old.unlink(missing_ok=True)
    except OSError as error:
        raise Unavailable(f"cannot write the backup {told(error, place)}") from error
    except sqlite3.Error as error:
        space = space_of(place)
        room = f"; {space}" if space and space.full else ""
        raise Unavailable(f"cannot write the backup {place}: {one_line(error)}{room}") from error
    return place


def rotated(source: Path) -> list[Path]:
    """Return the copies that stand beside a database and are named by the time, oldest first."""
    prefix = f"{source.name}.backup-"
    return sorted(
        one
        for one in source.parent.iterdir()
        if one.name.startswith(prefix) and _STAMP.fullmatch(one.name.removeprefix(prefix))
    )


@contextmanager
def _private_file(path: Path) -> Iterator[None]:
    """Make an empty file that is nobody's yet and only ours to read; remove it at the end."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
    try:
        yield
    finally:
        path.unlink()


def _copy(engine: Engine, path: Path) -> None:
    """Fill the file with SQLite's online backup, in one step: one moment of the database."""
    with failures(engine), closing(engine.raw_connection()) as ours:
        assert isinstance(ours.driver_connection, sqlite3.Connection)  # noqa: S101
        with closing(sqlite3.connect(path)) as copy:
            ours.driver_connection.backup(copy)
            # A file on its own: nothing of the copy may wait in a log beside it.
            copy.execute("PRAGMA journal_mode = DELETE")
    with path.open("rb+") as written:
        os.fsync(written.fileno())
