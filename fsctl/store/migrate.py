"""Running the migrations, which live in the checkout's ``migrations`` directory.

Owns when and under which lock they run: one transaction for all of them, so that a failure leaves
the database as it was, and one at a time, however many are started. What a migration does is in
its own file; Alembic finds the order.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

import fsctl
from fsctl.store.backup import database_file, make_backup
from fsctl.store.engine import describe, failures, for_writing, make_engine, one_line
from fsctl.store.errors import Busy, NewerSchema, SchemaError, Unavailable
from fsctl.store.schema import newer_message, schema_version, version_on

WAIT_SECONDS = 60.0
"""How long to wait for others who migrate, or write to the same SQLite file."""
TABLE_SECONDS = 5
"""How long PostgreSQL waits for a table that is in use: everybody who comes after it waits too."""

_LOCK = 0x66736374  # "fsct", PostgreSQL's advisory lock of ours


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What an upgrade did: the revisions applied, in order, and the backup taken before."""

    applied: list[str] = field(default_factory=list)
    backup: Path | None = None


@dataclass(frozen=True, slots=True)
class Revision:
    """One step of the database's history; ``applied`` says whether this database has taken it."""

    revision: str
    description: str
    applied: bool


def script_location() -> Path:
    """Return the migrations' directory: in an installed package, beside it in a checkout."""
    package = Path(fsctl.__file__).parent
    installed = package / "migrations"
    return installed if (installed / "env.py").is_file() else package.parent / "migrations"


def configuration(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration, for its commands; there is no alembic.ini.

    With a connection, whoever made it ends its transaction.
    """
    config = Config()
    config.set_main_option("script_location", str(script_location()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    config.attributes["applied"] = []
    return config


def head() -> str:
    """Return the newest revision that this fsctl has."""
    revision = _scripts().get_current_head()
    if revision is None:
        raise SchemaError(f"there are no migrations in {script_location()}")
    return revision


def current(url: str) -> str | None:
    """Return the revision that the database is at; None before the first. Raises StoreError."""
    return schema_version(make_engine(url, migrating=True))


def history(url: str) -> list[Revision]:
    """Return every revision that this fsctl has, the oldest first. Raises StoreError."""
    version = current(url)
    steps = list(_scripts().walk_revisions())[::-1]
    # Revisions are numbered in order.
    return [
        Revision(
            step.revision,
            (step.doc or "").splitlines()[0].rstrip("."),
            version is not None and step.revision <= version,
        )
        for step in steps
    ]


def upgrade(
    url: str, *, to: str = "head", wait: float = WAIT_SECONDS, backups: int = 0
) -> Upgraded:
    """Bring the database up to a revision.

    Waits ``wait`` seconds at most for others. With ``backups``, an SQLite database that has tables
    is copied first, and so many such copies are kept. Raises StoreError (Busy after waiting,
    NewerSchema for a database of a newer fsctl); then nothing has changed.
    """
    target = head() if to == "head" else to
    engine = make_engine(url, migrating=True, busy_ms=round(wait * 1000))
    version = schema_version(engine)
    _refuse_unknown(engine, version)
    if version == target:
        return Upgraded()
    with _exclusive(engine, wait) as connection:
        # Somebody else may have done it while we waited.
        version = version_on(connection)
        if version == target:
            return Upgraded()
        backup = None
        if backups and version is not None and database_file(engine) is not None:
            backup = make_backup(engine, keep=backups)
        config = configuration(connection)
        command.upgrade(config, target)
        return Upgraded(config.attributes["applied"], backup)


def downgrade(url: str, revision: str) -> list[str]:
    """Take the database back to a revision (``base``: no tables); return those undone, in order."""
    engine = make_engine(url, migrating=True)
    with _exclusive(engine, WAIT_SECONDS) as connection:
        config = configuration(connection)
        command.downgrade(config, revision)
        undone: list[str] = config.attributes["applied"]
        return undone


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(configuration())


@contextmanager
def _exclusive(engine: Engine, wait: float) -> Iterator[Connection]:
    """One transaction, which nobody else migrates beside, on a database that is known here."""
    try:
        with failures(engine), for_writing(engine).begin() as connection:
            if engine.dialect.name == "postgresql":
                _lock_postgresql(connection, wait)
            _refuse_unknown(engine, version_on(connection))
            yield connection
            if engine.dialect.name == "sqlite":
                _check_foreign_keys(connection)
    except Busy as error:
        raise Busy(f"{error}; nothing was changed, try again later") from error
    except (CommandError, IntegrityError) as error:
        raise Unavailable(f"database {describe(engine)}: {one_line(error)}") from error


def _refuse_unknown(engine: Engine, version: str | None) -> None:
    known = {script.revision for script in _scripts().walk_revisions()}
    if version is not None and version not in known:
        raise NewerSchema(newer_message(engine, version))


def _lock_postgresql(connection: Connection, wait: float) -> None:
    """Take the lock that every migration takes; afterwards wait for no table for long."""
    patience = max(1, round(wait * 1000))  # 0 would be for ever
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{patience}ms'")
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{TABLE_SECONDS}s'")


def _check_foreign_keys(connection: Connection) -> None:
    """Refuse to commit rows that refer to nothing: SQLite was not looking meanwhile."""
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise SchemaError(f"the migration left table {broken[0]} referring to missing rows")
