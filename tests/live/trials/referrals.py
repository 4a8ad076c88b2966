"""Transfers that need more of a leg than that the caller can be sent away from it.

Semi-attended: the member calls somebody, and transfers the caller while that phone still rings. A
colleague who called the group transfers the member, to an extension or to another group.
"""

from __future__ import annotations

import random
import re
from urllib.parse import quote

import gevent

from tests.live.caller import OutgoingCall
from tests.live.configuration import DOMAIN
from tests.live.dialog import Dialog
from tests.live.phone import Phone, RingingCall
from tests.live.rtp import both_ways
from tests.live.trials.desk import Desk
from tests.live.trials.stage import Stage, stage
from tests.live.trials.tally import Tally, Wrong
from tests.live.trials.transfers import add_second_groups, second_group
from tests.scenarios.rig import Script

WAIT = 10.0
STAYS = 0.4
"""Seconds for which a conversation after a transfer has to last."""


def referrals(count: int, seed: int, desks: int) -> Tally:
    """Transfer in each of these ways: two talk afterwards, and the third is out of it."""
    tally = Tally("referrals", "from the transfer until the two talk")
    with stage(desks, (0.0,), WAIT) as on:
        add_second_groups(on, confirm=False)
        for desk, phone in zip(on.desks, _colleagues(on), strict=True):
            desk.phones.append(phone)

        def trial(desk: Desk, number: int, chance: random.Random) -> None:
            kind, way = _WAYS[number % len(_WAYS)]
            member, target, _ = desk.phones
            member.script = Script(answer_after=chance.uniform(0.0, 0.2))
            target.script = Script(answer_after=chance.uniform(0.3, 1.5))
            tally.add(kind, way(desk, on, chance))

        on.run(tally, count, seed, trial)
    return tally


def _colleagues(on: Stage) -> list[Phone]:
    """Return a phone for each desk, of a user who is no member."""
    made = []
    for at, desk in enumerate(on.desks):
        internal = ("127.0.0.1", on.switch.ports.internal)
        made.append(Phone(f"test{80 + at:03}", DOMAIN, on.switch.password, internal, desk.log))
        made[-1].register()
    return made


def _semi_attended(desk: Desk, on: Stage, chance: random.Random) -> float:
    member, target, _ = desk.phones
    caller = desk.dial(on.controllers)
    leg = _talking(desk, caller)
    consult = desk.dial_from(member, f"bridge-{target.user}", on.controllers, "consult")
    desk.log.wait("consult", "ringing")
    gevent.sleep(chance.uniform(0.0, 0.2))
    local = re.search("tag=([^;>]+)", consult._local)
    assert local
    replaced = quote(f"{consult.call_id};to-tag=x;from-tag={local[1]}", safe="")
    leg.transfer(f"sip:{target.user}@{DOMAIN}?Replaces={replaced}")
    return _connected(desk, caller, target, (leg, consult))


def _to_an_extension(desk: Desk, on: Stage, chance: random.Random) -> float:
    return _by_colleague(desk, on, chance, f"bridge-{desk.phones[1].user}")


def _to_a_group(desk: Desk, on: Stage, chance: random.Random) -> float:
    return _by_colleague(desk, on, chance, second_group(desk))


def _by_colleague(desk: Desk, on: Stage, chance: random.Random, number: str) -> float:
    _, target, colleague = desk.phones
    caller = desk.dial_from(colleague, desk.number, on.controllers, "caller")
    leg = _talking(desk, caller)
    gevent.sleep(chance.uniform(0.0, 0.3))
    caller.transfer(f"sip:{number}@{DOMAIN}")
    return _connected(desk, leg, target, (caller,))


def _talking(desk: Desk, caller: OutgoingCall) -> RingingCall:
    """Return the member's leg, once voice goes both ways."""
    if not desk.log.until(lambda: caller.talking and any(one.talking for one in desk.live), 5.0):
        raise Wrong("nobody answered")
    [leg] = [one for one in desk.live if one.talking]
    if not both_ways(caller.voice, leg.voice, 3.0):
        raise Wrong("no voice both ways before the transfer")
    return leg


def _connected(desk: Desk, one: Dialog, target: Phone, out: tuple[Dialog, ...]) -> float:
    """See that ``one`` and the target talk, and that the others are hung up."""
    began = desk.log.all()[-1].at
    desk.log.until(lambda: any(call.talking for call in target.calls) or one.over, 5.0)
    talking = [call for call in target.calls if call.talking]
    if one.over or len(talking) != 1:
        raise Wrong(f"{one.who} was lost")
    if not both_ways(one.voice, talking[0].voice, 3.0):
        raise Wrong("no voice both ways after the transfer")
    if not desk.log.until(lambda: all(call.over for call in out), 3.0):
        raise Wrong("who transferred is still in the call")
    if desk.log.until(lambda: one.over or talking[0].over, STAYS):
        raise Wrong("the conversation broke off")
    one.say_bye()
    if not desk.log.until(lambda: talking[0].over, 3.0):
        raise Wrong("the other side was not hung up")
    return desk.log.all(target.label, "answer")[-1].at - began


_WAYS = (
    ("semi-attended", _semi_attended),
    ("the caller transfers the member to an extension", _to_an_extension),
    ("the caller transfers the member to a group", _to_a_group),
)
