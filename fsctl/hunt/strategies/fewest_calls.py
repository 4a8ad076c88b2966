"""Strategy "fewest-calls": one after another, first who has taken the fewest calls."""

from fsctl.hunt.group import Group
from fsctl.hunt.memory import Memory
from fsctl.hunt.schedule import Schedule
from fsctl.hunt.strategies.parts import can_ring, in_order, one_after_another


def fewest_calls(group: Group, calling_user: str | None, memory: Memory, _chance: int) -> Schedule:
    """Return the schedule in which members ring by how many callers of the group they have had."""
    calls = {one.user: one.calls for one in memory.served}
    members = can_ring(in_order(group), calling_user)
    return one_after_another(group, sorted(members, key=lambda one: calls.get(one.user, 0)))
