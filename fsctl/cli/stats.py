"""``fsctl stats``: what many calls have in common."""

from collections.abc import Iterator

import click

from fsctl.cli import csv_options
from fsctl.cli.call_output import write_csv
from fsctl.cli.calls import period, period_options
from fsctl.cli.context import Context, json_option, pass_context, settings_options
from fsctl.cli.drawing import seconds
from fsctl.cli.output import write_json, write_table
from fsctl.store.call_queries import CallFilter
from fsctl.store.call_stats import CallStats, MemberStats, Waiting, call_stats

_MEMBER = ("offered", "answered", "missed", "elsewhere", "refused", "failed", "talk_seconds")


@click.command("stats")
@click.option("--group", metavar="NAME", help="Only calls to this group.")
@period_options
@json_option
@csv_options.csv_options
@settings_options("domain")
@pass_context
def stats(
    context: Context,
    *,
    group: str | None,
    since: str | None,
    until: str | None,
    as_json: bool,
    as_csv: bool,
    separator: str | None,
    mark: bool,
) -> None:
    """Show how many calls were answered, how long callers waited, who answered, and when.

    A member's offered calls are those answered, missed (nobody picked up, or the caller gave up),
    taken elsewhere, refused (busy or rejected) and failed (not reachable).
    """
    dialect = csv_options.dialect(as_csv, separator, mark, as_json=as_json)
    begin, end = period(since, until)
    chosen = CallFilter(context.settings.domain or None, group, since=begin, until=end, hidden=0)
    found = call_stats(context.engine(), chosen)
    if as_json:
        write_json(_document(found))
    elif as_csv:
        write_csv(dialect, ("of", "name", "measure", "value"), _measures(found))
    else:
        _show(found)


def _document(found: CallStats) -> dict[str, object]:
    return {
        "calls": found.calls,
        "hunted": found.hunted,
        "answered": found.answered,
        "answered_share": found.answered_share,
        "outcomes": found.outcomes,
        "waiting": found.waiting,
        "waiting_answered": found.waiting_answered,
        "in_line": found.in_line,
        "waiting_in_line": found.waiting_in_line,
        "talk_seconds": found.talk_seconds,
        "members": found.members,
        "hours": found.hours,
    }


def _measures(found: CallStats) -> Iterator[tuple[str, object, str, object]]:
    """Yield every number with what it measures."""
    for name in ("calls", "hunted", "answered", "answered_share", "in_line", "talk_seconds"):
        yield "all", "", name, getattr(found, name)
    for name in ("waiting", "waiting_answered", "waiting_in_line"):
        times: Waiting = getattr(found, name)
        yield "all", "", f"{name}_median", times.median
        yield "all", "", f"{name}_percentile_95", times.percentile_95
    for outcome, count in sorted(found.outcomes.items()):
        yield "outcome", outcome, "calls", count
    for member in found.members:
        for name in _MEMBER:
            yield "member", member.member, name, getattr(member, name)
    for hour in found.hours:
        yield "hour", hour.hour, "calls", hour.calls
        yield "hour", hour.hour, "answered", hour.answered


def _show(found: CallStats) -> None:
    lines = [
        ("Calls", f"{found.calls}, of which {found.calls - found.hunted} rang nobody"),
        ("Answered", f"{found.answered} ({_share(found.answered_share)} of those that rang)"),
        ("Waiting", _waiting(found.waiting)),
        ("  answered", _waiting(found.waiting_answered)),
        *([("In line", _in_line(found))] if found.in_line else []),
        ("Talk", _clock(found.talk_seconds)),
    ]
    for title, value in lines:
        click.echo(f"{title + ':':<12}{value}")
    if found.outcomes:
        click.echo()
        rows = sorted(found.outcomes.items(), key=lambda item: (-item[1], item[0]))
        write_table(("OUTCOME", "CALLS"), [(name, str(count)) for name, count in rows])
    if found.members:
        click.echo()
        write_table(
            ("MEMBER", *(name.removesuffix("_seconds").upper() for name in _MEMBER)),
            [_member(member) for member in found.members],
        )
    if found.hours:
        click.echo()
        write_table(
            ("HOUR", "CALLS", "ANSWERED"),
            [(f"{hour.hour:02}", str(hour.calls), str(hour.answered)) for hour in found.hours],
        )


def _member(member: MemberStats) -> tuple[str, ...]:
    counts = [str(getattr(member, name)) for name in _MEMBER[:-1]]
    return (member.member, *counts, _clock(member.talk_seconds))


def _share(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def _waiting(times: Waiting) -> str:
    if times.median is None or times.percentile_95 is None:
        return "-"
    return f"median {seconds(times.median)}, 95th percentile {seconds(times.percentile_95)}"


def _in_line(found: CallStats) -> str:
    return f"{found.in_line}, {_waiting(found.waiting_in_line)}"


def _clock(length: float) -> str:
    """Return a sum of durations as hours, minutes and seconds."""
    minutes, rest = divmod(round(length), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
