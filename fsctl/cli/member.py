"""``fsctl member``: the users who ring."""

import click

from fsctl.admin import members
from fsctl.cli.context import Context, pass_context, settings_options
from fsctl.cli.output import write_change

DELAY_HELP = "Ring so long after the call's arrival: 0 to 3600, for example 6 or 0,5."


@click.group("member", no_args_is_help=False)
def member() -> None:
    """Add, change and remove the members of a group."""


@member.command("add")
@click.argument("group")
@click.argument("user")
@click.option("--delay", metavar="SECONDS", default="0", show_default=True, help=DELAY_HELP)
@settings_options("domain")
@pass_context
def add(context: Context, group: str, user: str, delay: str) -> None:
    """Add USER, a name in FreeSWITCH's directory, to GROUP."""
    write_change(
        members.add_member(
            context.engine(), group, user, delay=delay, domain=context.settings.domain
        )
    )


@member.command("set")
@click.argument("group")
@click.argument("user")
@click.option("--delay", metavar="SECONDS", help=DELAY_HELP)
@settings_options("domain")
@pass_context
def set_(context: Context, group: str, user: str, delay: str | None) -> None:
    """Change what is given of the member USER of GROUP."""
    write_change(
        members.set_member(
            context.engine(), group, user, delay=delay, domain=context.settings.domain
        )
    )


@member.command("remove")
@click.argument("group")
@click.argument("user")
@settings_options("domain")
@pass_context
def remove(context: Context, group: str, user: str) -> None:
    """Take USER from GROUP."""
    write_change(
        members.remove_member(context.engine(), group, user, domain=context.settings.domain)
    )


@member.command("enable")
@click.argument("group")
@click.argument("user")
@settings_options("domain")
@pass_context
def enable(context: Context, group: str, user: str) -> None:
    """Let USER ring in GROUP."""
    write_change(
        members.enable_member(context.engine(), group, user, domain=context.settings.domain)
    )


@member.command("disable")
@click.argument("group")
@click.argument("user")
@settings_options("domain")
@pass_context
def disable(context: Context, group: str, user: str) -> None:
    """Keep USER in GROUP, without ringing."""
    write_change(
        members.disable_member(context.engine(), group, user, domain=context.settings.domain)
    )
