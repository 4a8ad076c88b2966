"""What becomes of a call before anybody rings: a schedule to hunt by, or a refusal with its cause.

The causes are chosen so that a caller's telephone says what is true: nobody has this number, the
number is out of order, nobody is there.
"""

from dataclasses import dataclass
from enum import Enum

from fsctl.hunt.endings import TOO_MANY_HOPS, Reason
from fsctl.hunt.group import Group
from fsctl.hunt.memory import NOTHING, Memory
from fsctl.hunt.nesting import Admission, MemoryOf, nothing_remembered
from fsctl.hunt.opening import is_open
from fsctl.hunt.schedule import Schedule


class Refusal(Enum):
    """Why nobody is rung; the value is the hangup cause for the caller."""

    NO_SUCH_NUMBER = "UNALLOCATED_NUMBER"
    """No group serves the number (SIP 404)."""
    DISABLED = "DESTINATION_OUT_OF_ORDER"
    """The group is disabled: the number exists but does not work now (SIP 502)."""
    NO_MEMBERS = "SUBSCRIBER_ABSENT"
    """Nobody could ring: no members, all disabled or signed off, only the caller, or delays beyond
    the group's wait time (SIP 480)."""

    CLOSED = "NORMAL_UNSPECIFIED"
    """The group is closed at this hour (SIP 480)."""
    FULL = "USER_BUSY"
    """So many callers are hunted for as the group allows, and its line, if any, is full (SIP 486).
    Whoever counts them says so, not ``admit``."""
    TOO_MANY_HOPS = TOO_MANY_HOPS
    """The call was sent on too often (SIP 483)."""

    @property
    def sentence(self) -> str:
        """Why, for a person."""
        return _SENTENCES[self]

    @property
    def outcome(self) -> str:
        """What the call came to, as records have it."""
        return _OUTCOMES[self]


_SENTENCES = {
    Refusal.NO_SUCH_NUMBER: "no group serves the number",
    Refusal.DISABLED: "the group is disabled",
    Refusal.CLOSED: "the group is closed",
    Refusal.NO_MEMBERS: "the group has nobody who could ring",
    Refusal.FULL: "too many callers are there already",
    Refusal.TOO_MANY_HOPS: "the call was sent on too often",
}
_OUTCOMES = {
    Refusal.NO_SUCH_NUMBER: "no such number",
    Refusal.DISABLED: "disabled",
    Refusal.CLOSED: "closed",
    Refusal.NO_MEMBERS: "no members",
    Refusal.FULL: "too many callers",
    Refusal.TOO_MANY_HOPS: "too many hops",
}

REASONS = {
    Refusal.DISABLED: Reason.DISABLED,
    Refusal.CLOSED: Reason.CLOSED,
    Refusal.NO_MEMBERS: Reason.NO_MEMBERS,
    Refusal.FULL: Reason.FULL,
}
"""For which of a group's endings a refusal is a reason."""


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
    memory_of: MemoryOf = nothing_remembered,
) -> Admitted | Refusal:
    """Decide on a call to ``group`` (None: no group serves the number) by a user or a stranger.

    ``memory`` is what is remembered of the group's past calls; from ``chance`` a strategy that
    draws lots takes them. ``now`` (seconds since 1970 UTC) tells whether the group is open; with
    None it is. ``external``: telephone numbers outside of the directory can be called.
    ``memory_of`` tells what is remembered of the groups within this one.
    """
    if group is None:
        return Refusal.NO_SUCH_NUMBER
    if not group.enabled:
        return Refusal.DISABLED
    if now is not None and not is_open(group, now):
        return Refusal.CLOSED

    def remembered(one: Group) -> Memory:
        return memory if one is group else memory_of(one)

    schedule = Admission(calling_user, remembered, chance, now, external).schedule(group)
    return Admitted(group, schedule) if schedule.rings else Refusal.NO_MEMBERS
