"""A member transfers the caller into a group: another, the same, by a detour, twice in a row.

Each desk has two groups of one member each. A transfer begins between the first word and half a
second later, so that some come before the controller knows who has the caller.
"""

from __future__ import annotations

import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import gevent
from gevent.server import StreamServer
from gevent.socket import socket

from fsctl.admin.groups import add_group
from fsctl.admin.members import add_member
from fsctl.admin.numbers import add_numbers
from fsctl.store.engine import make_engine
from tests.live.caller import OutgoingCall
from tests.live.configuration import DOMAIN
from tests.live.phone import Phone, RingingCall
from tests.live.rtp import both_ways
from tests.live.trials.deaths import ending, in_turn
from tests.live.trials.desk import Desk
from tests.live.trials.stage import Stage, stage
from tests.live.trials.tally import Tally, Wrong
from tests.scenarios.rig import Script

WAIT = 5.0
DEAD_WAIT = 8.0
"""Seconds after which the caller of a controller that died is in the fallback: phones of ours stop
ringing by then."""
STAYS = 0.4
"""Seconds for which a conversation after a transfer has to last."""
IN_ALIEN = 0.4
"""Seconds for which a caller is with the other socket."""

PRESS = 0.8
"""Seconds from a phone's answer until somebody presses 1. A busy FreeSWITCH may need half
a second to take the answer in; a key that is pressed before that is lost."""

Way = Callable[[Desk], tuple[str, ...]]


def second_group(desk: Desk) -> str:
    """Return the number of a desk's second group."""
    return "5" + desk.number[1:]


WAYS: dict[str, Way] = {
    "to another group": lambda desk: (second_group(desk),),
    "to the same group": lambda desk: (desk.number,),
    "through another outbound socket": lambda desk: (f"via-{second_group(desk)}",),
    "twice in a row": lambda desk: (second_group(desk), desk.number),
}
LAYOUTS = (("", False, False), (", press 1", True, False), (", a controller killed", False, True))
"""What is added to each way: a name, whether members must press 1, whether controllers die."""


def transfer(count: int, seed: int, desks: int) -> Tally:
    """Transfer in every way: the caller has the member whom they were transferred to."""
    tally = Tally("transfer", "from the transfer until the next member's answer")
    for name, confirm, dies in LAYOUTS:
        # The controllers that are killed are two, so that there is always one to take a call.
        with stage(desks, (0.0,), WAIT, 2 if dies else 1, confirm=confirm) as on, _other() as port:
            add_second_groups(on, confirm)
            run = _Run(on, tally, port, name, PRESS if confirm else None, dies)
            each = -(-count // len(LAYOUTS))
            if dies:
                on.forgives = "died while it hunted"
                with ending(on, signal.SIGKILL, tally):
                    on.run(tally, each, seed, run.trial)
            else:
                on.run(tally, each, seed, run.trial)
    return tally


def add_second_groups(on: Stage, confirm: bool) -> None:
    """Give each desk a second group, whose member has the desk's second phone."""
    engine = make_engine(on.database_url)
    for at, desk in enumerate(on.desks):
        user, number = f"test{50 + at:03}", second_group(desk)
        add_group(engine, number, wait=WAIT)
        add_numbers(engine, number, [number], "PL")
        add_member(engine, number, user, confirm=confirm)
        internal = ("127.0.0.1", on.switch.ports.internal)
        phone = Phone(user, DOMAIN, on.switch.password, internal, desk.log)
        phone.register()
        desk.phones.append(phone)
    engine.dispose()


@contextmanager
def _other() -> Iterator[int]:
    """Be another outbound socket, which has each caller for a while and lets them go on."""

    def serve(sock: socket, _address: object) -> None:
        sock.sendall(b"connect\n\nmyevents\n\n")
        gevent.sleep(IN_ALIEN)
        sock.close()

    server = StreamServer(("127.0.0.1", 0), serve)
    server.start()
    try:
        yield server.server_port
    finally:
        server.stop(timeout=1)


class _Run:
    def __init__(
        self, on: Stage, tally: Tally, port: int, name: str, press: float | None, dies: bool
    ) -> None:
        self._on = on
        self._tally = tally
        self._extra = (("X-Elsewhere", f"127.0.0.1:{port}"),)
        self._name = name
        self._press = press
        self._dies = dies

    def trial(self, desk: Desk, number: int, chance: random.Random) -> None:
        kind = list(WAYS)[number % len(WAYS)]
        for phone in desk.phones:
            phone.script = Script(answer_after=0.0, press_after=self._press)
        controllers = in_turn(self._on, number) if self._dies else self._on.controllers
        caller = desk.dial(controllers, extra=self._extra)
        leg = self._next(desk, caller, None)
        took = 0.0
        for target in WAYS[kind](desk):
            if leg is None:
                break
            gevent.sleep(chance.choice((0.0, chance.uniform(0.0, 0.1), chance.uniform(0.1, 0.5))))
            for phone in desk.phones:
                after = chance.uniform(0.0, 1.0)
                phone.script = Script(answer_after=after, press_after=self._press)
            before = desk.log.all(leg.who)[-1].at
            leg.transfer(f"sip:{target}@{DOMAIN}")
            leg = self._next(desk, caller, leg)
            took = desk.log.all(what="answer")[-1].at - before
        if leg is None:
            self._stays_in_the_fallback(desk, caller)
            self._tally.add(f"in the fallback, the controller died: {kind}")
            return
        _converse(desk, caller, leg)
        self._tally.add(kind + self._name, took)

    def _next(
        self, desk: Desk, caller: OutgoingCall, before: RingingCall | None
    ) -> RingingCall | None:
        """Return who has the caller next; None when that is the fallback, for good reason."""

        def talks() -> list[RingingCall]:
            return [leg for leg in desk.live if leg.talking and leg is not before]

        def fell_back() -> bool:
            return bool(desk.log.all("caller", "fallback"))

        desk.log.until(lambda: bool(talks()) or caller.over or fell_back(), WAIT + DEAD_WAIT)
        if fell_back() and self._dies:
            return None
        if caller.over or fell_back() or not talks():
            raise Wrong(f"the caller was lost, over: {caller.over}, fallback: {fell_back()}")
        leg = talks()[0]
        # Before the two are bridged FreeSWITCH has nobody whom it could transfer.
        if not desk.log.until(lambda: caller.talking, 3.0) or not both_ways(
            caller.voice, leg.voice, 3.0
        ):
            raise Wrong(f"{leg.who} has no caller")
        return leg

    def _stays_in_the_fallback(self, desk: Desk, caller: OutgoingCall) -> None:
        """Who is there is taken out by nobody, but a member whose phone still rang."""
        desk.log.until(lambda: desk.silent, WAIT + DEAD_WAIT)
        if desk.log.until(lambda: caller.over, STAYS):
            raise Wrong("the caller was taken out of the fallback")
        if len(desk.log.all("caller", "fallback")) > 1:
            raise Wrong("the caller came to the fallback twice")
        caller.hang_up()


def _converse(desk: Desk, caller: OutgoingCall, leg: RingingCall) -> None:
    """Talk for a while with voice both ways, hang up, and see the member hung up."""
    for _ in range(2):
        if not both_ways(caller.voice, leg.voice, 3.0):
            raise Wrong("no voice both ways")
        if desk.log.until(lambda: caller.over or leg.over, STAYS):
            raise Wrong("the conversation broke off")
    caller.hang_up()
    if not desk.log.until(lambda: desk.silent, 3.0):
        raise Wrong("the member was not hung up")
