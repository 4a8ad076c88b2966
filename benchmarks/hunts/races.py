"""What is measured of one contestant: rates, delays, a burst, and calls that wait."""

from __future__ import annotations

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
        before = len(done)
        switch.turn(1.0)
        if len(done) > before:
            last = time.monotonic()
    took, used = last - began, served.cpu() - used
    good = [call for call in done if not call.lost]
    delays = sorted(1000 * (call.originates[0] - call.began) for call in good)
    return Rate(
        len(good),
        count - len(good),
        len(good) / took if took else 0.0,
        len(good) / used if used else 0.0,
        (median(delays), delays[int(0.99 * len(delays))]) if delays else (0.0, 0.0),
    )


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
        before = len(done)
        switch.turn(1.0)
        if len(done) > before:
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
