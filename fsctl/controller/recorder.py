"""Writes records of calls behind the calls.

Owns two threads. The first writes every record to the spool within a moment, the second brings what
is in the spool to the database and removes it there. So a record is on disk whether or not the
database answers, one that was killed leaves at most that moment, and there is one way for all of
them: a database that was away is only a longer wait.

When the disk takes nothing, records go straight to the database; when neither does, the newest
``MOST`` of them are kept. Whatever happens here is logged once, and no call notices.
"""

import logging
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import gevent
from sqlalchemy import Engine
from sqlalchemy.exc import DataError, IntegrityError

from fsctl.controller.spool import Spool
from fsctl.files import told
from fsctl.store.call_records import CallRecord, Version, cleaned, decode, encode
from fsctl.store.call_writing import write_calls
from fsctl.store.errors import Unavailable

log = logging.getLogger(__name__)

PACE = 0.25
"""Seconds for which records gather before they are written to the disk together."""
RETRY = 1.0
"""Seconds between two attempts at a database or a disk that fails."""
LOOK = 30.0
"""Seconds between two looks for what another controller, killed since, has left in the spool."""
MOST = 10_000
"""Records in memory; more only gather while neither disk nor database takes any."""
AT_ONCE = 500
KNOWN = 2_000
"""Records that are kept as they are until the database has them; others are read from the disk."""


def controller_name() -> str:
    """Return what tells this controller from others: host and process."""
    return _name(os.getpid())


@lru_cache(1)
def _name(process: int) -> str:
    return f"{socket.gethostname()}/{process}"


