"""The options of a command that can write CSV."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from fsctl.admin.errors import WrongValue
from fsctl.admin.spreadsheet import SEPARATORS, Dialect

F = TypeVar("F", bound=Callable[..., Any])

_SEPARATOR = (
    "What separates the cells of CSV; with semicolons numbers have a decimal comma, as a "
    "spreadsheet with Polish settings expects. Default: comma."
)
_MARK = "Begin CSV with a byte order mark: without it Excel does not read it as UTF-8."


def csv_options(command: F) -> F:
    """Give a command --csv and how it is written."""
    text = "Write CSV, for spreadsheets."
    return click.option("--csv", "as_csv", is_flag=True, help=text)(dialect_options(command))


def dialect_options(command: F) -> F:
    """Give a command the options that say how CSV is written."""
    command = click.option("--bom", "mark", is_flag=True, help=_MARK)(command)
    choice = click.Choice(tuple(SEPARATORS))
    return click.option("--separator", type=choice, help=_SEPARATOR)(command)


def dialect(as_csv: bool, separator: str | None, mark: bool, *, as_json: bool = False) -> Dialect:
    """Return how CSV is to be written. Raises WrongValue when it is asked for in vain."""
    if as_json and as_csv:
        raise WrongValue("--json and --csv are two forms: give one of them")
    if not as_csv and (separator or mark):
        raise WrongValue("--separator and --bom say how CSV is written: give --csv as well")
    return Dialect.named(separator, mark=mark)
