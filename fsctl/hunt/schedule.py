"""A schedule: who rings when, and for how long. Every ring strategy is a function to this.

Times are seconds from the start of the hunt.
"""

from dataclasses import dataclass


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

    ``wait`` bounds the hunt; ``advance`` lets the next line start at once when every member who was
    ringing has failed. Lines that start at or after ``wait`` are refused: they could never ring.
    """

    rings: tuple[Ring, ...]
    wait: float
    advance: bool = True

    def __post_init__(self) -> None:
        for ring in self.rings:
            if not 0 <= ring.start < self.wait or ring.ring_for <= 0:
                raise ValueError(f"{ring} does not fit a hunt of {self.wait} s")
