"""``fsctl db``: the database's tables, their history, backups, and an example to try.

Owns the exit codes of ``db upgrade``, which cron and systemd go by.
"""

from enum import StrEnum
from pathlib import Path

import click

from fsctl.admin.example import add_example
from fsctl.admin.values import parse_seconds
from fsctl.cli.context import Context, fail, json_option, pass_context, settings_options
from fsctl.cli.output import write_change, write_json, write_table
from fsctl.store import migrate
from fsctl.store.backup import make_backup
from fsctl.store.engine import describe, make_engine, missing_file
from fsctl.store.errors import Busy, NewerSchema

TRY_LATER = 75  # EX_TEMPFAIL in sysexits.h
NEWER = 3


class State(StrEnum):
    """How a database's tables stand to those that this fsctl needs."""

    UP_TO_DATE = "up to date"
    OLDER = "run: fsctl db upgrade"
    NEWER = "newer than this fsctl"


_CHECKED = {State.UP_TO_DATE: 0, State.OLDER: 1, State.NEWER: NEWER}


@click.group("db", no_args_is_help=False)
def db() -> None:
    """Make and look after the database's tables."""


@db.command("upgrade")
@click.option(
    "--wait",
    metavar="SECONDS",
    default=f"{migrate.WAIT_SECONDS:g}",
    show_default=True,
    help="How long to wait for others who upgrade, or write to the same SQLite file.",
)
@settings_options("backups")
@pass_context
def upgrade(context: Context, wait: str) -> None:
    """Make the tables, or bring them up to date; silent when there is nothing to do.

    Made for cron, on every node at once: one does the work. All of it is done or nothing. An SQLite
    database is copied first. Exit code 0: the tables are up to date; 75: somebody else held the
    database too long; 3: the tables are of a newer fsctl; 1: it failed.
    """
    url = context.settings.database_url
    try:
        done = migrate.upgrade(url, wait=parse_seconds(wait), backups=context.settings.backups)
    except Busy as error:
        fail(str(error), TRY_LATER)
    except NewerSchema as error:
        fail(str(error), NEWER)
    if done.applied:
        steps = ", ".join(done.applied)
        before = f"; as it was before: {done.backup}" if done.backup else ""
        place = describe(make_engine(url))
        click.echo(f"Database {place} is up to date; applied: {steps}{before}.")


@db.command("status")
@click.option(
    "--check",
    is_flag=True,
    help="Exit with 0 if up to date, 1 if an upgrade is needed, 3 if the tables are newer.",
)
@json_option
@pass_context
def status(context: Context, check: bool, as_json: bool) -> None:
    """Show which tables the database has, and which this fsctl needs."""
    url = context.settings.database_url
    current, head = migrate.current(url), migrate.head()
    state = _state(current, head)
    place = describe(make_engine(url))
    if as_json:
        write_json(
            {
                "database": place,
                "revision": current,
                "head": head,
                "up_to_date": state is State.UP_TO_DATE,
                "newer": state is State.NEWER,
            }
        )
    else:
        write_table(
            ("DATABASE", "REVISION", "NEEDED", "STATE"), [(place, current or "none", head, state)]
        )
    if check:
        click.get_current_context().exit(_CHECKED[state])


def _state(current: str | None, head: str) -> State:
    if current == head:
        return State.UP_TO_DATE
    # Revisions are numbered in order.
    return State.OLDER if current is None or current < head else State.NEWER


@db.command("history")
@json_option
@pass_context
def history(context: Context, as_json: bool) -> None:
    """Show every step of the tables' history, and which of them the database has taken."""
    steps = migrate.history(context.settings.database_url)
    if as_json:
        write_json(
            [
                {"revision": one.revision, "description": one.description, "applied": one.applied}
                for one in steps
            ]
        )
        return
    rows = [(one.revision, "yes" if one.applied else "no", one.description) for one in steps]
    write_table(("REVISION", "APPLIED", "DESCRIPTION"), rows)


@db.command("backup")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@settings_options("backups")
@pass_context
def backup(context: Context, file: Path | None) -> None:
    """Copy an SQLite database to FILE while it is in use; only its owner may read the copy.

    Without FILE the copy stands beside the database, and the oldest such copies go when there are
    more than the setting "backups" says. PostgreSQL has pg_dump.
    """
    engine = make_engine(context.settings.database_url)
    if (missing := missing_file(engine)) is not None:
        fail(f"there is no database {missing} yet; run: fsctl db upgrade")
    keep = max(1, context.settings.backups)
    click.echo(f"Database copied to {make_backup(engine, file, keep=keep)}.")


@db.command("example")
@pass_context
def example(context: Context) -> None:
    """Add an example group to a database without groups; silent when there is any."""
    change = add_example(context.engine())
    if change is not None:
        write_change(change)
