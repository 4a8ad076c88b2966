"""Several processes on one listening socket: started, watched, replaced and stopped together.

Owns the master and what a worker hears from it; must not know what a worker does. The master only
waits: it has no gevent hub, no thread and no database connection, so that what it forks begins
clean. A connection goes to whichever worker takes it first, and one that is busy takes none.

A worker ignores signals and is told through a pipe instead: each byte means "stop" once more. A
terminal or a service manager signals every process of the group, and a worker would hear twice what
was said once. The end of that pipe means that the master is gone, and counts as one "stop".
"""

import logging
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

from gevent import socket as gsocket

LIVED_WELL = 10.0
"""Seconds after which the death of a worker is an accident: the next one starts at once."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 10.0
"""Seconds before a worker that died young is replaced; each time twice as long, up to the last."""
_STOP = (signal.SIGINT, signal.SIGTERM)
_HEARD = (*_STOP, signal.SIGCHLD)

log = logging.getLogger(__name__)

Work = Callable[[int, int], None]
"""What a worker does, given its number from 1 and its end of the pipe, until it has stopped."""


@dataclass(slots=True)
class _Worker:
    """A place for a worker. ``pid`` is 0 while there is none; ``due`` is when one starts."""

    number: int
    pid: int = 0
    orders: int = -1
    started: float = 0.0
    due: float = 0.0
    pause: float = 0.0


class Workers:
    """``count`` processes that each do ``work``; ``on_stop`` is called once, when told to stop.

    It has to close what only a master keeps open, the listening socket first of all: as long as
    any process has it, the kernel takes connections that nobody will serve. ``on_beat`` is called
    at least ``every`` so many seconds, for whoever watches whether the master is alive, and
    ``on_end`` with the process number of each worker that has ended.
    """

    def __init__(
        self,
        count: int,
        work: Work,
        on_stop: Callable[[], None],
        on_beat: Callable[[], None] = lambda: None,
        every: float | None = None,
        on_end: Callable[[int], None] = lambda _pid: None,
    ) -> None:
        self._places = [_Worker(number) for number in range(1, count + 1)]
        self._work = work
        self._on_stop = on_stop
        self._on_beat = on_beat
        self._every = every
        self._on_end = on_end
        self._told = 0
        self._signals = -1

    def run(self) -> None:
        """Start all, replace those that die, and return when told to stop and all have stopped."""
        self._signals, heard = os.pipe()
        for end in (self._signals, heard):
            os.set_blocking(end, False)
        previous = {number: signal.signal(number, _hear) for number in _HEARD}
        signal.set_wakeup_fd(heard)
        try:
            self._start_due()
            while any(worker.pid for worker in self._places) or not self._told:
                self._wait()
                self._bury()
                self._start_due()
        finally:
            signal.set_wakeup_fd(-1)
            for number, handler in previous.items():
                signal.signal(number, handler)
            os.close(self._signals)
            os.close(heard)

    def _wait(self) -> None:
        """Wait for a signal or for the next start, and pass an order to stop on."""
        due = [worker.due for worker in self._places if not worker.pid]
        patience = max(0.0, min(due) - time.monotonic()) if due and not self._told else None
        if self._every is not None:
            self._on_beat()
            patience = self._every if patience is None else min(patience, self._every)
        if not select.select([self._signals], [], [], patience)[0]:
            return
        for number in os.read(self._signals, 64):
            if number in _STOP:
                self._tell()

    def _tell(self) -> None:
        self._told += 1
        for worker in self._places:
            if worker.pid:
                with suppress(BrokenPipeError):
                    os.write(worker.orders, b".")
        if self._told == 1:
            self._on_stop()

    # Starting and burying

    def _start_due(self) -> None:
        for worker in self._places:
            if not self._told and not worker.pid and worker.due <= time.monotonic():
                self._start(worker)

    def _start(self, worker: _Worker) -> None:
        hears, orders = os.pipe()
        # A signal that finds the child before it ignores signals would be told to the master.
        signal.pthread_sigmask(signal.SIG_BLOCK, _HEARD)
        try:
            pid = os.fork()
            if pid == 0:
                os.close(orders)
                self._become(worker, hears)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _HEARD)
        os.close(hears)
        worker.pid, worker.orders, worker.started = pid, orders, time.monotonic()

    def _become(self, worker: _Worker, hears: int) -> NoReturn:
        """Be the worker: leave nothing of the master's behind, and never return to its code."""
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in _STOP:
                signal.signal(number, signal.SIG_IGN)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _HEARD)
            for other in self._places:
                if other.pid:  # or it would outlive the master unnoticed
                    os.close(other.orders)
            self._work(worker.number, hears)
            status = 0
        except BaseException:
            log.exception("worker %d has failed", worker.number)
        finally:
            with suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(status)

    def _bury(self) -> None:
        """Take note of every worker that has ended."""
        for worker in self._places:
            if worker.pid:
                pid, status = os.waitpid(worker.pid, os.WNOHANG)
                if pid:
                    self._ended(worker, status)

    def _ended(self, worker: _Worker, status: int) -> None:
        pid, worker.pid = worker.pid, 0
        os.close(worker.orders)
        self._on_end(pid)
        if self._told:
            return
        now = time.monotonic()
        young = now - worker.started < LIVED_WELL
        worker.pause = min(LONGEST_PAUSE, max(FIRST_PAUSE, 2 * worker.pause)) if young else 0.0
        worker.due = now + worker.pause
        log.error(
            "worker %d (process %d) %s; another starts in %.1f s",
            worker.number,
            pid,
            _how(status),
            worker.pause,
        )


def hear_orders(orders: int, on_stop: Callable[[], None]) -> None:
    """In a worker, in a greenlet: call ``on_stop`` each time that the master says so."""
    told = False
    while True:
        gsocket.wait_read(orders)
        said = os.read(orders, 16)
        for _ in said:
            on_stop()
        if not said:
            if not told:
                on_stop()
            return
        told = True


def _hear(_number: int, _frame: object) -> None:
    """Do nothing: the number of the signal comes through the wake-up descriptor."""


def _how(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"was ended by signal {-code}" if code < 0 else f"ended with status {code}"
