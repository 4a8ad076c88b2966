"""Tells which calls hunt and stand in line right now, through the database and behind the calls.

Owns a thread that once a second writes what has changed since, for the panel and for other
processes, reads what those say of their lines, and writes down the calls of controllers that died.
The calls are looked at in the loop that serves them, which takes microseconds each; nothing of
theirs waits for the database, and what it does not take is forgotten: the next look says it all.
"""

import logging
import threading
import time
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Protocol, TypeVar

import gevent
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from fsctl.controller.call import HuntedCall
from fsctl.controller.line import InLine, Lines
from fsctl.controller.recorder import controller_name
from fsctl.controller.stay import Stay
from fsctl.hunt.ledger import Leg
from fsctl.hunt.line import Others
from fsctl.logs import about_call
from fsctl.store.call_records import Version, cleaned
from fsctl.store.call_writing import write_calls
from fsctl.store.engine import reading, writing
from fsctl.store.errors import StoreError
from fsctl.store.lines import read_others, write_lines
from fsctl.store.live import (
    FRESH,
    INTERRUPTED_MS,
    LiveHunt,
    LiveLeg,
    forget_dead,
    forget_live,
    interrupted,
    write_live,
)
from fsctl.store.memory import GroupKey
from fsctl.store.tables import now_ms

K = TypeVar("K")
V = TypeVar("V")

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
ToldLines = dict[GroupKey, Others]


class Serving(Protocol):
    """What a controller has to tell of."""

    lines: Lines

    @property
    def calls(self) -> Iterable[HuntedCall]:
        """Calls that hunt or talk, in the order in which their callers came."""

    @property
    def in_line(self) -> Iterable[InLine]:
        """Callers who stand in line, in the same order."""


class Live:
    """Tells of a controller's calls and lines, and it of the others' lines; ``pace`` is seconds
    between two looks, ``patience`` those after which a silent database counts as away."""

    def __init__(
        self,
        engine: Engine,
        controller: Serving,
        pace: float = PACE,
        patience: float = FRESH,
    ) -> None:
        self._engine = engine
        self._controller = controller
        self._pace = pace
        self._patience = patience
        self._name = controller_name()
        self._told: Told | None = None
        self._told_lines: ToldLines = {}
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
        looks = 0
        while True:
            try:
                self._look_once(tidy=looks % LOOKS == 0)
            except Exception as error:  # callers in line must not wait for others for good
                self._lost(error)
                self._controller.lines.hear({})
            looks += 1
            gevent.sleep(self._pace)

    def _look_once(self, tidy: bool) -> None:
        """Tell and hear. What others said counts no more when the database does not answer."""
        now = {one.uuid: one for one in self._seen()}
        lines = self._controller.lines.told()
        answer = gevent.get_hub().threadpool.spawn(self._exchange, now, lines, tidy)
        answer.wait(self._patience)
        if not answer.ready():
            self._lost(TimeoutError(f"the database has not answered for {self._patience:g} s"))
            self._controller.lines.hear({})
        self._controller.lines.hear(answer.get() or {})

    def _seen(self) -> list[LiveHunt]:
        """Return what is told of: those who are hunted for first, then those in line.

        Of more than can be told those who came first, as the controller has them: to look at all of
        ten thousand keeps every leg that is due waiting for 30 ms.
        """
        hunting = (call for call in self._controller.calls if not call.caller.over.is_set())
        told = list(map(hunt_of, islice(hunting, MOST)))
        in_line = (one for one in self._controller.in_line if not one.stay.caller.over.is_set())
        return told + list(map(standing_of, islice(in_line, MOST - len(told))))

    def _exchange(self, now: Told, lines: ToldLines, tidy: bool) -> ToldLines:
        """Write what has changed, and return what others tell of lines, in a thread.

        Without the database there are no others.
        """
        try:
            if tidy:
                self._record_interrupted(now)
            self._write(now, lines, tidy)
            with reading(self._engine) as session:
                others = read_others(session, self._name, now_ms())
        except Exception as error:  # whatever a driver raises; gevent would write it out
            self._told, self._told_lines = None, {}
            self._lost(error)
            return {}
        self._away = False
        return others

    def _lost(self, error: Exception) -> None:
        """Say why nothing is told: once, until it is again."""
        if not self._away:
            ours = not isinstance(error, (StoreError, DBAPIError, OSError))
            log.warning("the panel is not told of calls: %s", error, exc_info=ours)
        self._away = True

    def _write(self, now: Told, lines: ToldLines, tidy: bool) -> None:
        same = now == self._told and lines == self._told_lines
        if same and not tidy and time.monotonic() < self._wrote + BEAT:
            return
        with writing(self._engine) as session:
            if self._told is None:
                forget_live(session, self._name)
            if tidy:
                forget_dead(session, now_ms())
            gone, changed = _difference(self._told or {}, now)
            write_live(session, self._name, gone, list(changed.values()), now_ms())
            write_lines(session, self._name, *_difference(self._told_lines, lines))
        self._told, self._told_lines = now, lines
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


def _difference(before: Mapping[K, V], now: Mapping[K, V]) -> tuple[list[K], dict[K, V]]:
    """Return what is gone, and what is new or has changed."""
    gone = [key for key in before if key not in now]
    return gone, {key: one for key, one in now.items() if before.get(key) != one}


def hunt_of(call: HuntedCall) -> LiveHunt:
    """Return what a call is to somebody who watches: since he came to the group, as its record."""
    before = call.came - call.stay.began
    legs = tuple(_leg(leg, before) for leg in list(call.hunt.legs.values()))
    return _told_of(call.stay, call.stay.began, round(before + call.hunt.schedule.wait, 1), legs)


def standing_of(one: InLine) -> LiveHunt:
    """Return what a caller in line is to somebody who watches."""
    stay = one.stay
    return _told_of(stay, stay.began, stay.group.line_wait, (), one.position)


def _told_of(
    stay: Stay, began: float, wait: float, legs: tuple[LiveLeg, ...], position: int = 0
) -> LiveHunt:
    arrival, group = stay.caller.arrival, stay.group
    return LiveHunt(
        arrival.uuid,
        group.domain,
        group.name,
        arrival.number,
        arrival.caller.number,
        arrival.caller.name,
        began,
        wait,
        legs,
        position,
    )


def _leg(leg: Leg, before: float) -> LiveLeg:
    """Return a leg as it is told, of a hunt that began so many seconds after the caller came."""
    outcome = leg.outcome
    state = outcome.value if outcome else "claims" if leg.claiming else "rings"
    ended = None if leg.ended is None else before + leg.ended
    return LiveLeg(leg.member, before + leg.started, ended, state)
