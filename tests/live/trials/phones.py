"""What telephones can answer: every refusal that SIP has, redirects, early media, two for one user.

The table that this prints is where the comments in ``fsctl/hunt/outcomes.py`` come from.
"""

from __future__ import annotations

import random
from collections import defaultdict
from itertools import groupby

from fsctl.hunt.outcomes import outcome_of
from tests.live.caller import OutgoingCall
from tests.live.configuration import DOMAIN
from tests.live.eventsocket import Event, EventSocket
from tests.live.phone import Phone
from tests.live.trials.desk import Desk
from tests.live.trials.stage import Stage, eventually, stage
from tests.live.trials.tally import Tally, Wrong
from tests.scenarios.rig import Script

CODES = range(400, 700)
RELEASED_IN = 2.0
"""Seconds from a refusal within which a caller with nobody else to hope for is released."""
WAIT = 2.0


class Causes:
    """The causes with which legs ended, as the switch says, by the caller's channel."""

    def __init__(self, on: Stage) -> None:
        self.of: dict[str, list[str]] = defaultdict(list)
        switch = on.switch
        self._socket = EventSocket(switch.ports.event_socket, switch.password, self._ended)
        self._socket.command("event json CHANNEL_HANGUP_COMPLETE")

    def _ended(self, event: Event) -> None:
        if caller := event.get("variable_fsctl_call"):
            self.of[caller].append(event.get("Hangup-Cause", ""))


def phones(count: int, seed: int, desks: int) -> Tally:
    """The only member's telephone answers with each code once, then in ways of its own."""
    tally = Tally("phones", "from the refusal until the caller is released")
    table: dict[int, tuple[str, str]] = {}
    with stage(desks, (0.0,), WAIT) as on:
        causes = Causes(on)

        def trial(desk: Desk, number: int, chance: random.Random) -> None:
            if number < len(_WAYS):
                kind, way = _WAYS[number]
                way(desk, on)
                tally.add(kind)
                return
            code = CODES[number - len(_WAYS)]
            caller, took = _refused(desk, on, code)
            eventually(lambda: bool(causes.of[caller.call_id]))
            cause = causes.of[caller.call_id][-1]
            told = desk.log.wait("caller", "released").detail["code"]
            table[code] = cause, f"{outcome_of(cause).value}, caller gets {told}"
            tally.add(outcome_of(cause).value, took)

        on.run(tally, min(count, len(_WAYS) + len(CODES)), seed, trial)
    tally.notes += _lines(table)
    return tally


def _refused(desk: Desk, on: Stage, code: int) -> tuple[OutgoingCall, float]:
    """Place a call that is refused; return it and the seconds from that to its release."""
    desk.phones[0].script = Script(refuse=code)
    caller = desk.dial(on.controllers)
    if not desk.log.until(lambda: caller.over, RELEASED_IN):
        raise Wrong(f"{code}: the caller is not released")
    if len(desk.legs) != 1:
        raise Wrong(f"{code}: the telephone was called {len(desk.legs)} times")
    refused = next(seen.at for seen in desk.log.all(desk.phones[0].label) if seen.what != "invite")
    return caller, desk.log.wait("caller", "released").at - refused


def _lines(table: dict[int, tuple[str, str]]) -> list[str]:
    """Return the table, codes with the same end together."""
    rows: dict[tuple[str, str], list[int]] = defaultdict(list)
    for code, end in sorted(table.items()):
        rows[end].append(code)
    return [f"{cause}: {what}: {_ranges(codes)}" for (cause, what), codes in rows.items()]


def _ranges(codes: list[int]) -> str:
    runs = groupby(enumerate(codes), lambda pair: pair[1] - pair[0])
    ends = [[code for _, code in run] for _, run in runs]
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in ends)


# Ways of their own


def _redirects(desk: Desk, on: Stage) -> None:
    """302: not followed."""
    caller, _ = _refused(desk, on, 302)
    if not caller.over or any(leg.talking for leg in desk.legs):
        raise Wrong("the redirect was followed")


def _early_media(desk: Desk, on: Stage) -> None:
    """183 with media: no answer."""
    desk.phones[0].script = Script(early_media=True)
    caller = desk.dial(on.controllers)
    released = desk.log.wait("caller", "released", WAIT + RELEASED_IN)
    if desk.log.all("caller", "answered") or released.detail["code"] != 480:
        raise Wrong("early media was taken for an answer")
    if released.at - desk.log.wait("caller", "calling").at < WAIT - 0.1 or not caller.over:
        raise Wrong("the telephone did not ring for as long as the group waits")


def _second_telephone(desk: Desk, on: Stage) -> None:
    """Two registrations of one user: both ring, one answers, the other is told."""
    first = desk.phones[0]
    switch = ("127.0.0.1", on.switch.ports.internal)
    second = Phone(f"{first.label}#2", DOMAIN, first.password, switch, desk.log)
    second.register()
    try:
        second.script = Script(answer_after=0.2)
        caller = desk.dial(on.controllers)
        desk.log.wait("caller", "answered")
        told = desk.log.wait(first.label, "cancel").detail["reason"]
        if "Call completed elsewhere" not in str(told) or not second.calls[0].talking:
            raise Wrong(f"the first telephone was told {told}")
        caller.hang_up()
        desk.log.wait(second.label, "bye")
    finally:
        second.register(expires=0)
        second.close()


_WAYS = (
    ("redirect not followed", _redirects),
    ("early media no answer", _early_media),
    ("second telephone rings and answers", _second_telephone),
)
