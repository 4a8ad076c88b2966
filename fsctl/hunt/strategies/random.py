"""Strategy "random": one after another, in an order that is drawn for each call."""

from fsctl.hunt.chance import draws
from fsctl.hunt.group import Group
from fsctl.hunt.memory import Memory
from fsctl.hunt.schedule import Schedule
from fsctl.hunt.strategies.parts import can_ring, in_order, one_after_another


def random_order(group: Group, calling_user: str | None, _memory: Memory, chance: int) -> Schedule:
    """Return the schedule in which members ring in turn, each order as likely as any other."""
    members = can_ring(in_order(group), calling_user)
    lots = dict(zip([member.user for member in members], draws(chance), strict=False))
    return one_after_another(group, sorted(members, key=lambda member: lots[member.user]))
