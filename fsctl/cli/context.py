"""What every command is handed: the settings and the database.

Owns the settings' flags (made from ``fsctl.settings.SETTINGS``), and when settings are read and a
database is opened: by the first command that asks, not before.
"""

import os
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from fsctl.settings import SETTINGS, Settings
from fsctl.settings_reading import Loaded, load
from fsctl.settings_row import Setting

if TYPE_CHECKING:
    from sqlalchemy import Engine

F = TypeVar("F", bound=Callable[..., Any])


class Failure(click.ClickException):
    """A command cannot go on; the message is one line, ``code`` the exit code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def fail(message: str, code: int = 1) -> NoReturn:
    """End the command with ``Error: message`` on standard error, and this exit code."""
    raise Failure(message, code)


class Context:
    """The object that commands get with ``@pass_context``."""

    def __init__(self) -> None:
        self.flags: dict[str, str] = {}
        self.config: str | None = None

    @cached_property
    def loaded(self) -> Loaded:
        """The settings with their sources. Raises SettingsError."""
        return load(self.flags, os.environ, self.config)

    @property
    def settings(self) -> Settings:
        """The settings. Raises SettingsError."""
        return self.loaded.settings

    def engine(self) -> "Engine":
        """Return an engine of the database, which has the tables that this fsctl works with.

        Raises StoreError.
        """
        from fsctl.admin.allowed import allowing  # noqa: PLC0415 - help needs no database
        from fsctl.store.engine import make_engine  # noqa: PLC0415
        from fsctl.store.schema import check_schema  # noqa: PLC0415

        engine = make_engine(self.settings.database_url)
        check_schema(engine)
        settings = self.settings
        return allowing(engine, settings.allowed, external=bool(settings.external_dial))


pass_context = click.make_pass_decorator(Context, ensure=True)


def settings_options(*names: str) -> Callable[[F], F]:
    """Give a command the flags of these settings; without names, of all of them.

    The command takes no argument for them: their values are in ``Context.settings``.
    """
    chosen = [row for row in SETTINGS if not names or row.name in names]

    def decorate(command: F) -> F:
        for row in reversed(chosen):
            command = _option(row)(command)
        return command

    return decorate


def _option(row: Setting) -> Callable[[F], F]:
    def keep(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
        if value is not None:
            ctx.ensure_object(Context).flags[row.name] = value

    return click.option(
        row.flag,
        row.name,
        metavar=row.metavar,
        help=f"{row.description}  [env: {row.variable}; default: {row.default}]",
        expose_value=False,
        callback=keep,
    )


def json_option(command: F) -> F:
    """Give a command that shows something its ``--json``."""
    option = click.option("--json", "as_json", is_flag=True, help="Write JSON, for programs.")
    return option(command)
