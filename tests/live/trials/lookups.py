"""A directory that takes up to a second to find a user: no phone rings for a caller who has left.

The caller leaves, or a member answers, while the switch looks for the second member; or in the
instant in which it has found them. The controller may be killed meanwhile.
"""

from __future__ import annotations

import random
import signal
import time

import gevent

from tests.live.directory import SlowDirectory
from tests.live.trials.desk import Desk
from tests.live.trials.stage import Stage, eventually, stage
from tests.live.trials.tally import Tally, Wrong

SLOW = 0.7
"""Seconds that it takes to find the second member of each desk."""
AROUND = 0.03
"""Seconds before and after that, within which half of the callers leave."""
PROMPT = 0.3
"""Seconds within which the first member's phone rings, whom the directory finds at once."""
TOLD = 0.15
"""Seconds from an answer until the controller knows of it, and calls the other leg off."""
QUIET = 0.5


def lookups(count: int, seed: int, desks: int) -> Tally:
    """The caller leaves before, while or after a user is found; or another member answers."""
    tally = Tally("lookups", "from the call until the first member's phone rings")
    with stage(desks, (0.0, 0.0), wait=10.0) as on:
        directory = SlowDirectory(on.switch)

        def trial(desk: Desk, number: int, chance: random.Random) -> None:
            directory.seconds[desk.phones[1].user] = SLOW
            caller = desk.dial(on.controllers)
            called = desk.log.wait("caller", "calling").at
            rang = desk.log.wait(desk.phones[0].label, "invite").at
            if rang - called > PROMPT:
                raise Wrong(f"the other member's phone rang after {rang - called:.3f} s")
            answers = number % 3 == 2
            found = called + SLOW
            moment = chance.choice((chance.uniform(rang, found - AROUND), found))
            if moment == found:
                moment += chance.uniform(-AROUND, AROUND)
            gevent.sleep(max(0.0, moment - time.monotonic()))
            left = time.monotonic()
            (desk.phones[0].calls[0].answer if answers else caller.hang_up)()
            gevent.sleep(max(0.0, found - time.monotonic()) + QUIET)
            _nobody_rings(desk, left, answers)
            caller.hang_up()
            near = " around the moment" if abs(left - found) <= AROUND else ""
            tally.add(("answered" if answers else "left") + near, rang - called)

        try:
            on.run(tally, count - count // 10, seed, trial)
            _with_the_controller_dead(on, directory, tally, count // 10)
        finally:
            directory.close()
    return tally


def _nobody_rings(desk: Desk, left: float, answered: bool) -> None:
    late = [leg for leg in desk.phones[1].calls if not leg.over]
    if late:
        raise Wrong("a phone rings for nobody")
    for seen in desk.log.all(desk.phones[1].label, "invite"):
        if seen.at > left + (TOLD if answered else AROUND):
            raise Wrong(f"a phone was called {seen.at - left:.3f} s after the caller had left")


def _with_the_controller_dead(
    on: Stage, directory: SlowDirectory, tally: Tally, count: int
) -> None:
    """Calls on all desks at once; the controller is killed, then the callers leave."""
    on.forgives = "died"
    while count > 0:
        for desk in on.desks:
            desk.clear()
            directory.seconds[desk.phones[1].user] = SLOW
        callers = [desk.dial(on.controllers) for desk in on.desks]
        for desk in on.desks:
            desk.log.wait(desk.phones[0].label, "invite")
        on.replace(0, signal.SIGKILL)
        left = time.monotonic()
        for caller in callers:
            caller.hang_up()
        gevent.sleep(SLOW + QUIET)
        for desk in on.desks:
            try:
                _nobody_rings(desk, left, answered=False)
            except Wrong as error:
                tally.fail(f"{error}\n{desk.log}")
            else:
                tally.add("left, the controller dead")
        count -= len(on.desks)
    if not eventually(lambda: not on.switch.channels()):
        tally.wrong.append("channels left in the switch")
