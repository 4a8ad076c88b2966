"""Tells the panel which calls hunt right now, through the database and behind the calls.

Owns a thread that writes at most once a second what has changed since, and that writes down the
calls of controllers that died. The calls are looked at in
the loop that serves them, which takes microseconds each; nothing of theirs waits for the database,
and what it does not take is forgotten: the next look says it all again.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from heapq import nsmallest

import gevent
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError

from fsctl.controller.call import HuntedCall
from fsctl.controller.recorder import controller_name
from fsctl.hunt.ledger import Leg
from fsctl.logs import about_call
from fsctl.store.call_records import Version, cleaned
from fsctl.store.call_writing import write_calls
from fsctl.store.engine import reading, writing
from fsctl.store.errors import StoreError
from fsctl.store.live import (
    INTERRUPTED_MS,
    LiveHunt,
    LiveLeg,
    forget_dead,
    forget_live,
    interrupted,
    write_live,
)
from fsctl.store.tables import now_ms

log = logging.getLogger(__name__)

PACE = 1.0
"""Seconds between two looks."""
LOOKS = 60
"""Looks between two removals of what dead controllers have left."""
BEAT = 3.0
"""Seconds after which it is said that we are there, although nothing has changed."""
MOST = 200
"""Calls that are told of, as many as a page shows; each look at one takes 10 microseconds."""

Told = dict[str, LiveHunt]


class Live:
    """Tells of the calls that ``calls`` returns; ``pace`` is seconds between two looks."""

    def __init__(
        self, engine: Engine, calls: Callable[[], Iterable[HuntedCall]], pace: float = PACE
    ) -> None:
        self._engine = engine
        self._calls = calls
        self._pace = pace
        self._name = controller_name()
        self._told: Told | None = None
        self._away = False
        self._wrote = 0.0
        self._looking: gevent.Greenlet[..., None] | None = None

    def start(self) -> None:
        """Begin to tell."""
        self._looking = gevent.spawn(self._look)

    def stop(self) -> None:
        """Tell no more, and take back what was told."""
        if self._looking:
            self._looking.kill()
        done = threading.Thread(target=self._take_back, daemon=True)
        done.start()
        gevent.get_hub().threadpool.apply(done.join, (self._pace,))

    def _look(self) -> None:
        pool = gevent.get_hub().threadpool
        looks = 0
        while True:
            now = {one.uuid: one for one in map(hunt_of, self._hunting())}
            pool.apply(self._write, (now, looks % LOOKS == 0))
            looks += 1
            gevent.sleep(self._pace)

    def _hunting(self) -> list[HuntedCall]:
        hunting = (call for call in self._calls() if not call.hunt_over.is_set())
        return nsmallest(MOST, hunting, key=lambda call: call.came)

    def _write(self, now: Told, tidy: bool) -> None:
        """Write what has changed, in a thread."""
        if now == self._told and not tidy and time.monotonic() < self._wrote + BEAT:
            return
        try:
            if tidy:
                self._record_interrupted(now)
            with writing(self._engine) as session:
                if self._told is None:
                    forget_live(session, self._name)
                if tidy:
                    forget_dead(session, now_ms())
                before = self._told or {}
                gone = before.keys() - now.keys()
                changed = [hunt for uuid, hunt in now.items() if before.get(uuid) != hunt]
                write_live(session, self._name, gone, changed, now_ms())
        except (StoreError, DBAPIError, IntegrityError) as error:
            self._told = None
            if not self._away:
                log.warning("the panel is not told of calls: %s", error)
            self._away = True
        else:
            self._told, self._away = now, False
            self._wrote = time.monotonic()

    def _record_interrupted(self, now: Told) -> None:
        """Write down the calls of controllers that died, before what they said is removed."""
        former = "" if self._wrote else self._name  # whoever had our name before, after a restart
        with reading(self._engine) as session:
            found = interrupted(session, now_ms(), former, now)
        if found:
            write_calls(self._engine, [Version(INTERRUPTED_MS, cleaned(one)) for one in found])
            for one in found:
                with about_call(one.uuid):
                    log.warning("its controller %s died while it hunted", one.controller)

    def _take_back(self) -> None:
        try:
            with writing(self._engine) as session:
                forget_live(session, self._name)
        except (StoreError, DBAPIError) as error:
            log.debug("what the panel was told of stays: %s", error)


def hunt_of(call: HuntedCall) -> LiveHunt:
    """Return what a call is to somebody who watches."""
    arrival, hunt = call.arrival, call.hunt
    legs = tuple(_leg(leg) for leg in list(hunt.legs.values()))
    return LiveHunt(
        arrival.uuid,
        call.group.domain,
        call.group.name,
        arrival.number,
        arrival.caller.number,
        arrival.caller.name,
        call.came,
        hunt.schedule.wait,
        legs,
    )


def _leg(leg: Leg) -> LiveLeg:
    outcome = leg.outcome
    state = outcome.value if outcome else "claims" if leg.claiming else "rings"
    return LiveLeg(leg.member, leg.started, leg.ended, state)
