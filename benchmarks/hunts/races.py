"""What is measured of one contestant: rates, delays, a burst, and calls that wait."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from statistics import median, quantiles

from benchmarks.hunts.contestants import HUNTED, LATER, WAITING, Served
from benchmarks.hunts.switch import Call, Play, Switch

QUIET = 10.0
"""Seconds without anything happening after which what is left counts as lost."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Hunted calls, so many at once. ``per_core`` is calls a second of the controller's processor
    time; delays are milliseconds from the connection to the first leg's order."""

    calls: int
    lost: int
    per_second: float
    per_core: float
    first_leg: tuple[float, float]


def rate(served: Served, count: int, at_once: int) -> Rate:
    """Hunt ``count`` calls, ``at_once`` at a time, each as soon as another is over."""
    switch = Switch(served.address)
    done: list[Call] = []
    play = Play(HUNTED)
    began, used, started = time.monotonic(), served.cpu(), 0
    last = began
    while len(done) + switch.refused < count and time.monotonic() - last < QUIET:
        while switch.open < at_once and started < count:
            switch.call(done.append, play)
            started += 1
        before = switch.heard, len(done)
        switch.turn(1.0)
        if (switch.heard, len(done)) != before:
            last = time.monotonic()
    took, used = last - began, served.cpu() - used
    good = [call for call in done if not call.lost]
    return Rate(
        len(good),
        count - len(good),
        len(good) / took if took else 0.0,
        len(good) / used if used else 0.0,
        _delays(good),
    )


@dataclass(frozen=True, slots=True)
class Steady:
    """Calls that come at a rate while others ring; delays as in ``Rate``."""

    under_way: int
    per_second: float
    calls: int
    lost: int
    first_leg: tuple[float, float]


def steady(served: Served, under_way: int, seconds: float) -> Steady:
    """Let calls come for so many seconds while ``under_way`` others ring.

    A telephone rings for some five seconds before it is answered, so a fifth of those under way are
    new in each second; twenty at least, to measure anything.
    """
    switch = Switch(served.address)
    ringing: list[Call] = []
    for _ in range(under_way):
        call = switch.call(lambda _: None, Play(WAITING, legs=0))
        if call is None:
            raise SystemExit("a call that should wait was refused")
        ringing.append(call)
        switch.turn(0.002)
    while not all(call.originates for call in ringing):
        switch.turn(0.1)
    per_second = max(20.0, under_way / 5)
    done = _at_a_rate(switch, per_second, seconds)
    for call in ringing:
        switch.let_go(call)
    good = [call for call in done if call.originates]
    return Steady(under_way, per_second, len(good), len(done) - len(good), _delays(good))


def _at_a_rate(switch: Switch, per_second: float, seconds: float) -> list[Call]:
    """Let calls come evenly, and wait until each has been served or ten seconds are over."""
    done: list[Call] = []
    made = 0
    began = time.monotonic()
    while (passed := time.monotonic() - began) < seconds + QUIET:
        while made < min(passed, seconds) * per_second:
            switch.call(done.append, Play(HUNTED))
            made += 1
        if passed >= seconds and len(done) + switch.refused >= made:
            break
        switch.turn(0.002)
    return done


