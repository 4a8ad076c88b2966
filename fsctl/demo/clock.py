"""The switch's clocks: the 20 ms tick, the whole second, and the scheduler that runs on it.

Owns all that is coarse about time in FreeSWITCH. Telephones do not use it: they are exact.
"""

import itertools
import math
import time
from collections.abc import Callable

import gevent

#: Seconds between two looks of a FreeSWITCH polling loop (``switch_yield(20000)``).
TICK = 0.02

#: Seconds that the scheduler's thread sleeps between two looks (switch_scheduler.c).
SCHEDULER_POLL = 0.5


def next_tick() -> None:
    """Sleep until the next tick; all who wait for it wake at the same moment.

    The captures show it: FreeSWITCH's sleeping loops hang on one timer thread.
    """
    gevent.sleep(TICK - time.monotonic() % TICK)


def epoch() -> int:
    """Return whole seconds since 1970, which is what every timeout in FreeSWITCH counts."""
    return int(time.time())


def stamp() -> int:
    """Return microseconds since 1970, cut to the tick: two near events bear the same stamp."""
    step = int(TICK * 1_000_000)
    return int(time.time() * 1_000_000) // step * step


class Scheduler:
    """What ``sched_api`` and ``sched_hangup`` put off, by task number and group."""

    def __init__(self) -> None:
        self._started = time.time()
        self._ids = itertools.count(1)
        self._tasks: dict[int, tuple[str, gevent.Greenlet[..., None]]] = {}

    def add(self, when: int, group: str, task: Callable[[], object], every: int = 0) -> int:
        """Run ``task`` at the scheduler's first look at or after the epoch second ``when``.

        ``every`` repeats it so many seconds later, again and again. Returns the task's number.
        """
        number = next(self._ids)
        self._plan(number, when, group, task, every)
        return number

    def _plan(
        self, number: int, when: int, group: str, task: Callable[[], object], every: int
    ) -> None:
        looks = math.ceil(max(0.0, when - self._started) / SCHEDULER_POLL)
        delay = max(0.0, self._started + looks * SCHEDULER_POLL - time.time())

        def run() -> None:
            self._tasks.pop(number, None)
            if every:
                self._plan(number, epoch() + every, group, task, every)
            task()

        self._tasks[number] = (group, gevent.spawn_later(delay, run))

    def delete(self, which: str) -> int:
        """Forget one task by number, or a whole group by name; returns how many there were."""
        if which.isdigit():
            doomed = [int(which)] if int(which) in self._tasks else []
        else:
            doomed = [number for number, (group, _) in self._tasks.items() if group == which]
        for number in doomed:
            self._tasks.pop(number)[1].kill(block=False)
        return len(doomed)

    def close(self) -> None:
        """Forget everything."""
        for _, waiting in self._tasks.values():
            waiting.kill(block=False)
        self._tasks.clear()
