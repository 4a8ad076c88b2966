"""What becomes of a call before anybody rings: a schedule to hunt by, or a refusal with its cause.

The causes are chosen so that a caller's telephone says what is true: nobody has this number, the
number is out of order, nobody is there.
"""

from dataclasses import dataclass, replace
from enum import Enum

from fsctl.hunt.group import Group, is_external
from fsctl.hunt.memory import NOTHING, Memory
from fsctl.hunt.opening import is_open
from fsctl.hunt.schedule import Schedule
from fsctl.hunt.strategies import STRATEGIES, delayed


class Refusal(Enum):
    """Why nobody is rung; the value is the hangup cause for the caller."""

    NO_SUCH_NUMBER = "UNALLOCATED_NUMBER"
    """No group serves the number (SIP 404)."""
    DISABLED = "DESTINATION_OUT_OF_ORDER"
    """The group is disabled: the number exists but does not work now (SIP 502)."""
    NO_MEMBERS = "SUBSCRIBER_ABSENT"
    """Nobody could ring: no members, all disabled, only the caller, or delays beyond the group's
    wait time (SIP 480)."""

    CLOSED = "NORMAL_UNSPECIFIED"
    """The group is closed at this hour (SIP 480)."""

    @property
    def sentence(self) -> str:
        """Why, for a person."""
        return _SENTENCES[self]


_SENTENCES = {
    Refusal.NO_SUCH_NUMBER: "no group serves the number",
    Refusal.DISABLED: "the group is disabled",
    Refusal.CLOSED: "the group is closed",
    Refusal.NO_MEMBERS: "the group has nobody who could ring",
}


@dataclass(frozen=True, slots=True)
class Admitted:
    """A call that hunts: its group and its schedule."""

    group: Group
    schedule: Schedule


def admit(
    group: Group | None,
    calling_user: str | None = None,
    memory: Memory = NOTHING,
    chance: int = 0,
    now: float | None = None,
    external: bool = True,
) -> Admitted | Refusal:
    """Decide on a call to ``group`` (None: no group serves the number) by a user or a stranger.

    ``memory`` is what is remembered of the group's past calls; from ``chance`` a strategy that
    draws lots takes them. ``now`` (seconds since 1970 UTC) tells whether the group is open; with
    None it is. ``external``: telephone numbers outside of the directory can be called.
    """
    if group is None:
        return Refusal.NO_SUCH_NUMBER
    if not group.enabled:
        return Refusal.DISABLED
    if now is not None and not is_open(group, now):
        return Refusal.CLOSED
    # A newer fsctl may have more of them, in the same database.
    strategy = STRATEGIES.get(group.strategy, delayed)
    ringing = group if external else without_external(group)
    schedule = strategy(ringing, calling_user, memory, chance)
    return Admitted(group, schedule) if schedule.rings else Refusal.NO_MEMBERS


def without_external(group: Group) -> Group:
    """Return the group in which no telephone number rings.

    They are disabled and not taken away: a strategy may know them by their place.
    """
    return replace(
        group,
        members=tuple(
            replace(member, enabled=member.enabled and not is_external(member.user))
            for member in group.members
        ),
    )