def _delays(calls: list[Call]) -> tuple[float, float]:
    """Return the median and the 99th percentile of the calls' first legs, in milliseconds."""
    delays = sorted(1000 * (call.originates[0] - call.began) for call in calls)
    return (median(delays), delays[int(0.99 * len(delays))]) if delays else (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Flood:
    """Calls at twenty a second while silent connections are opened within a second beside them."""

    silent: int
    opened_within: float
    calls: int
    first_leg: tuple[float, float]
    longest: float


_FLOODER = """
import resource, socket, sys, time
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
count, began, kept = int(sys.argv[2]), time.monotonic(), []
for number in range(count):
    kept.append(socket.create_connection(("127.0.0.1", int(sys.argv[1]))))
    time.sleep(max(0.0, began + number / count - time.monotonic()))
print(time.monotonic() - began, flush=True)
sys.stdin.read()
"""


def flood(served: Served, silent: int) -> Flood:
    """Open ``silent`` connections within a second that never say anything, beside real calls."""
    switch = Switch(served.address)
    command = [sys.executable, "-c", _FLOODER, str(served.address[1]), str(silent)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as flooder:
        done = _at_a_rate(switch, 20.0, 2.0)
        opened = float(flooder.stdout.readline()) if flooder.stdout else 0.0
        flooder.kill()
    delays = [1000 * (call.originates[0] - call.began) for call in done if call.originates]
    return Flood(silent, opened, len(done), _delays(done), max(delays))


@dataclass(frozen=True, slots=True)
class Burst:
    """Calls that all come within a second. Times are seconds since each came."""

    calls: int
    lost: int
    came_within: float
    first_leg: float
    """The longest wait for a first leg."""
    over_within: float
    """When the last was served to its end, since the first came."""


def burst(served: Served, count: int) -> Burst:
    """Let ``count`` calls come as fast as they can be made, and serve them all."""
    switch = Switch(served.address)
    done: list[Call] = []
    play = Play(HUNTED)
    began = time.monotonic()
    for number in range(count):
        switch.call(done.append, play)
        if number % 10 == 0:
            switch.turn(0)
    came = time.monotonic() - began
    last = time.monotonic()
    while switch.open and time.monotonic() - last < QUIET:
        before = switch.heard, len(done)
        switch.turn(1.0)
        if (switch.heard, len(done)) != before:
            last = time.monotonic()
    good = [call for call in done if not call.lost]
    delays = [call.originates[0] - call.began for call in good]
    over = max((call.ended for call in good), default=began) - began
    return Burst(len(good), count - len(good), came, max(delays, default=0.0), over)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Calls that ring without an answer, while others come and go beside them."""

    calls: int
    memory: float
    """KiB for each, the kernel's buffers aside."""
    late: tuple[float, float]
    """Milliseconds by which the second legs came after their time: median, 99th percentile."""
    beside: int
    """Calls that came and went meanwhile, in so many seconds:"""
    seconds: float


def waiting(served: Served, count: int, beside: int, opening: int = 1_000) -> Waiting:
    """Let ``count`` calls wait; ``beside`` calls a second come and go until second legs are due.

    ``opening`` calls a second begin to wait.
    """
    switch = Switch(served.address)
    before = served.memory()
    ringing: list[Call] = []
    gone: list[Call] = []
    began = time.monotonic()
    while len(ringing) < count:
        due = min(count, int((time.monotonic() - began) * opening) + 1)
        for _ in range(due - len(ringing)):
            call = switch.call(gone.append, Play(WAITING, legs=0))
            if call is None:
                raise SystemExit("a call that should wait was refused")
            ringing.append(call)
        switch.turn(0.001)
    served_beside: list[Call] = []
    start = time.monotonic()
    settled = 0
    made = 0
    end = ringing[-1].began + LATER + 2.0
    while (now := time.monotonic()) < end:
        if not settled and all(call.originates for call in ringing[-100:]):
            settled = served.memory()
        while made < (now - start) * beside:
            switch.call(served_beside.append, Play(HUNTED))
            made += 1
        switch.turn(min(0.002, 1.0 / max(beside, 1)))
    late = [
        1000 * (call.originates[1] - call.originates[0] - LATER)
        for call in ringing
        if len(call.originates) > 1
    ]
    if len(late) < count or gone:
        raise SystemExit(f"{count - len(late)} second legs never came, {len(gone)} calls were lost")
    for call in ringing:
        switch.let_go(call)
    return Waiting(
        count,
        (settled - before) / count / 1024,
        (median(late), quantiles(late, n=100)[98]),
        sum(not call.lost for call in served_beside),
        end - start,
    )
