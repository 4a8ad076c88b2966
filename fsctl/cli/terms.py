"""The options that set something of a group or a member, made from ``fsctl.admin.terms``."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from fsctl.admin.kinds import Switch
from fsctl.admin.terms import Term, Terms

F = TypeVar("F", bound=Callable[..., Any])


def term_options(terms: Terms, *, adding: bool) -> Callable[[F], F]:
    """Give a command an option for each term; the command takes them as ``**given``.

    One that is not typed is None; when ``adding``, it is the default where that can be typed.
    """

    def decorate(command: F) -> F:
        for term in reversed(list(terms.values())):
            if term.command:
                command = _option(term, adding)(command)
        return command

    return decorate


def _option(term: Term, adding: bool) -> Callable[[F], F]:
    flag = "--" + term.name.replace("_", "-")
    if isinstance(term.kind, Switch):
        default = term.default if adding else None
        return click.option(
            f"{flag}/--no-{flag[2:]}",
            term.name,
            default=default,
            show_default=adding,
            help=term.help,
        )
    default = term.write(term.default) if adding and not term.optional else None
    return click.option(
        flag,
        term.name,
        metavar=term.kind.metavar,
        default=default or None,
        show_default=adding,
        help=term.help,
    )
