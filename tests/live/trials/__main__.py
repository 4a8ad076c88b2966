"""The command line of the trials."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

from tests.live.trials import (
    deaths,
    hostile,
    lookups,
    phones,
    pickups,
    races,
    referrals,
    transfers,
    twins,
)
from tests.live.trials.tally import Tally


class Kind(NamedTuple):
    """A kind of trial: what runs it, and how it is usually run."""

    run: Callable[[int, int, int], Tally]
    count: int
    at_once: int


KINDS = {
    "together": Kind(races.together, 1000, 5),
    "giveup": Kind(races.giveup, 1000, 30),
    "hangup50": Kind(races.hangup50, 300, 16),
    "restart": Kind(deaths.restart, 1200, 48),
    "kill": Kind(deaths.kill, 1200, 48),
    "hostile": Kind(hostile.hostile, 300, 8),
    "pickup": Kind(pickups.pickup, 300, 4),
    "phones": Kind(phones.phones, 303, 8),
    "lookups": Kind(lookups.lookups, 300, 6),
    "referrals": Kind(referrals.referrals, 300, 6),
    "transfer": Kind(transfers.transfer, 1002, 6),
    "twins": Kind(twins.twins, 1002, 6),
}


def main() -> int:
    """Run one kind of trial; 1 when any of them went wrong."""
    parser = argparse.ArgumentParser("python -m tests.live.trials", description=__doc__)
    parser.add_argument("name", choices=KINDS, help="what to try")
    parser.add_argument("count", type=int, nargs="?", help="how often")
    parser.add_argument("--seed", type=int, default=1, help="of the random moments")
    parser.add_argument("--at-once", type=int, help="calls at once")
    chosen = parser.parse_args()
    kind = KINDS[chosen.name]
    began = time.monotonic()
    tally = kind.run(chosen.count or kind.count, chosen.seed, chosen.at_once or kind.at_once)
    print(f"{tally}\n  {time.monotonic() - began:.0f} s", flush=True)
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
