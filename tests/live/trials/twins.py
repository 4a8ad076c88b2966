"""Several phones of one member that answer in the same instant, or within 40 ms.

FreeSWITCH itself keeps one phone of a user and ends the others (``switch_ivr_originate``), before
the kept phone makes the claim on the caller. A trial compares what the phones saw with the record.
"""

from __future__ import annotations

import random
from typing import NamedTuple

import gevent
from sqlalchemy import Engine

from fsctl.hunt.outcomes import Outcome
from fsctl.store.call_queries import find_calls
from fsctl.store.call_records import CallOutcome, CallRecord
from fsctl.store.engine import make_engine
from tests.live.caller import OutgoingCall
from tests.live.phone import RingingCall
from tests.live.rtp import both_ways
from tests.live.trials.desk import Desk
from tests.live.trials.pickups import ignored
from tests.live.trials.races import hang_up
from tests.live.trials.stage import Stage, eventually, stage
from tests.live.trials.tally import Tally, Wrong
from tests.scenarios.rig import Script

WAIT = 10.0
GAPS = 0.0, 0.002, 0.005, 0.01, 0.02, 0.04
"""Seconds between two answers."""
QUIET = 0.6
"""Seconds after the answer within which a phone that is rung again rings: longer than
``fsctl.hunt.machine.NEWS_TIME``."""


class Layout(NamedTuple):
    """Members and their phones: ``answering`` phones of each pick up, ``dead`` react to nothing."""

    name: str
    members: int
    each: int
    answering: int
    dead: int = 0
    confirm: bool = False


LAYOUTS = (
    Layout("two phones", 2, 2, 2),
    Layout("three phones", 2, 3, 3),
    Layout("two members, two phones each", 2, 2, 4),
    Layout("two phones, press 1", 2, 2, 2, confirm=True),
    Layout("one dead, one alive", 2, 2, 2, dead=1),
    Layout("one dead, two alive", 2, 3, 2, dead=1),
)
"""The first member answers with up to ``each`` phones, the second with what is left of them."""


def twins(count: int, seed: int, desks: int) -> Tally:
    """Phones of the same members answer together, in every layout."""
    tally = Tally("twins", "from the first answer until the caller's")
    for layout in LAYOUTS:
        delays = (0.0,) * layout.members
        with stage(desks, delays, WAIT, each=layout.each, confirm=layout.confirm) as on:
            engine = make_engine(on.database_url)
            on.run(tally, -(-count // len(LAYOUTS)), seed, _trial(layout, tally, on, engine))
            engine.dispose()
    return tally


def _trial(layout: Layout, tally: Tally, on: Stage, engine: Engine):
    def trial(desk: Desk, number: int, chance: random.Random) -> None:
        for at, phone in enumerate(desk.phones):
            dead = at % layout.each < layout.dead
            phone.script = Script(dead=dead, press_after=0.2 if layout.confirm else None)
        alive = [phone for phone in desk.phones if not phone.script.dead]
        caller = desk.dial(on.controllers)
        for phone in alive:
            desk.log.wait(phone.label, "invite")
        # FreeSWITCH works on a 20 ms beat: the answers must not keep step with it.
        gevent.sleep(chance.uniform(0.0, 0.04))
        answering = [phone.calls[0] for phone in alive][: layout.answering]
        chance.shuffle(answering)
        gap = chance.choice(GAPS)
        _answer(answering, gap)
        winner = _one_talks(desk, caller, answering)
        took = desk.log.wait("caller", "answered").at - desk.log.all(what="answer")[0].at
        gevent.sleep(QUIET)
        _nobody_else(desk, winner)
        hang_up(desk, caller, winner, by_member=bool(number % 3))
        _recorded(engine, caller.call_id, winner)
        tally.add(f"{layout.name}", took)

    return trial


def _answer(legs: list[RingingCall], gap: float) -> None:
    """Pick up one after the other: a phone that has lost by then is not picked up any more."""
    if gap:
        for leg in legs:
            leg.answer()
            gevent.sleep(gap)
        return
    sent = [leg.accept() for leg in legs]
    datagrams = [message.encode() for message in sent]
    moments = [leg.send(datagram) for leg, datagram in zip(legs, datagrams, strict=True)]
    for leg, message, at in zip(legs, sent, moments, strict=True):
        leg.accepted(message, at)


def _one_talks(desk: Desk, caller: OutgoingCall, answering: list[RingingCall]) -> RingingCall:
    """Return the one phone that has the caller: both hear each other."""

    def left() -> list[RingingCall]:
        return [leg for leg in desk.live if not ignored(leg)]

    desk.log.until(lambda: caller.talking and len(left()) == 1, 3.0)
    if not caller.talking or len(left()) != 1:
        live = [leg.who for leg in left()]
        raise Wrong(f"{live} live, the caller talks: {caller.talking}")
    winner = left()[0]
    if winner not in answering:
        raise Wrong(f"{winner.who} is left, and did not answer")
    if not both_ways(caller.voice, winner.voice, 3.0):
        raise Wrong("no voice both ways")
    return winner


def _nobody_else(desk: Desk, winner: RingingCall) -> None:
    again = [phone.label for phone in desk.phones if len(phone.calls) > 1]
    if again:
        raise Wrong(f"{again} were rung again while the caller talked")
    if others := [leg.who for leg in desk.live if leg is not winner and not ignored(leg)]:
        raise Wrong(f"{others} ring or talk besides {winner.who}")


def _recorded(engine: Engine, uuid: str, winner: RingingCall) -> None:
    """Check what the record says of the call, which no mail of a missed call may follow."""
    found: list[CallRecord] = []

    def ended() -> bool:
        found[:] = [stored.record for stored in find_calls(engine, uuid, hidden=0)]
        return bool(found) and found[0].talk_seconds is not None

    if not eventually(ended, 5.0):
        raise Wrong(f"no record of a conversation: {found}")
    record, member = found[0], winner.who.partition("#")[0]
    if (record.outcome, record.answered_by) != (CallOutcome.ANSWERED, member):
        raise Wrong(f"recorded as {record.outcome} by {record.answered_by}, not {member}")
    wanted = {member: [Outcome.ANSWERED.value]}
    got: dict[str, list[str]] = {}
    for attempt in record.attempts:
        got.setdefault(attempt.member, []).append(attempt.outcome)
    others = {other: [Outcome.CANCELLED.value] for other in got if other != member}
    if got != wanted | others:
        raise Wrong(f"{member} had the caller, recorded are {record.attempts}")
