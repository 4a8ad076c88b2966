"""``fsctl demo``: a call to the example group, without FreeSWITCH, drawn as it happens."""

import sys
import tempfile
import time
from collections.abc import Mapping
from functools import partial
from ipaddress import ip_network
from pathlib import Path

import click
import gevent
from gevent.event import Event

from fsctl.admin.example import add_example
from fsctl.cli.board import Board
from fsctl.cli.context import fail
from fsctl.cli.phones import phone_options, read_phones
from fsctl.controller.directory import Directory
from fsctl.controller.server import Controller
from fsctl.controller.source import database_source
from fsctl.demo import PlacedCall, Script, Switch
from fsctl.esl.listener import bind
from fsctl.hunt.admission import Refusal, admit
from fsctl.hunt.group import Group
from fsctl.hunt.simulation import Phones, simulate
from fsctl.store import migrate
from fsctl.store.engine import make_engine
from fsctl.store.numbers import dialled

TALK = 2.0
"""Seconds of conversation before the caller hangs up."""
_STATUS = {"USER_BUSY": 486}


@click.command("demo")
@phone_options
def demo(
    answers: tuple[str, ...],
    busy: tuple[str, ...],
    offline: tuple[str, ...],
    hang_up: str | None,
) -> None:
    """Play a call to the example group and draw it as it happens; no FreeSWITCH is needed.

    A controller is started on a free port, and a switch made of Python hands it a call through a
    real socket. Without options test006 answers after 7 seconds.
    """
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'demo.db'}"
        migrate.upgrade(url)
        engine = make_engine(url)
        change = add_example(engine)
        if change is None or change.group is None:
            fail("the example group could not be made")
        group = change.group
        if not (answers or busy or offline or hang_up):
            answers = ("test006@7",)
        phones = read_phones(group, answers, busy, offline, hang_up)
        controller = Controller(
            bind("127.0.0.1", 0),
            [ip_network("127.0.0.0/8")],
            Directory(database_source(engine)),
            partial(dialled, region="PL"),
        )
        controller.start()
        try:
            _play(controller.address, group, phones)
        finally:
            controller.stop()


def _play(address: str, group: Group, phones: Phones) -> None:
    click.echo(f"A controller listens on {address}. Somebody calls {group.numbers[0]}.\n")
    switch = Switch(address)
    _register(switch, group, phones)
    board = Board([member.user for member in group.members], group.wait, sys.stdout)
    over = Event()
    began = time.monotonic()

    def saw(who: str, what: str, detail: Mapping[str, object]) -> None:
        board.saw(time.monotonic() - began, who, what, detail)
        if what == "answered":
            gevent.spawn_later(TALK, call.hang_up)
        if what in ("released", "gave up", "fallback") or (who, what) == ("caller", "bye"):
            over.set()

    switch.observers.append(saw)
    call: PlacedCall = switch.dial(group.numbers[0])
    if phones.hang_up is not None:
        gevent.spawn_later(phones.hang_up, call.hang_up)
    latest = began + group.wait + 10.0
    while not over.wait(0.1):
        if time.monotonic() > latest:
            fail("the call did not end; this is a fault of fsctl")
        board.draw(time.monotonic() - began)
    gevent.sleep(0.1)  # the last telephone has yet to be told
    board.finish(time.monotonic() - began)


def _register(switch: Switch, group: Group, phones: Phones) -> None:
    """Give every member a telephone that does what was asked for.

    A telephone counts from its own first ring, so the moment at which it will ring is taken from
    the simulation.
    """
    admitted = admit(group)
    if isinstance(admitted, Refusal):
        fail(f"the example group cannot be called: {admitted.sentence}")
    starts = {leg.member: leg.started for leg in simulate(admitted.schedule, phones).legs}
    for member in group.members:
        user = member.user
        refusal = phones.refuses.get(user)
        if refusal is not None:
            status = _STATUS.get(refusal)
            switch.register(user, Script(refuse=status), phones=1 if status else 0)
            continue
        patience = phones.answers.get(user, -1.0) - starts.get(user, member.delay)
        script = Script(answer_after=patience if patience >= 0 else None)
        talks_until = phones.busy_until.get(user, 0.0)
        switch.register(user, Script(refuse=486) if talks_until else script)
        if talks_until:
            gevent.spawn_later(talks_until, switch.register, user, script)
