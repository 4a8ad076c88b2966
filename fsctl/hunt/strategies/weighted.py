"""Strategy "weighted": one after another, drawn for each call, the heavier the sooner."""

from math import log

from fsctl.hunt.chance import draws
from fsctl.hunt.group import Group
from fsctl.hunt.memory import Memory
from fsctl.hunt.schedule import Schedule
from fsctl.hunt.strategies.parts import can_ring, in_order, one_after_another


def weighted(group: Group, calling_user: str | None, _memory: Memory, chance: int) -> Schedule:
    """Return the schedule in which a member of weight 3 is first three times as often as one of 1.

    Of those who are left the same holds for the second, and so on (Efraimidis and Spirakis:
    "Weighted random sampling with a reservoir", 2006).
    """
    members = can_ring(in_order(group), calling_user)
    lots = {
        member.user: -log(lot) / member.weight
        for member, lot in zip(members, draws(chance), strict=False)
    }
    return one_after_another(group, sorted(members, key=lambda member: lots[member.user]))
