"""What a kind of trial needs: a FreeSWITCH, a controller or two, a desk for each call at once.

Owns setting up, running trials side by side, and what must be true when all are over: no channel,
no connection and no complaint left. Must not know what is tried.
"""

from __future__ import annotations

import random
import re
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import gevent
from gevent.pool import Pool
from gevent.queue import Queue

from fsctl.admin.groups import add_group
from fsctl.admin.members import add_member
from fsctl.admin.numbers import add_numbers
from fsctl.store import migrate
from fsctl.store.engine import make_engine
from tests.live.configuration import USERS
from tests.live.freeswitch import FreeSwitch
from tests.live.trials.desk import Desk
from tests.live.trials.tally import Tally, Wrong
from tests.scenarios.controllers import ServedController

FIRST_NUMBER = 3000
SETTLE = 10.0
"""Seconds after the last trial within which everything has to be gone: the socket lingers for 5."""

Trial = Callable[[Desk, int, random.Random], None]


class Stage:
    """A switch and controllers; ``controllers`` is the list that the dialplan hands to ``socket``.

    Each desk has a group of ``delays`` (one member for each, seconds) which waits ``wait`` seconds.
    Each member has ``each`` phones, and must press 1 if ``confirm`` says so.
    """

    def __init__(
        self,
        desks: int,
        delays: tuple[float, ...],
        wait: float,
        controllers: int = 1,
        each: int = 1,
        confirm: bool = False,
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="fsctl-trials-")
        folder = Path(self._folder.name)
        self.database_url = f"sqlite:///{folder / 'fsctl.db'}"
        self._log = folder / "controllers.log"
        self._writing = self._log.open("a")
        self.fallbacks: dict[str, float] = {}
        self._make_groups(desks, delays, wait, confirm)
        self.switch = FreeSwitch(self._fell_back)
        self.served: list[ServedController] = []
        try:
            self.served += [self.serve() for _ in range(controllers)]
            self.desks = [
                Desk(self.switch, str(FIRST_NUMBER + desk), self._users(desk, len(delays)), each)
                for desk in range(desks)
            ]
        except BaseException:
            self.close()
            raise

    @staticmethod
    def _users(desk: int, members: int) -> tuple[str, ...]:
        return USERS[desk * members : (desk + 1) * members]

    def _make_groups(
        self, desks: int, delays: tuple[float, ...], wait: float, confirm: bool
    ) -> None:
        migrate.upgrade(self.database_url)
        engine = make_engine(self.database_url)
        for desk in range(desks):
            number = str(FIRST_NUMBER + desk)
            add_group(engine, number, wait=wait)
            add_numbers(engine, number, [number], "PL")
            for user, delay in zip(self._users(desk, len(delays)), delays, strict=True):
                add_member(engine, number, user, delay=delay, confirm=confirm)
        engine.dispose()

    def _fell_back(self, uuid: str) -> None:
        self.fallbacks[uuid] = time.monotonic()
        for desk in getattr(self, "desks", []):
            for caller in desk.callers:
                if caller.call_id == uuid:
                    desk.log.record(caller.who, "fallback")

    def serve(self, listen: str = "127.0.0.1:0") -> ServedController:
        """Start a controller, at an address if need be."""
        return ServedController(self.database_url, listen, self._writing)

    def replace(self, number: int, how: signal.Signals) -> None:
        """End a controller by a signal and start another in its place."""
        old = self.served[number]
        old.signal(how)
        old.process.wait()
        old.stop()
        self.served[number] = self.serve(old.address)

    @property
    def controllers(self) -> str:
        return "|".join(served.address for served in self.served)

    def run(self, tally: Tally, count: int, seed: int, trial: Trial, pause: float = 0.0) -> None:
        """Try ``count`` times, as many at once as there are desks, and then look at what is left.

        Trial number n gets a generator seeded by ``seed`` and n, so that it can be tried again.
        ``pause`` is the least time between two trials' beginnings, in seconds.
        """
        free: Queue[Desk] = Queue(items=self.desks)

        def one(number: int) -> None:
            desk = free.get()
            try:
                desk.clear()
                trial(desk, number, random.Random(f"{seed} {number}"))
            except AssertionError as error:
                kind = "" if isinstance(error, Wrong) else "broken off: "
                tally.fail(f"trial {number}: {kind}{error}\n{desk.log}{self._evidence(desk)}")
                for call in (*desk.callers, *desk.live):
                    call.hang_up()
            finally:
                free.put(desk)

        pool = Pool(len(self.desks))
        begin = time.monotonic()
        for number in range(count):
            gevent.sleep(max(0.0, begin + number * pause - time.monotonic()))
            pool.spawn(one, number)
        pool.join(raise_error=True)
        self.settle(tally)

    def _evidence(self, desk: Desk) -> str:
        """Keep what the switch's log says of a wrong trial; returns where that is."""
        said = "\n".join(self.switch.log_of(caller.call_id) for caller in desk.callers)
        with tempfile.NamedTemporaryFile("w", prefix="fsctl-wrong-", delete=False) as kept:
            kept.write(said)
        return f"the switch's log of it: {kept.name}"

    def settle(self, tally: Tally) -> None:
        """Count as wrong whatever is left in the switch or in the controllers."""
        channels = eventually(lambda: not self.switch.channels())
        connections = eventually(lambda: not any(map(self.connections, self.served)))
        if not channels:
            tally.wrong.append(f"channels left in the switch: {self.switch.channels()}")
        if not connections:
            tally.wrong.append(f"connections left: {[*map(self.connections, self.served)]}")
        tally.wrong += self.complaints()

    @staticmethod
    def connections(served: ServedController) -> int:
        """Return how many calls this controller holds, as the kernel sees it: its connections.

        Read from /proc/net/tcp: local address, then state (0A listens; 06 is nobody's any more).
        """
        port = f":{int(served.address.rpartition(':')[2]):04X}"
        rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return sum(row[1].endswith(port) and row[3] not in ("0A", "06") for row in rows)

    def complaints(self) -> list[str]:
        """Return what the controllers have warned of so far."""
        found = re.findall(r"^.* (?:WARNING|ERROR) .*$", self._log.read_text(), re.MULTILINE)
        return [f"the controller says: {line}" for line in found if self.forgives not in line]

    forgives = "\0"
    """What a controller may warn of: that another was killed, where some are."""

    def close(self) -> None:
        for served in self.served:
            served.stop()
        self.switch.stop()
        self._writing.close()
        self._folder.cleanup()


def eventually(condition: Callable[[], bool], timeout: float = SETTLE) -> bool:
    """Whether a condition that nobody reports comes true in time."""
    until = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > until:
            return False
        gevent.sleep(0.1)
    return True


@contextmanager
def stage(
    desks: int,
    delays: tuple[float, ...],
    wait: float,
    controllers: int = 1,
    each: int = 1,
    confirm: bool = False,
) -> Iterator[Stage]:
    """Set a stage up, and take it down."""
    made = Stage(desks, delays, wait, controllers, each, confirm)
    try:
        yield made
    finally:
        made.close()
