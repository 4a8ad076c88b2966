"""A call in virtual time: the very machine that serves calls, with telephones that only exist here.

Used for the preview that an administrator sees. Times are seconds from the start of the call.
"""

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

from fsctl.hunt import events as ev
from fsctl.hunt.ledger import Leg
from fsctl.hunt.machine import Hunt
from fsctl.hunt.outcomes import NOT_REGISTERED
from fsctl.hunt.schedule import Schedule

BUSY = "USER_BUSY"
"""Cause of a telephone in a conversation."""


@dataclass(frozen=True, slots=True)
class Phones:
    """How the members' telephones behave.

    ``answers``: user -> seconds from the start of the call at which the member picks up, if the
    phone rings then. ``refuses``: user -> hangup cause with which the phone refuses at once.
    ``busy_until``: user -> when the conversation ends, of which the switch tells; until then the
    phone is busy. ``hang_up``: when the caller gives up; None for a caller with patience.
    """

    answers: Mapping[str, float] = field(default_factory=dict)
    refuses: Mapping[str, str] = field(default_factory=dict)
    hang_up: float | None = None
    busy_until: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def script(
        cls,
        answers: Mapping[str, float],
        busy: tuple[str, ...] = (),
        offline: tuple[str, ...] = (),
        hang_up: float | None = None,
        busy_until: Mapping[str, float] | None = None,
    ) -> "Phones":
        """Return phones of which some are busy or unregistered."""
        refuses = dict.fromkeys(busy, BUSY) | dict.fromkeys(offline, NOT_REGISTERED)
        return cls(answers, refuses, hang_up, busy_until or {})

    def later(self, seconds: float) -> "Phones":
        """Return the same telephones for a hunt that begins so much later in the call."""
        answers = {user: at - seconds for user, at in self.answers.items()}
        hang_up = None if self.hang_up is None else max(0.0, self.hang_up - seconds)
        busy_until = {user: at - seconds for user, at in self.busy_until.items()}
        return Phones(answers, self.refuses, hang_up, busy_until)

    def refusal(self, user: str, now: float) -> str | None:
        """Return the cause with which a phone refuses at once, None when it rings."""
        return BUSY if now < self.busy_until.get(user, now) else self.refuses.get(user)


@dataclass(frozen=True, slots=True)
class Simulated:
    """How a simulated call went: its legs, and who got the caller or the cause of its release."""

    legs: tuple[Leg, ...]
    winner: str | None
    cause: str
    ended: float


def simulate(schedule: Schedule, phones: Phones) -> Simulated:
    """Play one call over ``schedule`` and return how it went. Always ends within its wait time."""
    hunt = Hunt(schedule, 0.0)
    agenda: list[tuple[float, int, ev.Event]] = []
    turn = count()

    def plan(at: float, event: ev.Event) -> None:
        heapq.heappush(agenda, (at, next(turn), event))

    if phones.hang_up is not None:
        plan(phones.hang_up, ev.CallerGone("ORIGINATOR_CANCEL"))
    now = 0.0
    actions = hunt.tick(now)
    while True:
        for event, after in _carried_out(actions, phones, hunt, now):
            plan(now + after, event)
        due = hunt.due
        if due is not None and (not agenda or due <= agenda[0][0]):
            now = max(now, due)
            actions = hunt.tick(now)
        elif agenda:
            now, _, happening = heapq.heappop(agenda)
            actions = hunt.handle(happening, now)
        else:
            break
    winner = hunt.winner.member if hunt.winner else None
    return Simulated(tuple(hunt.legs.values()), winner, hunt.cause, hunt.over_at or 0.0)


def _carried_out(
    actions: list[ev.Action], phones: Phones, hunt: Hunt, now: float
) -> Iterator[tuple[ev.Event, float]]:
    """Yield what a switch would report of these actions, and after how many seconds."""
    for action in actions:
        if isinstance(action, ev.StartLeg):
            yield from _rings(action, phones, now)
        elif isinstance(action, ev.CancelLeg):
            yield ev.LegEnded(action.leg, action.cause), 0.0
        elif isinstance(action, ev.CancelAll):
            for leg in hunt.legs.values():
                if leg.ended is None:
                    yield ev.LegEnded(leg.number, action.cause), 0.0
        else:
            yield ev.CallerGone(action.cause), 0.0


def _rings(start: ev.StartLeg, phones: Phones, now: float) -> Iterator[tuple[ev.Event, float]]:
    refusal = phones.refusal(start.member, now)
    if refusal is not None:
        yield ev.LegEnded(start.leg, refusal), 0.0
        return
    yield ev.LegRinging(start.leg), 0.0
    answer = phones.answers.get(start.member)
    if answer is not None and answer >= now:
        yield ev.LegAnswered(start.leg), answer - now
        yield ev.LegConnected(start.leg), answer - now
