"""What being watched costs: the log's lines and the metrics of a call, and a look of Prometheus.

    python -m benchmarks.observing [CALLS]

A call here has three legs and, at the level "info", three lines. Lines go to a file. "by hand" is
the plain way, with the uuid in each message, for comparison. Printed are microseconds of one core.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from fsctl import logs
from fsctl.controller.sharing import DIRECTORY
from fsctl.store.call_records import Attempt, CallRecord

UUID = "5f3c0d1e-0000-4000-8000-000000000001"
RECORD = CallRecord(
    uuid=UUID,
    domain="",
    group="sales",
    number="600",
    caller_number="+48601234567",
    caller_name="",
    began=1.8e9,
    wait_seconds=7.2,
    outcome="answered",
    cause="",
    ended=1.8e9,
    attempts=tuple(
        Attempt(f"test00{n}", float(n), outcome="cancelled" if n else "answered") for n in range(3)
    ),
)
log = logging.getLogger("fsctl.benchmark")


def cost(work: Callable[[], object], times: int) -> float:
    """Return microseconds of one time, the best of five runs."""
    best = min(_run(work, times) for _ in range(5))
    return best / times * 1e6


def _run(work: Callable[[], object], times: int) -> float:
    began = time.perf_counter()
    for _ in range(times):
        work()
    return time.perf_counter() - began


def logged() -> None:
    logs.begin_call(UUID)
    log.info("hunts in group %r", "sales", extra={"group": "sales"})
    facts = {"outcome": "answered", "wait_seconds": 7.2, "answered_by": "test002"}
    log.info("answered by %s after %.1f s", "test002", 7.2, extra=facts)
    log.info("over after %.1f s of talk", 63.0)


def by_hand() -> None:
    log.info("%s hunts in group %r", UUID, "sales")
    log.info("%s answered by %s after %.1f s", UUID, "test002", 7.2)
    log.info("%s over after %.1f s of talk", UUID, 63.0)


def logging_costs(times: int) -> None:
    with tempfile.TemporaryFile("w") as file:
        logging.basicConfig(
            level="INFO", format="%(asctime)s %(levelname)s %(message)s", stream=file, force=True
        )
        print(f"log, by hand         {cost(by_hand, times):7.1f}")
        for form in logs.FORMATS:
            logs.configure("info", form, out=file)
            print(f"log, {form:<16}{cost(logged, times):7.1f}")
        logs.configure("warning", "text", out=file)
        print(f"log, left out        {cost(logged, times):7.1f}")
        logging.basicConfig(level="ERROR", force=True)


def metrics_costs(times: int, processes: int) -> None:
    """Count in this process, and look at it beside ``processes`` others' files."""
    from fsctl.controller.metrics import Meter  # noqa: PLC0415 - the environment says how

    meter = Meter()

    def count() -> None:
        meter.admitted(0.002)
        meter.hunted(RECORD, [0.0002, 0.0003, 0.001])

    kind = f"{processes} processes" if processes > 1 else "one process"
    print(f"metrics, {kind:<12}{cost(count, times):7.1f}")
    for pid in range(1, processes):
        for path in Path(os.environ[DIRECTORY]).glob(f"*_{os.getpid()}.db"):
            copy = path.with_name(path.name.replace(str(os.getpid()), str(pid)))
            copy.write_bytes(path.read_bytes())
    print(f"a look, {kind:<13}{cost(meter.text, 50):7.0f}")


def main() -> None:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    processes = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    if processes > 1:
        metrics_costs(times, processes)
        return
    logging_costs(times)
    metrics_costs(times, 1)
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-m", "benchmarks.observing", str(times), "8"]
        sys.stdout.flush()
        subprocess.run(words, env={**os.environ, DIRECTORY: folder}, check=True)


if __name__ == "__main__":
    main()
