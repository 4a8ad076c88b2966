"""A caller who is picked up from another telephone while a member's telephone is answered."""

from __future__ import annotations

import random

import gevent

from tests.live.caller import OutgoingCall
from tests.live.phone import RingingCall
from tests.live.rtp import both_ways
from tests.live.trials.desk import Desk
from tests.live.trials.races import PROVEN, answer_together, hang_up, told_elsewhere
from tests.live.trials.stage import stage
from tests.live.trials.tally import Tally, Wrong

CODE = "*8"
AHEAD = 0.12
"""Seconds after dialling within which the member answers: the claim of who picks up is made in the
midst of them."""


def pickup(count: int, seed: int, desks: int) -> Tally:
    """The third member, whose turn has not come, picks up while the first one answers."""
    tally = Tally("pickup", "from the winner's answer until the last other telephone is told")
    with stage(desks, (0.0, 0.0, 9.0), wait=10.0) as on:

        def trial(desk: Desk, number: int, chance: random.Random) -> None:
            caller = desk.dial(on.controllers)
            for phone in desk.phones[:2]:
                desk.log.wait(phone.label, "invite")
            gevent.sleep(chance.uniform(0.0, 0.04))
            picker = desk.dial_from(desk.phones[2], CODE + desk.number, on.controllers, "picker")
            gevent.sleep(chance.uniform(0.0, AHEAD))
            if (member := desk.legs[0]).rings:
                answer_together([member])
            winner = _one_has_the_caller(desk, caller, picker)
            if winner not in (member, picker):
                raise Wrong(f"{winner.who} has the caller, who did not pick up")
            answered = desk.log.wait(winner.who, "answered" if winner is picker else "answer").at
            if winner is picker and (late := desk.log.all(member.who, "answer")):
                answered = max(answered, late[0].at)  # nobody is told before
            others = [leg for leg in desk.legs if leg is not winner]
            slowest = max(told_elsewhere(leg, answered) for leg in others if not ignored(leg))
            if number % PROVEN == 0 and not both_ways(caller.voice, winner.voice, 3.0):
                raise Wrong("no voice both ways")
            if winner is member and not desk.log.until(lambda: picker.over, 3.0):
                raise Wrong("who picked up too late is not released")
            hang_up(desk, caller, winner, by_member=bool(number % 3))
            how = "picked up" if winner is picker else "answered by the member"
            tally.add(how + (", a 200 ignored" if any(map(ignored, others)) else ""), slowest)

        on.run(tally, count, seed, trial)
    return tally


def ignored(leg: RingingCall) -> bool:
    """Whether a telephone has answered and FreeSWITCH has neither acknowledged nor ended that.

    Its SIP stack does so when it takes the 200 in the very instant in which FreeSWITCH cancels the
    leg (``sofia_on_hangup`` sends a CANCEL that comes to nothing). Such a telephone has nobody; it
    gives up by itself (RFC 3261, 13.3.1.4). Nothing outside of the switch can prevent it.
    """
    return not (leg.rings or leg.over or leg.acknowledged)


def _one_has_the_caller(
    desk: Desk, caller: OutgoingCall, picker: OutgoingCall
) -> RingingCall | OutgoingCall:
    """Wait until the caller talks, and one telephone that was rung or has picked up."""

    def there() -> list[RingingCall | OutgoingCall]:
        return [*desk.live, *([picker] if picker.talking and not picker.over else [])]

    desk.log.until(lambda: caller.talking and len(there()) <= 1, 3.0)
    left = [one for one in there() if one is picker or not ignored(one)]
    if not caller.talking or len(left) != 1:
        raise Wrong(f"{[one.who for one in left]} live, the caller talks: {caller.talking}")
    winner = left[0]
    if not desk.log.until(lambda: winner.talking, 1.0):
        raise Wrong("the winner's answer was not acknowledged")
    return winner
