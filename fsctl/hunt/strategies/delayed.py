"""Strategy "delayed": each member joins after its own wait time and rings to the end."""

from math import inf

from fsctl.hunt.group import Group, same_user
from fsctl.hunt.schedule import Ring, Schedule


def delayed(group: Group, calling_user: str | None = None) -> Schedule:
    """Return the schedule of ``group`` for a call placed by ``calling_user`` (None: a stranger).

    Disabled members, the calling user and members whose delay is not below the group's wait time do
    not ring. Members with the same delay start together, in the group's order.
    """
    rings = tuple(
        Ring(member.user, member.delay, inf)
        for member in sorted(group.members, key=lambda member: member.delay)
        if member.enabled and member.delay < group.wait
        if calling_user is None or not same_user(member.user, calling_user)
    )
    return Schedule(rings, group.wait, group.advance)
