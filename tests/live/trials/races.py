"""The races of a hunt: answers in the same instant, callers who give up, members who vanish."""

from __future__ import annotations

import random
import time

import gevent

from tests.live.caller import OutgoingCall
from tests.live.phone import RingingCall
from tests.live.rtp import both_ways
from tests.live.trials.desk import Desk
from tests.live.trials.stage import stage
from tests.live.trials.tally import Tally, Wrong

PROVEN = 10
"""Of so many trials one has its voice listened to."""
LOSER_TIME = 0.1
"""Seconds after the answer within which everybody else has to be told."""
QUIET_TIME = 2.0
"""Seconds after the caller gave up from which on no telephone may ring or talk."""


def answer_together(legs: list[RingingCall]) -> float:
    """Have all of these pick up, the 200s sent back to back; return the moment of the first."""
    sent = [leg.accept() for leg in legs]
    datagrams = [message.encode() for message in sent]
    moments = [leg.send(datagram) for leg, datagram in zip(legs, datagrams, strict=True)]
    for leg, message, at in zip(legs, sent, moments, strict=True):
        leg.accepted(message, at)
    return moments[0]


def together(count: int, seed: int, desks: int) -> Tally:
    """Two or three members answer in the same instant."""
    tally = Tally("together", "from the answer until the last other member is told")
    with stage(desks, (0.0, 0.0, 0.0), wait=10.0) as on:

        def trial(desk: Desk, number: int, chance: random.Random) -> None:
            answering = 2 + number % 2
            caller = desk.dial(on.controllers)
            for phone in desk.phones:
                desk.log.wait(phone.label, "invite")
            # FreeSWITCH works on a 20 ms beat: the answers must not keep step with it.
            gevent.sleep(chance.uniform(0.0, 0.04))
            legs = chance.sample(desk.legs, answering)
            answered = answer_together(legs)
            winner = _one_has_the_caller(desk, caller)
            losers = [leg for leg in desk.legs if leg is not winner]
            slowest = max(told_elsewhere(leg, answered) for leg in losers)
            if number % PROVEN == 0 and not both_ways(caller.voice, winner.voice, 3.0):
                raise Wrong("no voice both ways")
            hang_up(desk, caller, winner, by_member=bool(number % 3))
            tally.add(f"{answering} at once", slowest)

        on.run(tally, count, seed, trial)
    return tally


def _one_has_the_caller(desk: Desk, caller: OutgoingCall) -> RingingCall:
    """Wait until one leg is left and the caller talks."""
    if not desk.log.until(lambda: caller.talking and len(desk.live) <= 1, 3.0):
        raise Wrong(f"{len(desk.live)} legs live, the caller talks: {caller.talking}")
    if len(desk.live) != 1:
        raise Wrong("nobody has the caller")
    winner = desk.live[0]
    if not desk.log.until(lambda: winner.talking, 1.0):
        raise Wrong("the winner's answer was not acknowledged")
    return winner


def told_elsewhere(leg: RingingCall, answered: float) -> float:
    """Return how long after the answer this leg was told that the call was completed elsewhere.

    When a telephone's 200 crosses the CANCEL, FreeSWITCH's SIP stack says BYE by itself and gives
    no reason. The telephone has been answered, so it shows no missed call either way.
    """
    at, reason = leg.told or (answered, "nothing")
    if "Call completed elsewhere" not in reason and not (leg.acknowledged and not reason):
        raise Wrong(f"{leg.who} was told {reason}")
    if at - answered > LOSER_TIME:
        raise Wrong(f"{leg.who} was told {at - answered:.3f} s after the answer")
    return at - answered


def hang_up(
    desk: Desk, caller: OutgoingCall, winner: RingingCall | OutgoingCall, by_member: bool
) -> None:
    """Have one side hang up, and see the other hung up."""
    one, other = (winner, caller) if by_member else (caller, winner)
    one.hang_up()
    if not desk.log.until(lambda: other.over, 3.0):
        raise Wrong("the other side was not hung up")


