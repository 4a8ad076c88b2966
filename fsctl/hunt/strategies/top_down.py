"""Strategy "top-down": one after another, always from the top."""

from fsctl.hunt.group import Group
from fsctl.hunt.memory import Memory
from fsctl.hunt.schedule import Schedule
from fsctl.hunt.strategies.parts import can_ring, in_order, one_after_another


def top_down(group: Group, calling_user: str | None, _memory: Memory, _chance: int) -> Schedule:
    """Return the schedule in which members ring in turn, by their order."""
    return one_after_another(group, can_ring(in_order(group), calling_user))
