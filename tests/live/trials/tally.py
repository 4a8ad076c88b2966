"""What many trials of one kind came to.

Owns counting and the line that is printed. Must not know what is tried.
"""

from __future__ import annotations

import statistics
from collections import Counter
from dataclasses import dataclass, field

SHOWN = 10
"""Wrong trials that are told at length; the rest are counted."""


class Wrong(AssertionError):
    """A trial in which the service did not keep what it promises."""


@dataclass(slots=True)
class Tally:
    """Trials of one kind; ``times`` are the interesting ones, in seconds."""

    name: str
    meaning: str
    """What ``times`` are, for people."""
    trials: int = 0
    wrong: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    """How the trials went, counted by a word or two."""
    notes: list[str] = field(default_factory=list)
    """Lines to be printed below."""

    def add(self, kind: str, seconds: float | None = None) -> None:
        """Count one trial that went right."""
        self.trials += 1
        self.kinds[kind] += 1
        if seconds is not None:
            self.times.append(seconds)

    def fail(self, why: str) -> None:
        """Count one trial that went wrong."""
        self.trials += 1
        self.wrong.append(why)

    def __str__(self) -> str:
        line = f"{self.name}: {self.trials} trials, {len(self.wrong)} wrong"
        if len(self.times) > 1:
            cuts = statistics.quantiles(self.times, n=100, method="inclusive")
            p50, p95, most = (1000 * time for time in (cuts[49], cuts[94], max(self.times)))
            line += f", {p50:.0f}/{p95:.0f}/{most:.0f} ms p50/p95/max {self.meaning}"
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.kinds.items()))
        failures = "".join(f"\nWRONG {why}" for why in self.wrong[:SHOWN])
        notes = "".join(f"\n  {note}" for note in self.notes)
        return f"{line}\n  {kinds}{notes}{failures}"
