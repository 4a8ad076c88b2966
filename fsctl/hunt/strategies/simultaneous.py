"""Strategy "simultaneous": everybody rings at once, to the end or for a ring time."""

from math import inf

from fsctl.hunt.group import Group
from fsctl.hunt.memory import Memory
from fsctl.hunt.schedule import Ring, Schedule
from fsctl.hunt.strategies.parts import can_ring, in_order, in_rounds, ring_time


def simultaneous(group: Group, calling_user: str | None, _memory: Memory, _chance: int) -> Schedule:
    """Return the schedule in which every phone rings from the start; delays do not count."""
    members = can_ring(in_order(group), calling_user)
    rings = [Ring(member.user, 0.0, ring_time(group, member, inf)) for member in members]
    return in_rounds(group, rings, in_turn=False)