class Recorder:
    """Takes records of calls; ``spool`` is the directory in which they wait.

    ``mails``: with a missed call whoever wants to hear of it is put into the outbox.
    ``lost`` counts those for which there was no room anywhere.
    """

    def __init__(
        self,
        engine: Engine,
        spool: Path,
        *,
        pace: float = PACE,
        retry: float = RETRY,
        mails: bool = False,
    ) -> None:
        self.lost = 0
        self._mails = mails
        self._engine = engine
        self._spool = Spool(spool, controller_name().replace("/", "-"))
        self._pace = pace
        self._retry = retry
        self._queue: deque[Version] = deque()
        self._known: dict[bytes, Version] = {}
        """What lines say that were written here and not delivered yet; the rest is read."""
        self._stamp = 0
        self._put = threading.Event()
        self._spooled = threading.Event()
        self._stopping = threading.Event()
        self._written_down = threading.Event()
        self._disk = _Trouble(
            f"records of calls cannot be kept in {spool}: they go to the database or wait in memory"
        )
        self._database = _Trouble(f"records of calls wait in {spool}")
        self._threads = [
            threading.Thread(target=work, name=f"fsctl-{work.__name__}", daemon=True)
            for work in (self._write_down, self._deliver)
        ]

    def start(self) -> None:
        """Begin to write, with what an earlier controller has left."""
        for thread in self._threads:
            thread.start()

    def put(self, record: CallRecord) -> None:
        """Take a record, or a later version of one; never waits and never fails."""
        self._stamp = max(self._stamp + 1, time.time_ns() // 1_000_000)
        if len(self._queue) >= MOST:
            self._queue.popleft()
            self.lost += 1
        self._queue.append(Version(self._stamp, record))
        if not self._put.is_set():
            self._put.set()

    @property
    def waiting(self) -> int:
        """How many records are in memory, and not on the disk yet."""
        return len(self._queue)

    @property
    def healthy(self) -> bool:
        """Whether both the disk and the database took what they were last given."""
        return not self._disk.there and not self._database.there

    def stop(self, timeout: float) -> bool:
        """Write what is left, for ``timeout`` seconds at most; return whether all of it is.

        What the database does not take in that time stays in the spool for the next controller.
        """
        self._stopping.set()
        self._put.set()
        until = time.monotonic() + timeout
        join = gevent.get_hub().threadpool.apply
        for thread in self._threads:
            join(thread.join, (max(0.0, until - time.monotonic()),))
        if self._written_down.is_set():
            self._keep_late_ones()
        if self._queue:
            log.error("%d records of calls are lost", len(self._queue))
        return not self._queue and self.healthy and not self._threads[-1].is_alive()

    def _keep_late_ones(self) -> None:
        """Leave on the disk what conversations that ended put while the threads were ending."""
        try:
            late = [version for version in map(_clean, self._queue) if version is not None]
            if late:
                self._spool.append([encode(version) for version in late])
                self._spool.seal()  # whoever looks there next may have it
        except OSError as error:
            self._disk.begin(told(error, self._spool.directory))
        else:
            self._queue.clear()

    # The first thread: to the disk

    def _write_down(self) -> None:
        while not self._written_down.is_set():
            self._put.wait()
            self._put.clear()
            last = self._stopping.wait(self._pace)
            while self._queue and self._write_some():
                pass
            if last:
                self._written_down.set()
            elif self._queue:
                self._stopping.wait(self._retry)
                self._put.set()
        self._spooled.set()

    def _write_some(self) -> bool:
        """Write some of the queue to the disk, else to the database; False when neither works."""
        versions = [self._queue.popleft() for _ in range(min(AT_ONCE, len(self._queue)))]
        clean = [version for version in map(_clean, _latest(versions)) if version is not None]
        lines = [encode(version) for version in clean]
        if len(self._known) < KNOWN:
            self._known.update(zip(lines, clean, strict=True))
        try:
            self._spool.append(lines)
        except OSError as error:
            self._disk.begin(told(error, self._spool.directory))
            return self._write_past_the_disk(clean)
        self._disk.end()
        self._spooled.set()
        return True

    def _write_past_the_disk(self, versions: Sequence[Version]) -> bool:
        try:
            write_calls(self._engine, versions, mails=self._mails)
        except Exception as error:
            self._database.begin(error)
            room = max(0, MOST - len(self._queue))
            kept = versions[-room:] if room else []
            self.lost += len(versions) - len(kept)
            self._queue.extendleft(reversed(kept))
            return False
        self._database.end()
        return True

    # The second thread: from the disk to the database

    def _deliver(self) -> None:
        while True:
            last = self._written_down.is_set()
            self._spooled.clear()
            well = self._deliver_all()
            if last:
                return
            if well:
                self._spooled.wait(LOOK)
            else:
                self._written_down.wait(self._retry)

    def _deliver_all(self) -> bool:
        """Bring to the database what is there; while it is away, what comes meanwhile gathers."""
        try:
            while True:
                for segment in self._spool.waiting():
                    self._deliver_segment(segment)
                if not self._spool.seal():
                    self._known.clear()  # somebody else may have brought some there
                    return True
        except OSError as error:
            self._disk.begin(told(error, self._spool.directory))
        except Exception as error:  # whatever a driver raises
            self._database.begin(error)
        return False

    def _deliver_segment(self, segment: Path) -> None:
        aside = self._spool.replay(segment, self._deliver_lines)
        if aside:
            log.error("%d lines of %s are no records; they are in a .bad file now", aside, segment)

    def _deliver_lines(self, lines: Sequence[bytes]) -> list[bytes]:
        """Write what lines say to the database; return those that say nothing it can take."""
        versions: dict[bytes, Version] = {}
        bad = []
        for line in lines:
            try:
                versions[line] = self._known.pop(line) if line in self._known else decode(line)
            except ValueError:
                bad.append(line)
        if not self._taken(list(versions.values())):
            bad += [line for line, version in versions.items() if not self._taken([version])]
        return bad

    def _taken(self, versions: Sequence[Version]) -> bool:
        """Write records; False when the database will never take one of them. May raise."""
        try:
            write_calls(self._engine, versions, mails=self._mails)
        except IntegrityError:
            return False
        except Unavailable as error:
            if isinstance(error.__cause__, DataError):
                return False
            raise
        self._database.end()
        return True


def _latest(versions: Sequence[Version]) -> list[Version]:
    """Return the last version of each record: a short call puts two within a moment."""
    return list({(one.record.uuid, one.record.began): one for one in versions}.values())


def _clean(version: Version) -> Version | None:
    try:
        clean = cleaned(version.record)
        return version if clean is version.record else Version(version.recorded_ms, clean)
    except (ValueError, TypeError):
        log.exception("a record of a call cannot be kept")
        return None


class _Trouble:
    """Something that fails for a while: logged when it begins and when it ends."""

    def __init__(self, text: str) -> None:
        self.there = False
        self._text = text

    def begin(self, why: object) -> None:
        if not self.there:
            self.there = True
            log.error("%s: %s", self._text, why)

    def end(self) -> None:
        if self.there:
            self.there = False
            log.info("over: %s", self._text)
