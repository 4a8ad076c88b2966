"""A call in virtual time from group to group, to wherever it ends. Pure, like all of the hunt."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from fsctl.hunt.admission import REASONS, Admitted, Refusal
from fsctl.hunt.endings import (
    MOST_HOPS,
    RELEASE,
    TOO_MANY_HOPS,
    Ending,
    Kind,
    Reason,
    all_onward,
    ending_for,
    group_after,
    reason_of,
)
from fsctl.hunt.group import Group, same_user
from fsctl.hunt.nesting import everybody
from fsctl.hunt.outcomes import CALLER_GONE
from fsctl.hunt.simulation import Phones, Simulated, simulate


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of a call in one group, and after: how it went, or why nobody rang.

    ``ending`` is where the caller goes, None for one who has a member or has given up; ``onward``
    is the group that comes next.
    """

    group: Group
    went: Simulated | Refusal
    ending: Ending | None
    onward: Group | None

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
    for hop in range(MOST_HOPS):
        admitted = decide(group)
        went: Simulated | Refusal
        reason: Reason | None
        if isinstance(admitted, Refusal):
            went, reason, lasted = admitted, REASONS.get(admitted), 0.0
        else:
            went = simulate(admitted.schedule, phones.later(began))
            lasted = went.ended
            over = went.winner is not None or went.cause == CALLER_GONE
            reason = None if over else reason_of(went.cause)
        ending = ending_for(group, reason) if reason else None
        onward = group_after(group, ending) if ending else None
        if ending and ending.kind is Kind.GROUP and (onward is None or hop + 1 >= MOST_HOPS):
            ending, onward = replace(RELEASE, cause=TOO_MANY_HOPS if onward else ""), None
        yield Step(group, went, ending, onward)
        if onward is None:
            return
        group, began = onward, began + lasted


def member_named(group: Group, user: str) -> str | None:
    """Return a member of the groups that a call may come to, as it is written there."""
    everyone = (member for one in (group, *all_onward(group)) for member in everybody(one))
    return next((member for member in everyone if same_user(member, user)), None)
