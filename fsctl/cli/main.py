"""``fsctl``: the table of commands, and how any of them ends.

Owns exit codes and the one line that an error is: 0 done, 1 refused or not possible now, 2 typed or
configured wrongly, 130 interrupted (``fsctl db`` has two more). A command's module is imported when
the command is used, so that changing a group does not load what carries calls.
"""

import contextlib
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from io import TextIOWrapper
from keyword import iskeyword
from typing import Any, NoReturn

import click

from fsctl import __version__
from fsctl.admin.errors import AdminError, WrongValue
from fsctl.cli.context import Context, Failure, pass_context, settings_options
from fsctl.files import NO_ROOM, standard_output, told
from fsctl.settings_reading import CONFIG_FLAG, CONFIG_VARIABLE, SettingsError
from fsctl.store.errors import BadURL, StoreError

PROGRAM = "fsctl"

COMMANDS = {
    "audit": "fsctl.cli.audit",
    "call": "fsctl.cli.call",
    "calls": "fsctl.cli.calls",
    "check": "fsctl.cli.check",
    "config": "fsctl.cli.config",
    "db": "fsctl.cli.db",
    "demo": "fsctl.cli.demo",
    "dialplan": "fsctl.cli.dialplan",
    "export": "fsctl.cli.transfer",
    "group": "fsctl.cli.group",
    "import": "fsctl.cli.transfer",
    "live": "fsctl.cli.live",
    "mail": "fsctl.cli.mail",
    "member": "fsctl.cli.member",
    "number": "fsctl.cli.number",
    "run": "fsctl.cli.run",
    "serve": "fsctl.cli.serve",
    "simulate": "fsctl.cli.simulate",
    "stats": "fsctl.cli.stats",
    "user": "fsctl.cli.user",
    "web": "fsctl.cli.web",
}
"""Each command is the object of its own name in its module; of ``import_``, since Python keeps the
other name for itself."""


class Root(click.Group):
    """The ``fsctl`` command."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return the commands whose module is installed."""
        return [name for name, module in COMMANDS.items() if find_spec(module)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in self.list_commands(ctx):
            return None
        name = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        command = getattr(import_module(COMMANDS[cmd_name]), name)
        assert isinstance(command, click.Command)  # noqa: S101 - our own table is wrong otherwise
        return command

    def main(self, args: Sequence[str] | None = None, *_: Any, **__: Any) -> Any:
        """Run, and exit with the code; a mistake is one line and never a traceback.

        Takes the place of click's own ending, which shows usage and knows none of our errors.
        """
        code = 0
        try:
            result = super().main(args, PROGRAM, standalone_mode=False)
            code = result if isinstance(result, int) else 0
        except Failure as error:
            code = _complain(error.message, error.code)
        except click.UsageError as error:
            hint = f"; see {error.ctx.command_path} --help" if error.ctx else ""
            code = _complain(error.format_message().rstrip(".") + hint, error.exit_code)
        except click.ClickException as error:
            code = _complain(error.format_message(), error.exit_code)
        except (WrongValue, SettingsError, BadURL) as error:
            code = _complain(str(error), 2)
        except (AdminError, StoreError) as error:
            code = _complain(str(error), 1)
        except OSError as error:
            # What has no name and no room is what we write to.
            nameless = error.filename is None and error.errno in NO_ROOM
            code = _complain(told(error, standard_output() if nameless else None), 1)
        except click.Abort:
            code = 130
        sys.exit(code)


def _complain(message: str, code: int) -> int:
    """Write an error as one line, whatever was typed into it."""
    line = " ".join(message.split())
    safe = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in line)
    with contextlib.suppress(OSError):
        click.echo(f"Error: {safe}", err=True)
    return code


@click.group(PROGRAM, cls=Root, no_args_is_help=False)
@click.version_option(__version__, prog_name=PROGRAM, message="%(prog)s %(version)s")
@click.option(
    CONFIG_FLAG,
    metavar="FILE",
    help=f"A TOML file of settings.  [env: {CONFIG_VARIABLE}; default: ./fsctl.toml, else "
    "/etc/fsctl/fsctl.toml]",
)
@settings_options()
@pass_context
def root(context: Context, config: str | None) -> None:
    """Hunt groups for FreeSWITCH: who rings when somebody calls a number.

    Every setting is taken from its flag, else from the environment, else from the TOML file, else
    it has its default; "fsctl config" shows what is in force.
    """
    context.config = config


def main() -> NoReturn:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        # A name in the database need not exist in the terminal's character set.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    root.main()
    raise AssertionError("click exits")
