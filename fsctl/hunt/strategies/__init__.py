"""Ring strategies: one small file each, from a group and what is remembered to a schedule.

Each is called with the group, the calling user (None: a stranger), what is remembered of past calls
and a number of chance. Every enabled member has a line, the calling user has none. What several
strategies do alike is in ``parts``.
"""

from collections.abc import Callable

from fsctl.hunt.group import Group
from fsctl.hunt.memory import Memory
from fsctl.hunt.schedule import Schedule
from fsctl.hunt.strategies.delayed import delayed
from fsctl.hunt.strategies.fewest_calls import fewest_calls
from fsctl.hunt.strategies.longest_idle import longest_idle
from fsctl.hunt.strategies.progressive import progressive
from fsctl.hunt.strategies.random import random_order
from fsctl.hunt.strategies.round_robin import round_robin
from fsctl.hunt.strategies.simultaneous import simultaneous
from fsctl.hunt.strategies.top_down import top_down
from fsctl.hunt.strategies.weighted import weighted

__all__ = ["IN_TURN", "REMEMBERING", "STEADY", "STRATEGIES", "Strategy", "delayed"]

Strategy = Callable[[Group, str | None, Memory, int], Schedule]

STRATEGIES: dict[str, Strategy] = {
    "delayed": delayed,
    "simultaneous": simultaneous,
    "top-down": top_down,
    "progressive": progressive,
    "round-robin": round_robin,
    "random": random_order,
    "weighted": weighted,
    "longest-idle": longest_idle,
    "fewest-calls": fewest_calls,
}

REMEMBERING = frozenset({"round-robin", "longest-idle", "fewest-calls"})
"""Strategies that look at past calls."""
STEADY = frozenset({"delayed", "simultaneous", "top-down", "progressive"})
"""Strategies that look neither at past calls nor at chance: for any two callers they do alike."""
IN_TURN = frozenset(STRATEGIES) - {"delayed", "simultaneous"}
"""Strategies in which one member starts after another, each a ring time later."""
