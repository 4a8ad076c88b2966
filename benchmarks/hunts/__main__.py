"""Hunted calls by the thousand: ``python -m benchmarks.hunts [--quick]`` prints JSON."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from typing import Any

import orjson

from benchmarks.hunts.contestants import names, serving
from benchmarks.hunts.races import burst, rate, waiting

AT_ONCE = (1, 50, 300, 1_000)
CALLS = {"fsctl": 6_000, "greenswitch": 1_500, "Genesis": 1_500, "esl for Node": 3_000}


def main() -> None:
    """Measure one after the other, so that each has the machine to itself."""
    parser = argparse.ArgumentParser("python -m benchmarks.hunts", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the calls")
    parser.add_argument("--only", nargs="*", help="rates delays burst waiting")
    chosen = parser.parse_args()
    part = 10 if chosen.quick else 1
    wanted = chosen.only or ["rates", "delays", "burst", "waiting"]
    found: dict[str, Any] = {}
    if "rates" in wanted:
        found["rates"] = {}
        for name in names():
            with serving(name) as served:
                rate(served, 100, 10)  # warm
                found["rates"][name] = asdict(rate(served, CALLS[name] // part, 50))
            print(name, found["rates"][name], file=sys.stderr)
    if "delays" in wanted:
        found["delays"] = {}
        for at_once in AT_ONCE:
            with serving("fsctl") as served:
                rate(served, 100, 10)
                count = max(300, 6 * at_once) // (part if at_once < 1_000 else 1)
                found["delays"][at_once] = asdict(rate(served, count, at_once))
            print(at_once, found["delays"][at_once], file=sys.stderr)
    if "burst" in wanted:
        with serving("fsctl") as served:
            rate(served, 100, 10)
            found["burst"] = asdict(burst(served, 1_000))
        print(found["burst"], file=sys.stderr)
    if "waiting" in wanted:
        with serving("fsctl") as served:
            rate(served, 100, 10)
            found["waiting"] = asdict(waiting(served, 10_000 // part, 200))
        print(found["waiting"], file=sys.stderr)
    options = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS
    sys.stdout.buffer.write(orjson.dumps(found, option=options))


if __name__ == "__main__":
    main()
