"""Strategy "progressive": one after another joins those who ring already."""

from itertools import accumulate

from fsctl.hunt.group import Group
from fsctl.hunt.memory import Memory
from fsctl.hunt.schedule import Ring, Schedule
from fsctl.hunt.strategies.parts import RING_TIME, can_ring, in_order, in_rounds, ring_time


def progressive(group: Group, calling_user: str | None, _memory: Memory, _chance: int) -> Schedule:
    """Return the schedule in which a member's ring time is how long until the next one joins.

    All ring until the last has rung so long.
    """
    members = can_ring(in_order(group), calling_user)
    steps = [ring_time(group, member, RING_TIME) for member in members]
    starts = list(accumulate(steps, initial=0.0))
    rings = [
        Ring(member.user, start, starts[-1] - start)
        for member, start in zip(members, starts, strict=False)
    ]
    return in_rounds(group, rings, in_turn=True)
