"""``fsctl user``: who may sign in to the panel."""

import sys
from collections.abc import Callable
from typing import TypeVar

import click

from fsctl.admin import users
from fsctl.admin.passwords import new_password
from fsctl.catalogs import LANGUAGES
from fsctl.cli.context import Context, fail, json_option, pass_context, settings_options
from fsctl.cli.output import write_json, write_table
from fsctl.store.web_tables import ROLES
from fsctl.store.web_users import User

F = TypeVar("F", bound=Callable[..., object])

ROLE_HELP = "What the user may do: change groups, or only look."
LANGUAGE_HELP = "The panel's language for this user; otherwise the browser's."
LONGEST_LINE = 4096


@click.group("user", no_args_is_help=False)
def user() -> None:
    """Add, change and remove the users of the panel. Case does not tell their names apart."""


def password_option(command: F) -> F:
    """Give a command its way to a password that is not typed: standard input."""
    option = click.option(
        "--password-stdin", is_flag=True, help="Read the password from standard input, as a line."
    )
    return option(command)


@user.command("add")
@click.argument("name")
@click.option(
    "--role", type=click.Choice(ROLES), default=ROLES[0], show_default=True, help=ROLE_HELP
)
@click.option("--language", type=click.Choice(LANGUAGES), help=LANGUAGE_HELP)
@password_option
@settings_options("domain")
@pass_context
def add(context: Context, name: str, role: str, language: str | None, password_stdin: bool) -> None:
    """Let NAME sign in to the panel; the password is asked for, twice.

    With a domain the user sees and changes the groups of that domain only.
    """
    engine = context.engine()
    users.user_name(name)
    found = users.add_user(
        engine,
        name,
        _new_password(password_stdin, name),
        role=role,
        domain=context.settings.domain,
        language=language or "",
    )
    click.echo(f'User "{found.name}" added: {_terms(found)}.')


@user.command("list")
@json_option
@pass_context
def list_(context: Context, as_json: bool) -> None:
    """List the users of the panel, by name."""
    found = users.list_users(context.engine())
    if as_json:
        keys = ("name", "role", "domain", "language")
        write_json([{key: getattr(one, key) for key in keys} for one in found])
        return
    rows = [(one.name, one.role, one.domain or "all", one.language or "-") for one in found]
    write_table(("NAME", "ROLE", "DOMAIN", "LANGUAGE"), rows)


@user.command("set")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), help=ROLE_HELP)
@click.option("--domain", metavar="DOMAIN", help='The only domain of the user; "" is every domain.')
@click.option("--language", type=click.Choice((*LANGUAGES, "")), metavar="CODE", help=LANGUAGE_HELP)
@pass_context
def set_(
    context: Context, name: str, role: str | None, domain: str | None, language: str | None
) -> None:
    """Change what is given of the user NAME; it is in force at once."""
    found = users.set_user(context.engine(), name, role=role, domain=domain, language=language)
    click.echo(f'User "{found.name}": {_terms(found)}.')


@user.command("password")
@click.argument("name")
@password_option
@pass_context
def password(context: Context, name: str, password_stdin: bool) -> None:
    """Give the user NAME a new password; their sessions and tokens end."""
    found = users.set_password(context.engine(), name, _new_password(password_stdin, name))
    click.echo(f'User "{found.name}" has a new password. Their sessions and tokens have ended.')


@user.command("sign-out")
@click.argument("name")
@pass_context
def sign_out(context: Context, name: str) -> None:
    """Sign the user NAME out of every browser."""
    ended = users.sign_out_user(context.engine(), name)
    click.echo(f'User "{name}" is signed out; sessions ended: {ended}.')


@user.command("token")
@click.argument("name")
@click.option("--label", default="api", show_default=True, help="What the token is known by.")
@click.option("--remove", is_flag=True, help="Take the token of this label back.")
@pass_context
def token(context: Context, name: str, label: str, remove: bool) -> None:
    """Write a new token with which a program is the user NAME. It is shown this once."""
    engine = context.engine()
    if remove:
        users.remove_token(engine, name, label)
        click.echo(f'The token "{label}" of user "{name}" lets nobody in any more.')
    else:
        click.echo(users.add_token(engine, name, label))


@user.command("remove")
@click.argument("name")
@pass_context
def remove(context: Context, name: str) -> None:
    """Remove the user NAME with their sessions and tokens, without asking."""
    found = users.remove_user(context.engine(), name)
    click.echo(f'User "{found.name}" removed.')


def _new_password(from_stdin: bool, name: str) -> str:
    """Ask for a password twice, or read it; never from an argument, which everybody sees."""
    if from_stdin:
        line = sys.stdin.readline(LONGEST_LINE)
        return new_password(line.rstrip("\r\n"), name)
    if not sys.stdin.isatty():
        fail("there is no terminal to ask for a password on: use --password-stdin", 2)
    text = click.prompt("Password", hide_input=True, err=True)
    new_password(text, name)
    if click.prompt("Once more", hide_input=True, err=True) != text:
        fail("the two passwords are not the same; nothing was changed", 2)
    return str(text)


def _terms(found: User) -> str:
    terms = [found.role, f"domain {found.domain}" if found.domain else "every domain"]
    if found.language:
        terms.append(f"language {found.language}")
    return ", ".join(terms)
