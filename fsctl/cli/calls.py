"""``fsctl calls``: past calls, one by one."""

import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from fsctl.admin.call_file import COLUMNS, call_row
from fsctl.admin.errors import WrongValue
from fsctl.cli import call_output, csv_options
from fsctl.cli.call_story import drawing, leg_sentence, silence_sentence, verdict
from fsctl.cli.context import Context, fail, json_option, pass_context, settings_options
from fsctl.cli.drawing import seconds
from fsctl.cli.output import write_json, write_table
from fsctl.cli.when import duration, local, moment
from fsctl.store.call_queries import SHORTEST_PREFIX, CallFilter, StoredCall, find_calls, list_calls
from fsctl.store.call_records import CallOutcome
from fsctl.store.call_writing import purge_calls

F = TypeVar("F", bound=Callable[..., Any])

LISTED = 50
MOST_LISTED = 1_000_000_000

_OUTCOMES = {outcome.value.replace(" ", "-"): outcome for outcome in CallOutcome}


def period_options(command: F) -> F:
    """Give a command --since and --until."""
    since = "Only calls that began at this time or later: 2h (ago), 10:42, today, 2024-05-14 ..."
    until = "Only calls that began before this time; a day counts to its end."
    command = click.option("--until", metavar="TIME", help=until)(command)
    return click.option("--since", metavar="TIME", help=since)(command)


def mask_option(command: F) -> F:
    """Give a command that shows callers its --mask."""
    text = f"Hide callers' names and the last digits of their numbers: {call_output.MASK}, or what "
    return click.option("--mask", is_flag=True, help=f"{text}mask_numbers says.")(command)


def digits_hidden(context: Context, mask: bool) -> int:
    """Return how many digits of callers are hidden, with --mask or without."""
    return context.settings.mask_numbers or (call_output.MASK if mask else 0)


def period(since: str | None, until: str | None) -> tuple[float | None, float | None]:
    """Read --since and --until; return epoch seconds. Raises WrongValue."""
    now = time.time()
    begin = None if since is None else moment(since, now)
    end = None if until is None else moment(until, now, until=True)
    if begin is not None and end is not None and begin >= end:
        raise WrongValue(f"--since {since} is not before --until {until}: no call can be between")
    return begin, end


@click.group("calls", no_args_is_help=False)
def calls() -> None:
    """Show past calls, and remove their records."""


@calls.command("list")
@click.option("--group", metavar="NAME", help="Only calls to this group.")
@click.option("--member", metavar="USER", help="Only calls to groups of this user, rung or not.")
@click.option("--caller", metavar="NUMBER", help="Only calls from this number, however written.")
@click.option("--outcome", type=click.Choice(sorted(_OUTCOMES)), help="Only calls that ended so.")
@period_options
@click.option(
    "--limit",
    metavar="COUNT",
    type=click.IntRange(1, MOST_LISTED),
    default=LISTED,
    show_default=True,
    help="The latest so many.",
)
@mask_option
@json_option
@csv_options.csv_options
@settings_options("domain")
@pass_context
def list_(
    context: Context,
    *,
    group: str | None,
    member: str | None,
    caller: str | None,
    outcome: str | None,
    since: str | None,
    until: str | None,
    limit: int,
    mask: bool,
    as_json: bool,
    as_csv: bool,
    separator: str | None,
    mark: bool,
) -> None:
    """List past calls, the latest first."""
    dialect = csv_options.dialect(as_csv, separator, mark, as_json=as_json)
    begin, end = period(since, until)
    chosen = CallFilter(
        context.settings.domain or None,
        group,
        member,
        caller,
        _OUTCOMES[outcome] if outcome else None,
        begin,
        end,
        hidden=digits_hidden(context, mask),
    )
    found = list_calls(context.engine(), chosen, limit)
    if as_json:
        call_output.write_json_lines(map(call_output.document, found))
    elif as_csv:
        call_output.write_csv(dialect, COLUMNS, map(call_row, found))
    else:
        heads = call_output.HEADS if member is None else (*call_output.HEADS, member)
        write_table(heads, [call_output.row(call, member) for call in found])


@calls.command("show")
@click.argument("call_id", metavar="ID")
@mask_option
@json_option
@pass_context
def show(context: Context, call_id: str, mask: bool, as_json: bool) -> None:
    """Draw the call ID: its number in the list, or the beginning of its uuid.

    A caller who went on to another group has a record for each under the same uuid.
    """
    shown = find_calls(context.engine(), call_id, hidden=digits_hidden(context, mask))
    uuids = {call.record.uuid for call in shown}
    if not shown:
        short = f" (of a uuid write {SHORTEST_PREFIX} characters or more)"
        hint = short if len(call_id) < SHORTEST_PREFIX else ""
        fail(f"there is no call {call_id}{hint}; see: fsctl calls list")
    if len(uuids) > 1:
        fail(f"{len(uuids)} calls have a uuid that begins with {call_id}: write more of it")
    if as_json:
        write_json([call_output.document(call) for call in shown])
        return
    for place, call in enumerate(shown):
        if place:
            click.echo()
        _draw(call)


@calls.command("purge")
@click.option(
    "--older-than",
    metavar="TIME",
    required=True,
    help="How long ago the calls began, for example 90d, 12h or 4w.",
)
@pass_context
def purge(context: Context, older_than: str) -> None:
    """Remove the records of old calls, of all domains. Silent, for cron."""
    before = time.time() - duration(older_than)
    purge_calls(context.engine(), before)


def _draw(call: StoredCall) -> None:
    record = call.record
    for title, value in _facts(call):
        click.echo(f"{title + ':':<12}{value}".rstrip())
    click.echo()
    if record.attempts:
        for line in drawing(record):
            click.echo(line.rstrip())
        click.echo()
    for attempt in record.attempts:
        click.echo(leg_sentence(attempt, record))
    for user in call.not_rung:
        click.echo(silence_sentence(user, record))


def _facts(call: StoredCall) -> Sequence[tuple[str, str]]:
    record = call.record
    return [
        ("Call", f"{call.id}, {record.uuid}"),
        *([("Domain", record.domain)] if record.domain else []),
        ("Group", record.group or "none"),
        ("Number", record.number),
        ("Caller", call_output.caller(record)),
        ("Began", local(record.began)),
        ("Ended", local(record.ended)),
        ("Outcome", verdict(record) + (f" ({record.cause})" if record.cause else "")),
        *([("In line", seconds(record.line_seconds))] if record.line_seconds is not None else []),
        *([("Went on to", record.onward)] if record.onward else []),
        ("Controller", record.controller),
    ]
