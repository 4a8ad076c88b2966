"""Hunted calls by the thousand: ``python -m benchmarks.hunts [--quick]`` prints JSON."""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import orjson

from benchmarks.hunts.contestants import Served, names, serving
from benchmarks.hunts.races import burst, flood, rate, steady, waiting

AT_ONCE = (1, 50, 300, 1_000)
WORKERS = (1, 2)
SILENT = 5_000
CALLS = {"fsctl": 6_000, "greenswitch": 1_500, "Genesis": 1_500, "esl for Node": 3_000}


def main() -> None:
    """Measure one after the other, so that each has the machine to itself."""
    parser = argparse.ArgumentParser("python -m benchmarks.hunts", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the calls")
    parser.add_argument("--only", nargs="*", choices=PARTS, help="these parts only")
    chosen = parser.parse_args()
    gc.disable()  # this process is the switch, which has no pauses of a tenth of a second
    found: dict[str, Any] = {}
    for name in chosen.only or PARTS:
        found[name] = PARTS[name](10 if chosen.quick else 1)
        print(name, found[name], file=sys.stderr)
    options = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS
    sys.stdout.buffer.write(orjson.dumps(found, option=options))


@contextmanager
def _warm(name: str = "fsctl", workers: int = 1) -> Iterator[Served]:
    with serving(name, workers) as served:
        rate(served, 200, 10)
        yield served


def _rates(part: int) -> dict[str, Any]:
    """Everybody's calls a second."""
    found = {}
    for name in names():
        with _warm(name) as served:
            found[name] = asdict(rate(served, CALLS[name] // part, 50))
    return found


def _workers(part: int) -> dict[int, Any]:
    """What a call costs one process, and several that share the socket."""
    found = {}
    for workers in WORKERS:
        with _warm(workers=workers) as served:
            before = served.each()
            measured = asdict(rate(served, CALLS["fsctl"] // part // 2, 50))
            used = [after - begun for begun, after in zip(before, served.each(), strict=True)]
            found[workers] = measured | {"busiest": max(used) / sum(used)}
    return found


def _delays(part: int) -> dict[int, Any]:
    """First legs while so many calls are being served as fast as can be."""
    found = {}
    for at_once in AT_ONCE:
        with _warm() as served:
            count = max(300, 6 * at_once) // (part if at_once < 1_000 else 1)
            found[at_once] = asdict(rate(served, count, at_once))
    return found


def _steady(part: int) -> list[Any]:
    """First legs while so many calls ring and others come at a rate."""
    with _warm() as served:
        return [asdict(steady(served, count, 5.0 if part == 1 else 1.0)) for count in AT_ONCE]


def _burst(_part: int) -> dict[str, Any]:
    with _warm() as served:
        return asdict(burst(served, 1_000))


def _waiting(part: int) -> dict[str, Any]:
    with _warm() as served:
        return asdict(waiting(served, 10_000 // part, 200))


def _flood(part: int) -> dict[str, Any]:
    with _warm() as served:
        return asdict(flood(served, SILENT // part))


PARTS: dict[str, Callable[[int], Any]] = {
    "rates": _rates,
    "workers": _workers,
    "delays": _delays,
    "steady": _steady,
    "burst": _burst,
    "waiting": _waiting,
    "flood": _flood,
}

if __name__ == "__main__":
    main()
