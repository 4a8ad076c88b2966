"""``fsctl audit``: who changed what when."""

import time

import click

from fsctl.admin.audit import list_changes
from fsctl.admin.difference import told
from fsctl.cli import when
from fsctl.cli.context import Context, json_option, pass_context, settings_options
from fsctl.cli.output import write_json, write_table
from fsctl.store.audit import Entry


@click.command("audit")
@click.option("--group", metavar="NAME", help="Changes of the group that had this name then.")
@click.option(
    "--since", metavar="WHEN", help="Changes from then on, for example 2h, 10:42 or 2024-05-14."
)
@click.option(
    "--limit", metavar="COUNT", type=int, default=50, show_default=True, help="At most so many."
)
@json_option
@settings_options("domain")
@pass_context
def audit(
    context: Context, group: str | None, since: str | None, limit: int, as_json: bool
) -> None:
    """Show the newest changes of groups, the newest first: when, by whom, before and after."""
    entries = list_changes(
        context.engine(),
        domain=context.settings.domain,
        group=group,
        since=None if since is None else when.moment(since, time.time()),
        limit=limit,
    )
    if as_json:
        write_json([_document(entry) for entry in entries])
        return
    rows = [
        (when.local(entry.at / 1000), entry.actor, entry.action, _change(entry))
        for entry in entries
    ]
    write_table(("WHEN", "WHO", "WHAT", "CHANGE"), rows)


def _change(entry: Entry) -> str:
    first, *lines = told(entry.before, entry.after)
    return f"{first}: {'; '.join(lines)}" if lines else first


def _document(entry: Entry) -> dict[str, object]:
    return {
        "at": when.iso(entry.at / 1000),
        "actor": entry.actor,
        "action": entry.action,
        "domain": entry.domain,
        "before": entry.before,
        "after": entry.after,
    }
