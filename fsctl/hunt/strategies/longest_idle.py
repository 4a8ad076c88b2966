"""Strategy "longest-idle": one after another, first whose last call is longest ago."""

from math import inf

from fsctl.hunt.group import Group
from fsctl.hunt.memory import Memory
from fsctl.hunt.schedule import Schedule
from fsctl.hunt.strategies.parts import can_ring, in_order, one_after_another


def longest_idle(group: Group, calling_user: str | None, memory: Memory, _chance: int) -> Schedule:
    """Return the schedule in which members ring by when they last had a caller of the group.

    Who never had one is first.
    """
    idle = {one.user: one.idle for one in memory.served}
    members = can_ring(in_order(group), calling_user)
    return one_after_another(group, sorted(members, key=lambda one: idle.get(one.user, -inf)))
