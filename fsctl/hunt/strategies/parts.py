"""What strategies are put together from: who can ring, for how long, in how many rounds."""

from collections.abc import Iterable, Sequence
from itertools import accumulate
from math import inf, isfinite

from fsctl.hunt.group import Group, Member, same_user
from fsctl.hunt.schedule import Ring, Schedule

RING_TIME = 15.0
"""Seconds that a phone rings where members ring in turn and nobody says how long."""


def in_order(group: Group) -> list[Member]:
    """Return the members by their place, those of the same place as they joined."""
    return sorted(group.members, key=lambda member: member.order)


def can_ring(members: Iterable[Member], calling_user: str | None) -> list[Member]:
    """Return who of these can ring: not the disabled, nor who is signed off or calls.

    With None a stranger calls.
    """
    return [
        member
        for member in members
        if member.rings
        if calling_user is None or not same_user(member.user, calling_user)
    ]


def ring_time(group: Group, member: Member, otherwise: float) -> float:
    """Return how many seconds a member's phone rings: as it says, else the group, else this."""
    own = group.ring_time if member.ring_time is None else member.ring_time
    return otherwise if own is None else own


def one_after_another(group: Group, members: Sequence[Member]) -> Schedule:
    """Return the schedule in which each rings when the one before has stopped."""
    times = [ring_time(group, member, RING_TIME) for member in members]
    starts = accumulate(times, initial=0.0)
    rings = [
        Ring(member.user, start, time)
        for member, start, time in zip(members, starts, times, strict=False)
    ]
    return in_rounds(group, rings, in_turn=True)


def in_rounds(group: Group, rings: Sequence[Ring], *, in_turn: bool) -> Schedule:
    """Return the schedule that repeats these lines, a round, as often as the group says.

    A round is over when the last phone has stopped; one that rings to the end is the last.
    """
    length = max((ring.start + ring.ring_for for ring in rings), default=inf)
    rounds = group.rounds if isfinite(length) else 1
    lines = tuple(
        Ring(ring.member, turn * length + ring.start if turn else ring.start, ring.ring_for)
        for turn in range(rounds)
        for ring in rings
    )
    return Schedule(lines, group.wait, group.advance, in_turn)
