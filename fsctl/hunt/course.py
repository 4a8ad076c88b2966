"""A call in virtual time from group to group, to wherever it ends. Pure, like all of the hunt."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

from fsctl.hunt.admission import REASONS, Admitted, Refusal
from fsctl.hunt.endings import (
    Ending,
    Reason,
    all_onward,
    ending_for,
    following,
    reason_of,
)
from fsctl.hunt.group import Group, same_user
from fsctl.hunt.nesting import everybody
from fsctl.hunt.outcomes import CALLER_GONE, Outcome
from fsctl.hunt.schedule import without
from fsctl.hunt.simulation import BUSY, Phones, Simulated, simulate


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of a call in one group, and after: how it went, or why nobody rang.

    ``reason`` is why nobody took the call and ``ending`` where the caller goes, both None for one
    who has a member, has given up, or stands in line; ``onward`` is the group that comes next.
    ``stands`` says that he stands in line next, of which the next step tells: for ``in_line``
    seconds, in which he tried ``tries`` times in vain.
    """

    group: Group
    went: Simulated | Refusal
    reason: Reason | None
    ending: Ending | None
    onward: Group | None
    stands: bool = False
    in_line: float | None = None
    tries: int = 0

    @property
    def cause(self) -> str:
        """What the caller is released with when nothing else comes."""
        came_to = self.went.value if isinstance(self.went, Refusal) else self.went.cause
        return (self.ending.cause if self.ending else "") or came_to


def steps(
    group: Group, phones: Phones, decide: Callable[[Group], Admitted | Refusal]
) -> Iterator[Step]:
    """Yield what becomes of a call in each group that it comes to; ``decide`` admits it there."""
    began = 0.0
    for hop in count():
        admitted = decide(group)
        went: Simulated | Refusal
        reason: Reason | None
        if isinstance(admitted, Refusal):
            went, reason, lasted = admitted, REASONS.get(admitted), 0.0
        else:
            went = simulate(admitted.schedule, phones.later(began))
            lasted, reason = went.ended, _reason(went)
        stood: Stood | None = None
        if isinstance(admitted, Admitted) and reason is Reason.BUSY and group.line:
            yield Step(group, went, None, None, None, stands=True)
            stood = _stand(admitted, phones, began + lasted)
            went, reason, lasted = stood.went, stood.reason, lasted + stood.lasted
        ending: Ending | None = None
        onward: Group | None = None
        if reason:
            ending, onward = following(group, ending_for(group, reason), hop)
        about = (stood.in_line, stood.tries) if stood else (None, 0)
        yield Step(group, went, reason, ending, onward, False, *about)
        if onward is None:
            return
        group, began = onward, began + lasted


def _reason(went: Simulated) -> Reason | None:
    over = went.winner is not None or went.cause == CALLER_GONE
    return None if over else reason_of(went.cause)


@dataclass(frozen=True, slots=True)
class Stood:
    """How it was in line, where nobody else is: the hunt that ended it, or none, and why."""

    went: Simulated
    reason: Reason | None
    in_line: float
    lasted: float
    tries: int


def _stand(admitted: Admitted, phones: Phones, began: float) -> Stood:
    """Stand in line from so many seconds after the beginning on: alone, and so always the first.

    He tries when a busy member's conversation has ended, and every ``line_retry`` anyway.
    """
    group = admitted.group
    at = hunted = 0.0
    tries = 0
    hang_up = math.inf if phones.hang_up is None else phones.hang_up - began
    rejected: set[str] = set()
    while True:
        ends = [until - began for until in phones.busy_until.values() if until - began > at]
        next_try = min([at + group.line_retry, *ends])
        if hang_up <= min(next_try, group.line_wait):
            gone = Simulated((), None, CALLER_GONE, 0.0)
            return Stood(gone, None, hang_up - hunted, hang_up, tries)
        if next_try >= group.line_wait:
            over = Simulated((), None, BUSY, 0.0)
            in_line = group.line_wait - hunted
            return Stood(over, Reason.LINE_OVER, in_line, group.line_wait, tries)
        went = simulate(without(admitted.schedule, rejected), phones.later(began + next_try))
        reason = _reason(went)
        if reason is not Reason.BUSY:
            return Stood(went, reason, next_try - hunted, next_try + went.ended, tries)
        rejected |= {leg.member for leg in went.legs if leg.outcome is Outcome.REJECTED}
        tries, hunted, at = tries + 1, hunted + went.ended, next_try + went.ended


def member_named(group: Group, user: str) -> str | None:
    """Return a member of the groups that a call may come to, as it is written there."""
    everyone = (member for one in (group, *all_onward(group)) for member in everybody(one))
    return next((member for member in everyone if same_user(member, user)), None)
