"""Chance that is handed in: the hunt draws no lots of its own.

From one number (the seed) come as many as a strategy needs, the same for the same seed, so that
a call can be simulated as it will be, or was. The generator is SplitMix64 (Steele, Lea, Flood:
"Fast splittable pseudorandom number generators", 2014).
"""

from collections.abc import Iterator

_MASK = (1 << 64) - 1


def draws(seed: int) -> Iterator[float]:
    """Yield numbers from above 0 to 1, evenly spread, without end."""
    state = seed & _MASK
    while True:
        state = (state + 0x9E3779B97F4A7C15) & _MASK
        mixed = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        mixed ^= mixed >> 31
        yield ((mixed >> 11) + 1) / (1 << 53)
