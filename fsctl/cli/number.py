"""``fsctl number``: the numbers that call a group."""

import click

from fsctl.admin import numbers
from fsctl.cli.context import Context, pass_context, settings_options
from fsctl.cli.output import write_change


@click.group("number", no_args_is_help=False)
def number() -> None:
    """Give numbers to a group and take them away.

    A public number may be written as it is dialled in your country (see the setting "region") or
    with its international prefix, for example +48 (0)58 762 47 31; an internal number is 1 to 8
    digits, * or #. A number that the country's numbering plan cannot have is refused. A number in
    a range that is not assigned is taken with a warning.
    """


@number.command("add")
@click.argument("group")
@click.argument("texts", metavar="NUMBER...", nargs=-1, required=True)
@settings_options("domain")
@pass_context
def add(context: Context, group: str, texts: tuple[str, ...]) -> None:
    """Let each NUMBER call GROUP; all of them or, if one cannot, none."""
    region = context.settings.region
    write_change(
        numbers.add_numbers(context.engine(), group, texts, region, domain=context.settings.domain)
    )


@number.command("remove")
@click.argument("group")
@click.argument("texts", metavar="NUMBER...", nargs=-1, required=True)
@settings_options("domain")
@pass_context
def remove(context: Context, group: str, texts: tuple[str, ...]) -> None:
    """Take each NUMBER from GROUP; all of them or, if one is not there, none."""
    region = context.settings.region
    write_change(
        numbers.remove_numbers(
            context.engine(), group, texts, region, domain=context.settings.domain
        )
    )
