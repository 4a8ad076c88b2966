"""Controllers that stop, in order or not, under load: two of them, each replaced in turn."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import gevent

from tests.live.caller import OutgoingCall
from tests.live.rtp import both_ways
from tests.live.trials.desk import Desk
from tests.live.trials.stage import Stage, stage
from tests.live.trials.tally import Tally, Wrong
from tests.scenarios.rig import Script

PAUSE = 0.05
"""Seconds between two calls: 20 a second."""
EVERY = 5.0
"""Seconds between the ends of two controllers."""
WAIT = 3.0
BOUND = 5.0
"""Seconds beyond the group's wait time at which no caller waits and no telephone rings."""
LONG_CALL = 12.0
"""Seconds of a conversation in which both controllers are replaced."""


def restart(count: int, seed: int, desks: int) -> Tally:
    """SIGTERM: every caller gets the member who answers."""
    tally = Tally("restart", "from calling until a telephone rings")
    with stage(desks, (0.0, 0.2), WAIT, controllers=2) as on:

        def trial(desk: Desk, number: int, chance: random.Random) -> None:
            answering = desk.phones[number % 3 == 0]
            answering.script = Script(answer_after=chance.uniform(0.02, 0.5))
            caller = desk.dial(in_turn(on, number))
            # However late an overloaded switch is, nobody waits longer than this.
            if not desk.log.until(
                lambda: caller.talking or caller.over or bool(desk.log.all(what="fallback")),
                WAIT + BOUND,
            ):
                raise Wrong("the caller waits in vain")
            if not caller.talking:
                raise Wrong("the caller was released or went to the fallback")
            _converse(desk, caller, LONG_CALL if number % 50 == 0 else chance.uniform(0.1, 0.3))
            rings = desk.log.all(what="invite")[0].at
            tally.add("answered", rings - desk.log.wait("caller", "calling").at)

        with ending(on, signal.SIGTERM, tally):
            on.run(tally, count, seed, trial, PAUSE)
    return tally


def kill(count: int, seed: int, desks: int) -> Tally:
    """SIGKILL: every caller gets a member or the fallback, and no telephone rings on."""
    tally = Tally("kill", "from calling until the caller is answered, released or in the fallback")
    with stage(desks, (0.0, 0.5), WAIT, controllers=2) as on:

        def trial(desk: Desk, number: int, chance: random.Random) -> None:
            for phone in (desk.phones[:1], desk.phones[1:], [])[number % 3]:
                phone.script = Script(answer_after=chance.uniform(0.02, 1.5))
            caller = desk.dial(in_turn(on, number))
            latest = desk.log.wait("caller", "calling").at + WAIT + BOUND
            outcome = _outcome(desk, caller, latest)
            # Who answers has the caller, even one who has just reached the fallback.
            desk.log.until(lambda: desk.silent or caller.talking, latest - time.monotonic())
            if caller.talking:
                _converse(desk, caller, LONG_CALL if number % 50 == 0 else 0.2)
            if not desk.silent:
                raise Wrong(f"a telephone still rings, the caller was {outcome}")
            caller.hang_up()
            took = desk.log.all("caller", _WORDS[outcome])[0].at + WAIT + BOUND - latest
            tally.add(outcome, took)

        on.forgives = "died while it hunted"
        with ending(on, signal.SIGKILL, tally):
            on.run(tally, count, seed, trial, PAUSE)
    return tally


_WORDS = {"answered": "answered", "released": "released", "in the fallback": "fallback"}


def _outcome(desk: Desk, caller: OutgoingCall, latest: float) -> str:
    """Wait until the caller has somebody or something."""

    def now() -> str:
        found = (outcome for outcome, word in _WORDS.items() if desk.log.all("caller", word))
        return next(found, "")

    if not desk.log.until(lambda: bool(now()), latest - time.monotonic()):
        raise Wrong("the caller is parked")
    return now()


def in_turn(on: Stage, number: int) -> str:
    """Return the controllers' list, every other call with the other one first."""
    first, second = (on.served[index].address for index in (number % 2, 1 - number % 2))
    return f"{first}|{second}"


def _converse(desk: Desk, caller: OutgoingCall, seconds: float) -> None:
    """Talk for so long, with voice both ways at the end, and hang up."""
    until = time.monotonic() + seconds
    if desk.log.until(lambda: caller.over, until - time.monotonic()):
        raise Wrong("the conversation broke off")
    talking = [leg for leg in desk.live if leg.talking]
    if len(talking) != 1:
        raise Wrong(f"{len(talking)} members talk")
    if not both_ways(caller.voice, talking[0].voice, 3.0):
        raise Wrong("no voice both ways")
    caller.hang_up()
    if not desk.log.until(lambda: desk.silent, 3.0):
        raise Wrong("the member was not hung up")


@contextmanager
def ending(on: Stage, how: signal.Signals, tally: Tally) -> Iterator[None]:
    """End one controller after the other by a signal, and start another in its place."""
    ended = 0

    def go_on() -> None:
        nonlocal ended
        began = time.monotonic()
        while True:
            gevent.sleep(max(0.0, began + (ended + 1) * EVERY - time.monotonic()))
            on.replace(ended % 2, how)
            ended += 1
            tally.kinds["controllers replaced"] += 1

    ending = gevent.spawn(go_on)
    try:
        yield
    finally:
        ending.kill()
