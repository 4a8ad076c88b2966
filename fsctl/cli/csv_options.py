"""The options of a command that can write CSV."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from fsctl.admin.errors import WrongValue
from fsctl.admin.spreadsheet import SEPARATORS, Dialect

F = TypeVar("F", bound=Callable[..., Any])

_SEPARATOR = (
    "The separator between CSV cells. With semicolon, numbers have a decimal comma, for "
    "spreadsheets with Polish settings. Default: comma."
)
_MARK = "Begin CSV with a byte order mark, which Excel needs to read UTF-8."


def csv_options(command: F) -> F:
    """Add --csv, --separator and --bom to a command."""
    text = "Write CSV, for spreadsheets."
    return click.option("--csv", "as_csv", is_flag=True, help=text)(dialect_options(command))


def dialect_options(command: F) -> F:
    """Add --separator and --bom to a command."""
    command = click.option("--bom", "mark", is_flag=True, help=_MARK)(command)
    choice = click.Choice(tuple(SEPARATORS))
    return click.option("--separator", type=choice, help=_SEPARATOR)(command)


def dialect(as_csv: bool, separator: str | None, mark: bool, *, as_json: bool = False) -> Dialect:
    """Return the format of the CSV. Raises WrongValue for options that do not go together."""
    if as_json and as_csv:
        raise WrongValue("--json and --csv are two forms: give one of them")
    if not as_csv and (separator or mark):
        raise WrongValue("--separator and --bom are for CSV: give --csv as well")
    return Dialect.named(separator, mark=mark)
