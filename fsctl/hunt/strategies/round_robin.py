"""Strategy "round-robin": one after another, from the one after the last served."""

from fsctl.hunt.group import Group
from fsctl.hunt.memory import Memory
from fsctl.hunt.schedule import Schedule
from fsctl.hunt.strategies.parts import can_ring, in_order, one_after_another


def round_robin(group: Group, calling_user: str | None, memory: Memory, _chance: int) -> Schedule:
    """Return the schedule in which members ring in turn, beginning behind who answered last.

    That one need not be able to ring now: a place in the line is kept by who is disabled or calls.
    """
    line = in_order(group)
    last = memory.last
    place = next((place for place, member in enumerate(line, 1) if member.user == last), 0)
    return one_after_another(group, can_ring(line[place:] + line[:place], calling_user))
