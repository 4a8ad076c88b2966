"""``fsctl group``: hunt groups."""

import click

from fsctl.admin import groups
from fsctl.admin.advice import in_turn, never_rings, seconds, warnings_about
from fsctl.admin.kinds import Given
from fsctl.admin.terms import GROUP_TERMS, MEMBER_TERMS, told
from fsctl.cli.context import Context, json_option, pass_context, settings_options
from fsctl.cli.output import (
    group_document,
    write_change,
    write_json,
    write_table,
    write_warnings,
)
from fsctl.cli.terms import term_options
from fsctl.hunt.group import Group, Member, is_external


@click.group("group", no_args_is_help=False)
def group() -> None:
    """Add, change and show hunt groups. Case does not tell their names apart."""


@group.command("add")
@click.argument("name")
@term_options(GROUP_TERMS, adding=True)
@settings_options("domain")
@pass_context
def add(context: Context, /, name: str, **given: Given | None) -> None:
    """Add the group NAME."""
    write_change(groups.add_group(context.engine(), name, domain=context.settings.domain, **given))


@group.command("list")
@json_option
@settings_options("domain")
@pass_context
def list_(context: Context, as_json: bool) -> None:
    """List the groups, by name; with a domain only those of that domain."""
    domain = context.settings.domain
    found = [
        one for one in groups.list_groups(context.engine()) if not domain or one.domain == domain
    ]
    if as_json:
        write_json([group_document(one) for one in found])
        return
    rows = [
        (
            one.name,
            "enabled" if one.enabled else "disabled",
            seconds(one.wait),
            ", ".join(one.numbers) or "none",
            str(len(one.members)),
            one.description,
        )
        for one in found
    ]
    heads = ("NAME", "STATE", "WAIT", "NUMBERS", "MEMBERS", "DESCRIPTION")
    if not any(one.domain for one in found):
        write_table(heads, rows)
        return
    with_domains = [(one.domain, *row) for one, row in zip(found, rows, strict=True)]
    write_table(("DOMAIN", *heads), with_domains)


@group.command("show")
@click.argument("name")
@json_option
@settings_options("domain")
@pass_context
def show(context: Context, name: str, as_json: bool) -> None:
    """Show the group NAME, with its members in the order in which they ring."""
    found = groups.get_group(context.engine(), name, domain=context.settings.domain)
    if as_json:
        write_json(group_document(found))
        return
    facts = _facts(found)
    width = max(len("Description"), *(len(title) for title, _ in facts)) + 2
    for title, value in facts:
        click.echo(f"{title + ':':<{width}}{value}".rstrip())
    if found.members:
        click.echo()
        _write_members(found, bool(context.settings.external_dial))
    write_warnings(warnings_about(found))


@group.command("set")
@click.argument("name")
@click.option("--name", "new_name", metavar="NEW", help="Give the group a new name.")
@term_options(GROUP_TERMS, adding=False)
@settings_options("domain")
@pass_context
def set_(context: Context, /, name: str, new_name: str | None, **given: Given | None) -> None:
    """Change what is given of the group NAME."""
    engine, domain = context.engine(), context.settings.domain
    write_change(
        groups.set_group(engine, name, new_name=new_name, domain=domain, seen=None, **given)
    )


@group.command("holidays")
@click.argument("name")
@click.argument("year", type=int)
@click.option(
    "--country",
    metavar="COUNTRY",
    help="The country, or a part of it, for example PL or GB-ENG. Default: the setting region.",
)
@settings_options("domain", "region")
@pass_context
def holidays(context: Context, name: str, year: int, country: str | None) -> None:
    """Close the group NAME on the public holidays of YEAR, in a country or a part of it.

    Dates that the group has already stay as they are.
    """
    from fsctl.admin.holidays import close_on_holidays  # noqa: PLC0415 - a large library

    settings = context.settings
    where = country or settings.region
    write_change(close_on_holidays(context.engine(), name, year, where, domain=settings.domain))


@group.command("enable")
@click.argument("name")
@settings_options("domain")
@pass_context
def enable(context: Context, name: str) -> None:
    """Let calls to the group NAME ring its members."""
    write_change(groups.enable_group(context.engine(), name, domain=context.settings.domain))


@group.command("disable")
@click.argument("name")
@settings_options("domain")
@pass_context
def disable(context: Context, name: str) -> None:
    """Keep the group NAME, and let its calls ring nobody."""
    write_change(groups.disable_group(context.engine(), name, domain=context.settings.domain))


@group.command("remove")
@click.argument("name")
@settings_options("domain")
@pass_context
def remove(context: Context, name: str) -> None:
    """Remove the group NAME with its numbers and members, without asking."""
    write_change(groups.remove_group(context.engine(), name, domain=context.settings.domain))


def _facts(found: Group) -> list[tuple[str, str]]:
    facts = {
        term.name: (term.words.capitalize(), term.show(value))
        for term, value in told(GROUP_TERMS, found)
    }
    return [
        ("Name", found.name),
        *([("Domain", found.domain)] if found.domain else []),
        ("Description", found.description),
        ("State", "enabled" if found.enabled else "disabled"),
        *(fact for name, fact in facts.items() if name not in ("description", "enabled")),
        ("Numbers", ", ".join(found.numbers) or "none"),
    ]


def _write_members(found: Group, external: bool) -> None:
    """Write a row for each member, with a column for whatever is worth telling of any of them."""
    worth = {term.name for one in found.members for term, _ in told(MEMBER_TERMS, one)}
    terms = [term for term in MEMBER_TERMS.values() if term.name in worth and term.command]
    heads = ("MEMBER", *(term.words.upper() for term in terms), "STATE")
    rows = [
        (
            one.user,
            *(term.show(getattr(one, term.name)) for term in terms),
            _state(found, one, external),
        )
        for one in in_turn(found)
    ]
    write_table(heads, rows)


def _state(found: Group, member: Member, external: bool) -> str:
    if not member.enabled:
        return "disabled"
    if not member.signed_on:
        return "signed off"
    if is_external(member.user) and not external:
        return "not called: external_dial is not set"
    return "never rings" if never_rings(found, member) else "rings"
