"""A schedule: who rings when, and for how long. Every ring strategy is a function to this.

Times are seconds from the start of the hunt.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Ring:
    """One line of a schedule: ``member`` rings from ``start`` for ``ring_for`` seconds.

    ``ring_for`` is ``math.inf`` for a phone that rings to the end of the hunt.
    """

    member: str
    start: float
    ring_for: float


@dataclass(frozen=True, slots=True)
class Schedule:
    """A whole schedule with the group's own rules for walking through it.

    ``wait`` bounds the hunt: a line that starts later rings only when it is moved up. ``advance``
    lets the next line start at once when every member who was ringing has failed. In a schedule
    ``in_turn`` lines keep their distances: when one starts earlier or later, so do all after it;
    in any other a line's start is its own.

    A member may have several lines. Where one ends and the next begins at the same moment, the
    phone rings on; where it refused, the next line is another try.
    """

    rings: tuple[Ring, ...]
    wait: float
    advance: bool = True
    in_turn: bool = False

    def __post_init__(self) -> None:
        for ring in self.rings:
            if ring.start < 0 or ring.ring_for <= 0:
                raise ValueError(f"{ring} is no line of a schedule")


def without(schedule: Schedule, members: Collection[str]) -> Schedule:
    """Return a schedule that rings none of these members, unless that were nobody at all."""
    rings = tuple(ring for ring in schedule.rings if ring.member not in members)
    return replace(schedule, rings=rings) if rings else schedule
