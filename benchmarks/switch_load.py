"""What a hunted call costs a real FreeSWITCH, beside its own ``bridge``, while others wait.

``python -m benchmarks.switch_load [CALLS]``: processor time of the switch, without what it takes
anyhow with so many calls waiting. The smallest controller that can hunt (``benchmarks.smallest``)
shows which part of it is the socket's own.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import gevent

from benchmarks.latency import USERS, set_up, ways_of
from benchmarks.smallest import smallest
from fsctl.admin.groups import add_group
from fsctl.admin.members import add_member
from fsctl.admin.numbers import add_numbers
from fsctl.store.engine import make_engine
from tests.live.rig import FreeSwitchRig
from tests.scenarios.rig import Script

WAITING = (1, 50, 200)
WAITS, PATIENT, ANSWERS = "701", "test050", USERS[1]
"""A group's number, its member who never picks up; and who answers the others' calls."""
BLOCKS = 3
REST = 5.0
_TICK = os.sysconf("SC_CLK_TCK")


def cpu(pid: int) -> float:
    """Return the seconds of a processor that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def serve(rig: FreeSwitchRig, number: str, count: int, idle: float) -> float:
    """Place calls one after the other; return the switch's milliseconds for each."""
    began, used = time.monotonic(), cpu(rig.switch.pid)
    for _ in range(count):
        answers = len(rig.log.all("caller", "answered"))
        byes = len(rig.log.all(ANSWERS, "bye"))
        call = rig.dial(number)
        rig.log.wait("caller", "answered", count=answers + 1)
        call.hang_up()
        rig.log.wait(ANSWERS, "bye", count=byes + 1)
    took = time.monotonic() - began
    return 1000 * (cpu(rig.switch.pid) - used - idle * took) / count


def resting(rig: FreeSwitchRig) -> float:
    """Return the part of a processor that the switch takes with what it has."""
    gevent.sleep(1.0)
    used = cpu(rig.switch.pid)
    gevent.sleep(REST)
    return (cpu(rig.switch.pid) - used) / REST


def main(count: int) -> None:
    """Print a line for each number of waiting calls."""
    with tempfile.TemporaryDirectory() as folder, smallest() as other:
        controller = set_up(folder)
        engine = make_engine(controller.database_url)
        add_group(engine, "waiting", wait=900)
        add_numbers(engine, "waiting", [WAITS], "PL")
        add_member(engine, "waiting", PATIENT)
        rig = FreeSwitchRig(controller.address)
        try:
            for user in USERS:
                rig.phone(user)
            rig.phone(ANSWERS, Script(answer_after=0.05))
            rig.phone(PATIENT)
            print("the switch's processor time for a call, ms", end="")
            print("  hunt  smallest  bridge  ratios to bridge  at rest")
            ways = ways_of(controller.address, other)
            waiting = 0
            for wanted in WAITING:
                rig.controllers = controller.address
                while waiting < wanted:
                    waiting += 1
                    rig.dial(WAITS, who=f"waiting {waiting}")
                    rig.log.wait(PATIENT, "invite", count=waiting)
                found: dict[str, list[float]] = {way: [] for way in ways}
                idle = resting(rig)
                for block in range(-1, BLOCKS):
                    for way, (rig.controllers, number) in ways.items():
                        used = serve(rig, number, count if block >= 0 else 3, idle)
                        if block >= 0:
                            found[way].append(used)
                hunt, least, bridge = (statistics.mean(found[way]) for way in ways)
                print(
                    f"with {wanted:>3} calls waiting {hunt:>25.1f}{least:10.1f}{bridge:8.1f}",
                    end="",
                )
                print(f"{hunt / bridge:10.2f}{least / bridge:6.2f}{idle:11.0%}", flush=True)
        finally:
            rig.close()
            controller.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
