"""``fsctl audit``: who changed what when."""

import time
from operator import attrgetter

import click

from fsctl.admin.audit import lines_of, list_changes, list_user_changes, purge_changes
from fsctl.cli import when
from fsctl.cli.context import Context, fail, json_option, pass_context, settings_options
from fsctl.cli.output import write_json, write_table
from fsctl.store.audit import Entry


@click.group("audit", invoke_without_command=True, no_args_is_help=False)
@click.option("--group", metavar="NAME", help="Changes of the group that had this name then.")
@click.option("--user", metavar="NAME", help="Changes of the panel's user of this name.")
@click.option(
    "--since", metavar="WHEN", help="Changes from then on, for example 2h, 10:42 or 2024-05-14."
)
@click.option(
    "--limit", metavar="COUNT", type=int, default=50, show_default=True, help="At most so many."
)
@json_option
@settings_options("domain")
@click.pass_context
def audit(
    ctx: click.Context,
    group: str | None,
    user: str | None,
    since: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """Show the newest changes of groups and of the panel's users, the newest first.

    Each with when, by whom, before and after. With a domain those of its groups only.
    """
    if ctx.invoked_subcommand:
        return
    if group is not None and user is not None:
        fail("give --group or --user, not both", 2)
    context = ctx.ensure_object(Context)
    engine, domain = context.engine(), context.settings.domain
    moment = None if since is None else when.moment(since, time.time())
    entries: list[Entry] = []
    if user is None:
        entries += list_changes(engine, domain=domain, group=group, since=moment, limit=limit)
    if group is None and (user is not None or not domain):
        entries += list_user_changes(engine, user=user, since=moment, limit=limit)
    entries = sorted(entries, key=attrgetter("at"), reverse=True)[:limit]
    if as_json:
        write_json([_document(entry) for entry in entries])
        return
    rows = [
        (when.local(entry.at / 1000), entry.actor, entry.action, _change(entry))
        for entry in entries
    ]
    write_table(("WHEN", "WHO", "WHAT", "CHANGE"), rows)


@audit.command("purge")
@click.option(
    "--older-than",
    metavar="TIME",
    required=True,
    help="How long ago the changes were made, for example 730d or 52w.",
)
@pass_context
def purge(context: Context, older_than: str) -> None:
    """Remove old changes from the audit log, of all domains. Silent, for cron."""
    before = time.time() - when.duration(older_than)
    purge_changes(context.engine(), before)


def _change(entry: Entry) -> str:
    first, *lines = lines_of(entry)
    return f"{first}: {'; '.join(lines)}" if lines else first


def _document(entry: Entry) -> dict[str, object]:
    return {
        "at": when.iso(entry.at / 1000),
        "actor": entry.actor,
        "about": entry.about,
        "action": entry.action,
        "domain": entry.domain,
        "before": entry.before,
        "after": entry.after,
    }
