"""How past calls are written: as rows of a table, and as JSON.

Owns the form. The keys of the JSON are a promise to whoever reads them.
"""

from collections.abc import Iterable, Sequence

import click
import orjson

from fsctl.admin.spreadsheet import Dialect, write_rows
from fsctl.cli.call_story import leg_sentence, silence_sentence, verdict
from fsctl.cli.drawing import seconds
from fsctl.cli.when import iso, local
from fsctl.hunt.group import same_user
from fsctl.store.call_queries import StoredCall
from fsctl.store.call_records import CallRecord, group_of

MASK = 4
"""Digits that ``--mask`` hides when the settings hide none."""

HEADS = ("ID", "BEGAN", "GROUP", "NUMBER", "CALLER", "OUTCOME", "ANSWERED BY", "WAIT", "TALK")


def row(call: StoredCall, member: str | None) -> tuple[str, ...]:
    """Return a call as a row under ``HEADS``; with a member, what became of that one at the end."""
    record = call.record
    cells = (
        str(call.id),
        local(record.began),
        record.group or "-",
        record.number,
        caller(record),
        record.outcome,
        record.answered_by or "-",
        seconds(record.wait_seconds),
        "-" if record.talk_seconds is None else seconds(record.talk_seconds),
    )
    return cells if member is None else (*cells, _fate(call, member))


def caller(record: CallRecord) -> str:
    """Return a caller's number and name."""
    name = f'"{record.caller_name}"' if record.caller_name else ""
    return " ".join(part for part in (record.caller_number, name) if part) or "withheld"


def _fate(call: StoredCall, member: str) -> str:
    """Return what the call came to for one member."""
    legs = [one for one in call.record.attempts if same_user(one.member, member)]
    if legs:
        return legs[-1].outcome
    silent = next((user for user in call.not_rung if same_user(user, member)), None)
    return silence_sentence(silent, call.record).partition(": ")[2].rstrip(".") if silent else "-"


def document(call: StoredCall) -> dict[str, object]:
    """Return a call as JSON shows it; times within the call are seconds from its beginning."""
    record = call.record
    group = group_of(record.group_as_it_was)
    return {
        "id": call.id,
        "uuid": record.uuid,
        "began": iso(record.began),
        "ended": iso(record.ended),
        "domain": record.domain,
        "group": record.group,
        "number": record.number,
        "caller_number": record.caller_number,
        "caller_name": record.caller_name,
        "outcome": record.outcome,
        "cause": record.cause,
        "answered_by": record.answered_by,
        "wait_seconds": record.wait_seconds,
        "talk_seconds": record.talk_seconds,
        "summary": verdict(record),
        "controller": record.controller,
        "onward": record.onward,
        "line_seconds": record.line_seconds,
        "attempts": [
            {
                "member": attempt.member,
                "started": attempt.started,
                "ringing": attempt.ringing,
                "answered": attempt.answered,
                "connected": attempt.connected,
                "ended": attempt.ended,
                "outcome": attempt.outcome,
                "cause": attempt.cause,
                "sip_code": attempt.sip_code,
                "summary": leg_sentence(attempt, record),
            }
            for attempt in record.attempts
        ],
        "not_rung": [
            {"member": user, "summary": silence_sentence(user, record)} for user in call.not_rung
        ],
        "group_as_it_was": group,
    }


def write_json_lines(documents: Iterable[object]) -> None:
    """Write a JSON array, a document a line, each as it comes."""
    between = "["
    for one in documents:
        click.echo(between)
        click.echo(orjson.dumps(one), nl=False)
        between = ","
    click.echo("[]" if between == "[" else "\n]")


def write_csv(dialect: Dialect, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV file, as the rows come."""
    for piece in write_rows(dialect, heads, rows):
        click.echo(piece, nl=False)
