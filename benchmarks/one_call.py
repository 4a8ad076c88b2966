"""What one hunted call costs inside: ``python -m benchmarks.one_call`` prints where the time goes.

The controller, from the connection to the record, without a network and without other processes:
the switch's half (``benchmarks.hunts.switch``) answers in memory. So what is left is the program's
own, in the same steps each time.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import pstats
import time
from collections import Counter
from dataclasses import dataclass
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
SHOWN = 30
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


@dataclass(frozen=True, slots=True)
class Function:
    """What a function of ours takes in one call: itself, with what it calls that is not ours."""

    place: str
    calls: float
    microseconds: float


def profile(served: Controller, calls: int) -> list[Function]:
    """Return what each function takes, the dearest first. Measuring makes all of them dearer."""
    profiler = cProfile.Profile()
    profiler.enable()
    serve(served, calls)
    profiler.disable()
    stats: dict[_Key, Any] = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
    seconds = {key: found[2] for key, found in stats.items() if _is_ours(key)}
    for key, (*_, callers) in stats.items():
        for caller, found in callers.items():
            if caller in seconds and not _is_ours(key) and "benchmarks" not in key[0]:
                seconds[caller] += found[2]
    functions = [
        Function(_place(key), stats[key][1] / calls, 1e6 * took / calls)
        for key, took in seconds.items()
    ]
    return sorted(functions, key=lambda one: -one.microseconds)


_Key = tuple[str, int, str]


def _is_ours(key: _Key) -> bool:
    return key[0].startswith(ROOT + "/fsctl")


def _place(key: _Key) -> str:
    return f"{key[0].removeprefix(ROOT + '/fsctl/')}: {key[2]}"


def table(calls: int, rounds: int) -> str:
    """Return the figures of one call as lines for people."""
    record()
    served = controller()
    serve(served, WARM)
    gc.collect()
    whole = min(serve(served, calls) for _ in range(rounds))
    switch = min(switch_alone(calls) for _ in range(rounds))
    functions = profile(served, calls)
    total = sum(one.microseconds for one in functions)
    said = GREETING + b"".join(_said)
    lines = [
        f"{1e6 * (whole - switch):.0f} us of a processor for a call, without network and records",
        f"{said.count(b'bgapi originate')} legs, {said.count(bytes(2 * [10]))} commands of"
        f" {len(said)} bytes, {len(_said) + 1} sendings",
        f"{sum(one.calls for one in functions):.0f} calls of functions of ours",
        "",
        "part                      share",
    ]
    parts: Counter[str] = Counter()
    for one in functions:
        parts[one.place.partition("/")[0]] += one.microseconds
    lines += [f"{name:<24}{took / total:>7.0%}" for name, took in parts.most_common()]
    lines += ["", f"{'function':<56}{'times':>6}{'share':>8}"]
    lines += [
        f"{one.place:<56}{one.calls:>6.0f}{one.microseconds / total:>8.1%}"
        for one in functions[:SHOWN]
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser("python -m benchmarks.one_call", description=__doc__)
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=9)
    chosen = parser.parse_args()
    print(table(chosen.calls, chosen.rounds))


if __name__ == "__main__":
    main()
