"""Strategy "delayed": each member joins after its own delay and rings to the end."""

from math import inf

from fsctl.hunt.group import Group
from fsctl.hunt.memory import NOTHING, Memory
from fsctl.hunt.schedule import Ring, Schedule
from fsctl.hunt.strategies.parts import can_ring, in_order, in_rounds, ring_time


def delayed(
    group: Group,
    calling_user: str | None = None,
    _memory: Memory = NOTHING,
    _chance: int = 0,
) -> Schedule:
    """Return the schedule of ``group`` for a call placed by ``calling_user`` (None: a stranger).

    Members whose delay is not below the group's wait time do not ring. Members with the same delay
    start together, in the group's order. A ring time lets a phone stop before the end.
    """
    rings = [
        Ring(member.user, member.delay, ring_time(group, member, inf))
        for member in sorted(can_ring(in_order(group), calling_user), key=lambda one: one.delay)
        if member.delay < group.wait
    ]
    return in_rounds(group, rings, in_turn=False)
