"""``fsctl call``: a real test call through the switch, drawn as it happens."""

import sys
import time

import click

from fsctl.cli.board import Board
from fsctl.cli.context import Context, fail, pass_context, settings_options
from fsctl.esl.address import SwitchAddress
from fsctl.esl.errors import EventSocketError, Unquotable
from fsctl.esl.inbound import SwitchConnection
from fsctl.esl.presentation import Shown
from fsctl.esl.trial import Told, Trial
from fsctl.hunt.group import Group
from fsctl.hunt.nesting import everybody
from fsctl.store.engine import reading
from fsctl.store.lookups import find_groups, in_domain
from fsctl.store.numbers import dialled

MARGIN = 10
"""Seconds beyond the group's wait for the hunt to end as it should."""
TALK = 3.0
"""Seconds of conversation before the test call hangs up."""
FRAME = 0.25
"""Seconds between two drawings."""
END = 5.0
"""Seconds to hear of the end."""


@click.command("call")
@click.argument("number")
@click.option(
    "--from",
    "caller",
    metavar="NUMBER",
    default="fsctl",
    show_default=True,
    help="The caller's number that telephones show.",
)
@click.option(
    "--context",
    "place",
    metavar="NAME",
    default="default",
    show_default=True,
    help="The context of the switch's dialplan in which the call arrives.",
)
@settings_options("domain", "esl_url")
@pass_context
def call(context: Context, number: str, caller: str, place: str) -> int:
    """Place a real test call to NUMBER through the switch, and draw its hunt as it happens.

    Telephones ring. The call goes through the switch's own dialplan, as one from outside would; who
    picks up hears an echo of themselves, for three seconds. Needs the setting esl_url, and
    mod_loopback in the switch. Exit code 0: somebody answered; 1: nobody did.
    """
    switches = context.settings.esl_url
    if not switches:
        fail(
            "no switch is named; give its event socket with --esl-url esl://:PASSWORD@HOST:PORT", 2
        )
    group = _group(context, number)
    try:
        return _call(switches[0], group, number, place, Shown.of(caller, "fsctl test"))
    except Unquotable as error:
        fail(str(error), 2)
    except EventSocketError as error:
        fail(f"the test call failed: {error}")


def _group(context: Context, number: str) -> Group:
    """Return the group that serves a number; nobody else's telephone may ring for a test."""
    keys = in_domain(dialled(number, context.settings.region), context.settings.domain)
    with reading(context.engine()) as session:
        group = find_groups(session, [keys])[keys] if keys else None
    if group is None:
        fail(f"no group serves {number}; see: fsctl group list")
    return group


def _call(address: SwitchAddress, group: Group, number: str, place: str, caller: Shown) -> int:
    users = everybody(group)
    names = {user.partition("@")[0]: user for user in users}
    board = Board(list(users), group.wait, sys.stdout)
    with SwitchConnection(address) as switch, Trial(switch, number, place, caller) as trial:
        began = time.monotonic()
        trial.place(int(group.wait) + MARGIN)
        click.echo(f'A call to {number} enters context "{place}" of the switch at {address}.\n')
        latest = began + group.wait + MARGIN + END
        talked = None
        while not trial.over and time.monotonic() < latest:
            for told in trial.listen(time.monotonic() + FRAME):
                _draw(board, told, names, time.monotonic() - began)
            board.draw(time.monotonic() - began)
            if trial.answered and talked is None:
                talked = time.monotonic() + TALK
                latest = talked + END
            if talked is not None and time.monotonic() > talked:
                trial.hang_up()
                talked = latest
        board.finish(time.monotonic() - began)
    click.echo(f"\n{_ending(trial, place)}")
    return 0 if trial.answered else 1


def _draw(board: Board, told: Told, names: dict[str, str], at: float) -> None:
    board.saw(at, names.get(told.who, told.who), told.what, told.detail)


def _ending(trial: Trial, place: str) -> str:
    if not trial.controller:
        return (
            f'The dialplan handed the call to no controller in context "{place}": '
            f"{trial.cause or 'it took it itself'}. See: fsctl check"
        )
    how = "was answered" if trial.answered else f"ended without an answer: {trial.cause}"
    return f"The call was handed to {trial.controller} and {how}."
