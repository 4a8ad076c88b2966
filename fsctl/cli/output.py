"""What commands write: tables and lines for people, JSON for programs.

Owns the form of the output. The keys of the JSON are a promise to whoever reads them.
"""

from collections.abc import Sequence

import click
import orjson

from fsctl.admin.advice import in_turn, never_rings, warnings_about
from fsctl.admin.change import Change
from fsctl.admin.terms import GROUP_TERMS, MEMBER_TERMS, Terms
from fsctl.hunt.group import Group, Member


def write_json(value: object) -> None:
    """Write one JSON document, indented."""
    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2))


def write_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write aligned columns under their heads."""
    lines = [heads, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def write_warnings(warnings: Sequence[str]) -> None:
    """Write warnings to standard error, a line each."""
    for warning in warnings:
        click.echo(f"Warning: {warning}", err=True)


def write_change(change: Change) -> None:
    """Say what is now true."""
    click.echo(change.text)
    write_warnings(change.warnings)


def group_document(group: Group) -> dict[str, object]:
    """Return a group as JSON shows it; times are seconds."""
    return {
        "name": group.name,
        "domain": group.domain,
        **_settings(GROUP_TERMS, group),
        "numbers": list(group.numbers),
        "members": [
            {
                "user": member.user,
                **_settings(MEMBER_TERMS, member),
                "never_rings": never_rings(group, member),
            }
            for member in in_turn(group)
        ],
        "warnings": warnings_about(group),
    }


def _settings(terms: Terms, plain: Group | Member) -> dict[str, object]:
    return {name: getattr(plain, name) for name in terms}
