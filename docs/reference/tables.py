"""Every table of the database, as SQLAlchemy's classes declare it."""

import inspect
from collections.abc import Iterator

from sqlalchemy import (
    Column,
    ForeignKeyConstraint,
    Table,
    UniqueConstraint,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import ColumnCollectionConstraint

from docs.reference import markdown
from docs.reference.markdown import code, plain
from fsctl.store import call_tables, mail_tables, web_tables
from fsctl.store.tables import SCHEMA, Base

INTRODUCTION = f"""\
The tables at revision {SCHEMA}, with the types that PostgreSQL has them in. Times (`_ms`) are whole
milliseconds since 1970-01-01 UTC, or of a leg since its hunt began; lengths of time are whole
milliseconds too. Reading them is safe at any time. Who writes to them past fsctl bypasses the audit
log ([The database](../database.md)).
"""

_MODULES = (call_tables, mail_tables, web_tables)  # their tables are of Base once they are imported


def every() -> list[tuple[Table, str]]:
    """Return every table with what its class says of it, by name."""
    found = []
    for mapper in Base.registry.mappers:
        table = mapper.local_table
        if not isinstance(table, Table):
            raise TypeError(f"{mapper.class_} is of no table")
        found.append((table, inspect.cleandoc(mapper.class_.__doc__ or "")))
    return sorted(found, key=lambda pair: pair[0].name)


def page() -> str:
    """Return the page of all tables."""
    return markdown.page("Tables", INTRODUCTION, *(section(*found) for found in every()))


def section(table: Table, said: str) -> str:
    """Return what is to be said of one table."""
    rows = [
        (
            code(column.name),
            code(_type(column)),
            "yes" if column.nullable else "no",
            _refers(column),
        )
        for column in table.columns
    ]
    parts = [
        f"## {table.name}",
        said.replace("``", "`"),
        markdown.table(("column", "type", "null", "refers to"), rows),
        "\n".join(f"- {line}" for line in _keys(table)),
    ]
    return "\n\n".join(parts)


def _type(column: "Column[object]") -> str:
    return column.type.compile(dialect=postgresql.dialect())  # type: ignore[no-untyped-call]


def _refers(column: "Column[object]") -> str:
    return ", ".join(sorted(code(key.target_fullname) for key in column.foreign_keys))


def _keys(table: Table) -> Iterator[str]:
    yield f"primary key: {_columns(table.primary_key)}"
    for constraint in sorted(table.constraints, key=lambda one: str(one.name)):
        if isinstance(constraint, UniqueConstraint):
            yield f"unique: {_columns(constraint)}"
        elif isinstance(constraint, ForeignKeyConstraint) and constraint.ondelete:
            told = plain(constraint.ondelete)
            yield f"when what {_columns(constraint)} refers to is deleted: {told}"
    for index in sorted(table.indexes, key=lambda one: str(one.name)):
        unique = "unique index" if index.unique else "index"
        yield f"{unique}: " + ", ".join(
            code(getattr(part, "name", "") or str(part)) for part in index.expressions
        )


def _columns(constraint: ColumnCollectionConstraint) -> str:
    return ", ".join(code(column.name) for column in constraint.columns)
