"""Which tables a database has, told without Alembic: every command asks, few migrate."""

from sqlalchemy import Connection, Engine, inspect, text

from fsctl.store.engine import describe, failures, missing_file
from fsctl.store.errors import NewerSchema, SchemaError
from fsctl.store.tables import SCHEMA


def schema_version(engine: Engine) -> str | None:
    """Return the revision that the database is at; None before the first. Raises Unavailable."""
    if missing_file(engine) is not None:
        return None
    with failures(engine), engine.connect() as connection:
        return version_on(connection)


def version_on(connection: Connection) -> str | None:
    """Return the revision that this connection sees."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return version


def check_schema(engine: Engine) -> None:
    """Raise SchemaError, saying what to do, unless the tables are those of this fsctl."""
    if (missing := missing_file(engine)) is not None:
        raise SchemaError(f"there is no database {missing} yet; run: fsctl db upgrade")
    version = schema_version(engine)
    if version is None:
        raise SchemaError(f"database {describe(engine)} has no tables yet; run: fsctl db upgrade")
    # Revisions are numbered in order, so that an older program can tell a newer database.
    if version > SCHEMA:
        raise NewerSchema(newer_message(engine, version))
    if version < SCHEMA:
        raise SchemaError(
            f"database {describe(engine)} has the tables of revision {version}, this fsctl needs "
            f"{SCHEMA}; run: fsctl db upgrade"
        )


def newer_message(engine: Engine, version: str) -> str:
    """Say that a newer fsctl was here."""
    return (
        f"database {describe(engine)} has revision {version} of a newer fsctl, this one knows "
        f"{SCHEMA} and older; install the newer fsctl"
    )
