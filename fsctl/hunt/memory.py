"""What ring strategies remember of past calls: plain, immutable values.

Who keeps it, and how fresh it is, is not the hunt's to know. Moments are seconds since 1970 UTC.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Served:
    """What is remembered of one member.

    ``answered`` is when the member last answered a caller of the group, ``idle`` when the last
    conversation was over (or began, while it goes on), ``calls`` how many callers there were.
    """

    user: str
    answered: float
    idle: float
    calls: int = 1


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered of a group: of each member who has ever answered, in any order."""

    served: tuple[Served, ...] = ()

    @property
    def last(self) -> str | None:
        """The user who answered last; None when nobody ever did."""
        latest = max(self.served, key=lambda one: one.answered, default=None)
        return latest.user if latest else None

    def of(self, user: str) -> Served | None:
        """Return what is remembered of a member, None for one who never answered."""
        return next((one for one in self.served if one.user == user), None)


NOTHING = Memory()
