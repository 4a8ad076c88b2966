"""``fsctl run``: ``serve`` and ``web`` together, each a process of its own."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import click

from fsctl.cli.context import Context, fail, pass_context
from fsctl.cli.parent import VARIABLE, lifeline
from fsctl.settings import SETTINGS
from fsctl.settings_reading import CONFIG_VARIABLE

PARTS = ("serve", "web")


@click.command("run")
@pass_context
def run(context: Context) -> None:
    """Run "fsctl serve" and "fsctl web", until Ctrl-C or SIGTERM ends both.

    When one of them ends by itself, so does the other; when this process is killed, both end. Where
    they should be started, watched and stopped apart, run each as a service of its own.
    """
    context.engine().dispose()  # one line about a database that is not ready, not two
    ended = threading.Event()
    with _orders() as orders, lifeline() as pipe:
        parts = {
            name: subprocess.Popen(  # noqa: S603 - ourselves
                [sys.executable, "-m", "fsctl", name],
                env={**_environment(context), VARIABLE: str(pipe)},
                pass_fds=[pipe],
                # A terminal's Ctrl-C comes to us alone, so that each hears of it once.
                start_new_session=True,
            )
            for name in PARTS
        }
        for process in parts.values():
            threading.Thread(target=_tell_end, args=(process, ended), daemon=True).start()
        orders.pass_on(list(parts.values()))
        ended.wait()
        first = next(name for name, one in parts.items() if one.poll() is not None)
        told = bool(orders.given)
        if not told:
            orders.give(signal.SIGTERM)
        codes = {name: process.wait() for name, process in parts.items()}
    if not told:
        fail(f"fsctl {first} has ended, and so the other: {_show(codes)}")


class _Orders:
    """Signals that came, and to whom they go."""

    def __init__(self) -> None:
        self.given: list[int] = []
        self._parts: list[subprocess.Popen[bytes]] = []

    def give(self, number: int, _frame: object = None) -> None:
        """Pass a signal on to everybody who is there."""
        self.given.append(number)
        for part in self._parts:
            part.send_signal(number)

    def pass_on(self, parts: list[subprocess.Popen[bytes]]) -> None:
        """Say who is there; what came meanwhile goes to them now."""
        self._parts = parts
        for number in self.given:
            for part in parts:
                part.send_signal(number)


@contextmanager
def _orders() -> Iterator[_Orders]:
    """Hear SIGINT and SIGTERM; a second one is passed on like the first."""
    orders = _Orders()
    before = {
        number: signal.signal(number, orders.give) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield orders
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell_end(process: "subprocess.Popen[bytes]", ended: threading.Event) -> None:
    process.wait()
    ended.set()


def _environment(context: Context) -> dict[str, str]:
    """Return an environment in which the settings are those of this command."""
    variables = {row.name: row.variable for row in SETTINGS}
    told = {variables[name]: text for name, text in context.flags.items()}
    if context.config is not None:
        told[CONFIG_VARIABLE] = context.config
    return {**os.environ, **told}


def _show(codes: dict[str, int]) -> str:
    return ", ".join(f"{name} with {code}" for name, code in codes.items())
