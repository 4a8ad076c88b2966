"""Runs the benchmarks and writes what they came to: ``python -m benchmarks.report``.

Everything is measured in one run on one machine, and told as ratios. What a machine lacks (Node, a
FreeSWITCH, PostgreSQL) is left out by name.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.hunts.contestants import RIVALS
from tests.live.freeswitch import installed

DOCS = Path(__file__).parent.parent / "docs"
PAGE = DOCS / "performance.md"
PROFILE = DOCS / "performance-profile.md"
CALLS = 120
"""Calls each way on a real FreeSWITCH."""


def main() -> None:
    """Measure, and write the page and its plots."""
    figures = json.loads(_run("benchmarks.hunts"))
    PROFILE.write_text(profile(_run("benchmarks.one_call")))
    lookup = _run("benchmarks.lookup")
    latency = _run("benchmarks.latency", str(CALLS)) if installed() else "no FreeSWITCH here\n"
    load = _run("benchmarks.switch_load") if installed() else ""
    PAGE.write_text(page(figures, lookup, latency + load))
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(figures, file)
        file.flush()
        folder = DOCS / "performance"
        folder.mkdir(exist_ok=True)
        python = RIVALS / "bin/python"
        plots = Path(__file__).parent / "plots.py"
        subprocess.run([python, plots, file.name, folder], check=True)
    print(f"written: {PAGE}")


def _run(module: str, *arguments: str) -> str:
    print(f"{module} ...", flush=True)
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True
    ).stdout


def page(figures: dict[str, Any], lookup: str, latency: str) -> str:
    """Return the page."""
    burst, waiting, flood = figures["burst"], figures["waiting"], figures["flood"]
    ours = figures["rates"]["fsctl"]
    return f"""# Performance

Written by `make bench`: one run, everything on the same machine ({os.cpu_count()} cores,
Python {platform.python_version()}), one controller on one core, the switch's part played by a
process of its own. What counts are the ratios.

## Hunted calls

Three members, the second answers, a record is written. The rivals hunt with the same orders and the
same claim in the switch, but look no group up, bound no wait, mind no fault and show nothing live
(`benchmarks/hunts/rivals`). 50 calls at once.

| | calls a second of one core | fsctl to it | by the clock | first leg, ms (median, 99 %) |
|---|---|---|---|---|
{_rows(figures["rates"], ours)}

![Hunted calls a second of one core](performance/per-core.svg)

Where the time of one of ours goes is in [a profile](performance-profile.md).

Several processes on one socket (`fsctl serve --workers`), by the processor time of all of them,
since the switch's part takes a core itself. With 100 % a core more serves as many calls more.

| workers | calls a second of one core | to one worker | of all work, the busiest did |
|---|---|---|---|
{_workers(figures["workers"])}

## From the connection to the first leg's order

At a rate: so many calls ring, and a fifth of them, twenty at least, come anew each second, as if
each rang for five seconds. This is what a caller has to wait.

| calls under way | come each second | median, ms | 99 %, ms | lost |
|---|---|---|---|---|
{_steady(figures["steady"])}

As fast as can be: so many calls are always under way, and when one is over the next one comes at
once. The processor is never idle, so this tells for how long a call stands in line behind others.

| calls at once | median, ms | 99 %, ms | lost |
|---|---|---|---|
{_delays(figures["delays"])}

![From the connection to the first leg's order](performance/first-leg.svg)

## A burst, and calls that wait

{burst["calls"]} calls within {burst["came_within"]:.2f} s: {burst["lost"]} lost, a first leg
{burst["first_leg"]:.2f} s after its call at the latest, all served to their end after
{burst["over_within"]:.2f} s.

{waiting["calls"]} calls wait, {waiting["beside"] / waiting["seconds"]:.0f} a second come and go
beside them: {waiting["memory"]:.1f} KiB for each that waits, their next legs
{waiting["late"][0]:.1f} ms late at the median, {waiting["late"][1]:.1f} ms at the 99th percentile.

{flood["silent"]} connections that never say anything, opened within {flood["opened_within"]:.1f} s,
beside calls at twenty a second: a first leg after {flood["first_leg"][0]:.1f} ms at the median,
{flood["longest"]:.1f} ms at the latest.

## Lookups

```text
{lookup.strip()}
```

## On a real FreeSWITCH, beside its own `bridge`

```text
{latency.strip()}
```

Before it looks at the dialplan FreeSWITCH lets some half of all calls wait for 20 ms, whoever is to
serve them; a plain median falls now on one side of that, now on the other, so "without wait" is the
row to look at. *Smallest* is the least controller that can hunt (`benchmarks/smallest.py`): what it
takes no controller on a socket can avoid. Which of the rest subscriptions and filters cost, and
which not, is told in [What a call costs the switch](performance-switch.md).
"""


def profile(text: str) -> str:
    """Return the page about what one call costs inside."""
    return f"""# What one call costs

Written by `make bench`, as [Performance](performance.md) is; `python -m benchmarks.one_call` prints
the same. One hunted call of three members, from the connection to the record that is handed on, by
cProfile, with a switch that answers in memory. A function's share is its own time with that of the
libraries and built-in functions that it calls. The counts are the same on every machine;
`tests/controller/test_call.py` watches over some of them.

```text
{text.strip()}
```
"""


def _workers(workers: dict[str, Any]) -> str:
    one = workers["1"]["per_core"]
    return "\n".join(
        f"| {count} | {found['per_core']:.0f} | {found['per_core'] / one:.0%} |"
        f" {found['busiest']:.0%} |"
        for count, found in workers.items()
    )


def _steady(rates: list[dict[str, Any]]) -> str:
    return "\n".join(
        f"| {found['under_way']} | {found['per_second']:.0f} | {found['first_leg'][0]:.1f} |"
        f" {found['first_leg'][1]:.1f} | {found['lost']} |"
        for found in rates
    )


def _rows(rates: dict[str, Any], ours: dict[str, Any]) -> str:
    return "\n".join(
        f"| {name} | {found['per_core']:.0f} | {ours['per_core'] / found['per_core']:.2f} |"
        f" {found['per_second']:.0f} | {found['first_leg'][0]:.1f}, {found['first_leg'][1]:.1f} |"
        for name, found in rates.items()
    )


def _delays(delays: dict[str, Any]) -> str:
    return "\n".join(
        f"| {at_once} | {found['first_leg'][0]:.1f} | {found['first_leg'][1]:.1f} |"
        f" {found['lost']} |"
        for at_once, found in delays.items()
    )


if __name__ == "__main__":
    main()