def giveup(count: int, seed: int, desks: int) -> Tally:
    """The caller gives up at a random moment."""
    tally = Tally("giveup", "from giving up until the last telephone is quiet")
    with stage(desks, (0.0, 0.0, 0.3), wait=10.0) as on:

        def trial(desk: Desk, number: int, chance: random.Random) -> None:
            kind, moment = _MOMENTS[number % len(_MOMENTS)]
            caller = desk.dial(on.controllers)
            moment(desk, caller, chance)
            gave_up = desk.log.wait("caller", "gave up").at
            # Nothing to wait for: a telephone that is rung too late is what must not happen.
            gevent.sleep(QUIET_TIME)
            if not desk.silent:
                raise Wrong(f"{kind}: {[leg.who for leg in desk.live]} still ring or talk")
            if not caller.over:
                raise Wrong(f"{kind}: the caller is still in a call")
            if desk.phones[2].calls and gave_up - desk.log.wait("caller", "calling").at < 0.25:
                raise Wrong(f"{kind}: a member was rung whose turn had not come")
            ends = [leg.told[0] for leg in desk.legs if leg.told]
            tally.add(kind, max(ends, default=gave_up) - gave_up)

        on.run(tally, count, seed, trial)
    return tally


def _at_the_start(desk: Desk, caller: OutgoingCall, chance: random.Random) -> None:
    gevent.sleep(chance.uniform(0.0, 0.06))
    caller.hang_up()


def _at_once(desk: Desk, caller: OutgoingCall, chance: random.Random) -> None:
    caller.hang_up()


def _as_the_next_starts(desk: Desk, caller: OutgoingCall, chance: random.Random) -> None:
    gevent.sleep(0.3 + chance.uniform(-0.01, 0.06))
    caller.hang_up()


def _after_the_answer(desk: Desk, caller: OutgoingCall, chance: random.Random) -> None:
    first = desk.phones[0].label
    desk.log.wait(first, "invite")
    gevent.sleep(chance.uniform(0.0, 0.04))
    desk.phones[0].calls[0].answer()
    gevent.sleep(chance.uniform(0.0, 0.09))
    caller.hang_up()


def _with_the_answer(desk: Desk, caller: OutgoingCall, chance: random.Random) -> None:
    desk.log.wait(desk.phones[0].label, "invite")
    gevent.sleep(chance.uniform(0.0, 0.04))
    both = [desk.phones[0].calls[0].answer, caller.hang_up]
    chance.shuffle(both)
    for act in both:
        act()


_MOMENTS = (
    ("in the first 60 ms", _at_the_start),
    ("in the same ms as calling", _at_once),
    ("as the next member starts", _as_the_next_starts),
    ("after an answer", _after_the_answer),
    ("in the same ms as an answer", _with_the_answer),
)


HUNT_WAIT = 2.0
RELEASED_IN = 1.0
"""Seconds beyond the group's wait time at which no caller may be left in the switch."""
SILENCE = 1.0
"""Seconds that a caller may be answered with nobody there."""


def hangup50(count: int, seed: int, desks: int) -> Tally:
    """A member hangs up within 50 ms of answering; the others only ring."""
    tally = Tally("hangup50", "from that until the caller is released or others ring again")
    with stage(desks, (0.0, 0.0, 0.5), wait=HUNT_WAIT) as on:

        def trial(desk: Desk, number: int, chance: random.Random) -> None:
            caller = desk.dial(on.controllers)
            desk.log.wait(desk.phones[0].label, "invite")
            gevent.sleep(chance.uniform(0.0, 0.05))
            leg = desk.phones[0].calls[0]
            leg.answer()
            gevent.sleep(chance.uniform(0.0, 0.05))
            vanished = time.monotonic()
            leg.hang_up()
            tally.add(*_aftermath(desk, caller, vanished))

        on.run(tally, count, seed, trial)
    return tally


def _aftermath(desk: Desk, caller: OutgoingCall, vanished: float) -> tuple[str, float]:
    """See the caller's call to its end; return how it went, and how long nobody cared."""
    latest = desk.log.wait("caller", "calling").at + HUNT_WAIT + RELEASED_IN
    over_or_talking = desk.log.until(
        lambda: caller.over or caller.talking, latest - time.monotonic()
    )
    if not over_or_talking:
        raise Wrong("the caller was neither released nor answered")
    if caller.talking and not desk.log.until(lambda: caller.over, SILENCE):
        raise Wrong("the caller is left in silence")
    ended = max(seen.at for seen in desk.log.all("caller"))
    if not desk.log.until(lambda: desk.silent, 1.0):
        raise Wrong("a telephone rings although the caller is gone")
    if desk.log.all("caller", "bye"):
        return "answered and hung up", ended - vanished
    again = [seen.at for seen in desk.log.all(what="invite") if seen.at > vanished]
    if any(len(phone.calls) > 1 for phone in desk.phones):
        return "others rung again", min(again) - vanished
    return "others ring on", 0.0
