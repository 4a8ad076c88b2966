"""``fsctl member``: the users who ring."""

import click

from fsctl.admin import members
from fsctl.admin.kinds import Given
from fsctl.admin.terms import MEMBER_TERMS
from fsctl.cli.context import Context, pass_context, settings_options
from fsctl.cli.output import write_change
from fsctl.cli.terms import term_options


@click.group("member", no_args_is_help=False)
def member() -> None:
    """Add, change and remove the members of a group."""


@member.command("add")
@click.argument("group")
@click.argument("user")
@term_options(MEMBER_TERMS, adding=True)
@settings_options("domain")
@pass_context
def add(context: Context, /, group: str, user: str, **given: Given | None) -> None:
    """Add USER to GROUP: a name in FreeSWITCH's directory, +48501234567, or group:NAME."""
    domain = context.settings.domain
    write_change(members.add_member(context.engine(), group, user, domain=domain, **given))


@member.command("set")
@click.argument("group")
@click.argument("user")
@term_options(MEMBER_TERMS, adding=False)
@settings_options("domain")
@pass_context
def set_(context: Context, /, group: str, user: str, **given: Given | None) -> None:
    """Change what is given of the member USER of GROUP."""
    domain = context.settings.domain
    write_change(members.set_member(context.engine(), group, user, domain=domain, **given))


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


@member.command("sign-on")
@click.argument("group")
@click.argument("user")
@settings_options("domain")
@pass_context
def sign_on(context: Context, group: str, user: str) -> None:
    """Let USER ring in GROUP who had signed off."""
    write_change(members.sign_on(context.engine(), group, user, domain=context.settings.domain))


@member.command("sign-off")
@click.argument("group")
@click.argument("user")
@settings_options("domain")
@pass_context
def sign_off(context: Context, group: str, user: str) -> None:
    """Keep USER in GROUP, without ringing until signed on again."""
    write_change(members.sign_off(context.engine(), group, user, domain=context.settings.domain))


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
