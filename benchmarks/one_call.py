"""What one hunted call costs inside: ``python -m benchmarks.one_call`` prints where the time goes.

The controller, from the connection to the record, without a network and without other processes:
the switch's half (``benchmarks.hunts.switch``) answers in memory. So what is left is the program's
own, in the same steps each time.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import io
import pstats
import time
from pathlib import Path
from typing import Any

from benchmarks.hunts.contestants import HUNTED, USERS
from benchmarks.hunts.switch import Call, Play
from fsctl.controller.handover import GREETING
from fsctl.controller.server import Controller
from fsctl.esl import session
from fsctl.esl.listener import bind
from fsctl.hunt.group import Group, Member
from fsctl.store.call_records import CallRecord

GROUP = Group("hunted", numbers=(HUNTED,), members=tuple(map(Member, USERS)))
WARM = 300
ROOT = str(Path(__file__).parent.parent)


class Memory:
    """The socket and the wire of a call whose switch is in this process."""

    def __init__(self, _sock: Any = None) -> None:
        self._said: list[bytes] = []
        self.call = Call(self, lambda _: None, Play(HUNTED))  # type: ignore[arg-type]
        self.urgent = True
        if _sock is not None:
            self.call = _sock.call
            self._said = _sock._said
        else:
            self.call.take(GREETING)

    # What the controller does with it

    def send(self, data: bytes, _within: float) -> None:
        """Have the switch answer."""
        self.call.take(data)

    def receive(self, _until: float) -> bytes:
        """Return what the switch has said."""
        said = b"".join(self._said)
        self._said.clear()
        return said

    def give_way(self) -> None:
        """Nobody else is there."""

    def close(self) -> None:
        """Nothing is open."""

    def setsockopt(self, *_: object) -> None:
        """Nothing is set."""

    # What the switch does with it

    def sendall(self, data: bytes) -> None:
        """Take what the switch says."""
        self._said.append(data)


class Recorder:
    """Counts records; what it costs to keep them is not a matter of this file."""

    def __init__(self) -> None:
        self.count = 0

    def put(self, _record: CallRecord) -> None:
        """Count one."""
        self.count += 1


class Groups:
    """The one group."""

    def find(self, _keys: object) -> Group:
        """Return it."""
        return GROUP


def controller() -> Controller:
    """Return a controller that listens to nobody."""
    session.Wire = Memory  # type: ignore[assignment,misc]
    groups: Any = Groups()
    recorder: Any = Recorder()
    return Controller(bind("127.0.0.1", 0), (), groups, lambda n: (n,), recorder=recorder)


def serve(served: Controller, calls: int) -> float:
    """Serve so many calls one after the other; return the seconds of a processor for each."""
    began = time.process_time()
    for _ in range(calls):
        sock: Any = Memory()
        now = time.monotonic()
        served._serve(sock, ("switch", 0), now, now + 10.0)
    return (time.process_time() - began) / calls


def switch_alone(calls: int) -> float:
    """Return what of that is the switch's half."""
    said = list(_said)
    began = time.process_time()
    for _ in range(calls):
        one = Memory()
        for data in said:
            one.send(data, 0.0)
            one.receive(0.0)
    return (time.process_time() - began) / calls


_said: list[bytes] = []


def record() -> None:
    """Remember what the controller says in a call."""
    plain = Memory.send

    def noting(self: Memory, data: bytes, within: float) -> None:
        _said.append(data)
        plain(self, data, within)

    Memory.send = noting  # type: ignore[method-assign]
    serve(controller(), 1)
    Memory.send = plain  # type: ignore[method-assign]


def profile(served: Controller, calls: int) -> pstats.Stats:
    """Return what each function takes in so many calls."""
    profiler = cProfile.Profile()
    profiler.enable()
    serve(served, calls)
    profiler.disable()
    return pstats.Stats(profiler, stream=io.StringIO())


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser("python -m benchmarks.one_call", description=__doc__)
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--profile", action="store_true", help="every function, by its own time")
    chosen = parser.parse_args()
    record()
    served = controller()
    serve(served, WARM)
    gc.collect()
    if chosen.profile:
        stats = profile(served, chosen.calls)
        stats.stream = __import__("sys").stdout
        stats.sort_stats("tottime").print_stats(60)
        return
    whole = min(serve(served, chosen.calls) for _ in range(chosen.rounds))
    switch = min(switch_alone(chosen.calls) for _ in range(chosen.rounds))
    print(f"{1e6 * (whole - switch):.0f} us for a call (with the switch {1e6 * whole:.0f})")


if __name__ == "__main__":
    main()
