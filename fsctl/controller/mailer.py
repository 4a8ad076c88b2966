"""Sends mails of missed calls, behind everything else.

Owns a thread that looks into the outbox (``fsctl.store.outbox``) every second. Of all controllers
one sends at a time: its turn ends by itself when it dies, so a mail that was not brought is brought
by the next. A row is done once the server has taken its mail; who is killed between the two leaves
it, and the mail comes a second time under the same Message-ID. Else no mail comes twice.

No call waits for any of this, and what fails here is logged and tried again for a day.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

import gevent
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from fsctl.controller.recorder import controller_name
from fsctl.logs import about_call
from fsctl.mail.message import Call, Letter, Writer
from fsctl.mail.pacing import WINDOW_MS, next_try_ms, pace
from fsctl.mail.server import MailServer
from fsctl.mail.session import (
    SESSION_TIME,
    BrokenOff,
    MailServerError,
    MailSession,
    Refused,
    session,
)
from fsctl.store import outbox
from fsctl.store.call_queries import calls_of
from fsctl.store.call_records import CallOutcome
from fsctl.store.engine import reading, writing
from fsctl.store.errors import StoreError
from fsctl.store.masking import hide_caller
from fsctl.store.outbox import Result, Waiting
from fsctl.store.tables import now_ms

log = logging.getLogger(__name__)

PACE = 1.0
"""Seconds between two looks."""
TURN_MS = 120_000
"""Milliseconds of a turn: longer than a conversation with the server and what surrounds it."""
FIRST_RETRY, LAST_RETRY = 5.0, 300.0
"""Seconds after which a server that took nothing is tried again; twice as long each time."""
TIDY = 3_600.0
"""Seconds between two removals of what is done."""
TAKEN = (
    CallOutcome.ANSWERED,
    CallOutcome.HANDED_BACK,
    CallOutcome.SWITCH_LOST,
    CallOutcome.INTERRUPTED,
)
"""Outcomes of calls that are not missed: somebody has the caller, or may have, without us."""


@dataclass(frozen=True, slots=True)
class Task:
    """A mail to be brought, and the rows that are done then."""

    letter: Letter
    rows: tuple[Waiting, ...]

    @property
    def ids(self) -> list[int]:
        """The rows' ids."""
        return [row.id for row in self.rows]


class Mailer:
    """Brings mails to ``server``; ``count`` is told of each one what became of it.

    Of callers' numbers the mails hide the last ``hidden`` digits.
    """

    def __init__(
        self,
        engine: Engine,
        server: MailServer,
        writer: Writer,
        *,
        hidden: int = 0,
        count: Callable[[str], None] = lambda _result: None,
        looking_every: float = PACE,
        name: str = "",
    ) -> None:
        self.waiting = 0
        """How many mails wait, of all controllers."""
        self._engine = engine
        self._server = server
        self._writer = writer
        self._hidden = hidden
        self._count = count
        self._pace = looking_every
        self._name = name or controller_name()
        self._stopping = threading.Event()
        self._failures = 0
        self._not_before = 0.0
        self._tidied = -TIDY
        self._database_away = False
        self._thread = threading.Thread(target=self._work, name="fsctl-mail", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Send what is due, for so long at most; the rest waits for another controller."""
        self._stopping.set()
        gevent.get_hub().threadpool.apply(self._thread.join, (timeout,))

    def _work(self) -> None:
        last = False
        while not last:
            last = self._stopping.wait(self._pace)
            try:
                self.look()
            except (StoreError, DBAPIError, IntegrityError) as error:
                if not self._database_away:
                    log.warning("mails of missed calls wait: %s", error)
                self._database_away = True
            except Exception:  # a fault of ours is not to end it
                log.exception("a mail of a missed call could not be sent")
                self._stopping.wait(FIRST_RETRY)
            else:
                self._database_away = False

    def look(self) -> None:
        """Send what is due, if it is our turn and the server's. Raises StoreError."""
        now = now_ms()
        with reading(self._engine) as there:
            self.waiting = outbox.waiting_count(there)
            due = self.waiting and outbox.read_due(there, now)
        if not due or time.monotonic() < self._not_before:
            return
        with writing(self._engine) as there:
            if not outbox.take_turn(there, self._name, now, now + TURN_MS):
                return
        try:
            self._tidy(now)
            with writing(self._engine) as there:
                # Nobody else sends now, so what is read here is due still.
                tasks = list(self._tasks(there, outbox.read_due(there, now), now))
            if tasks:
                self._bring(tasks)
        finally:
            with writing(self._engine) as there:
                outbox.leave_turn(there, self._name)
                self.waiting = outbox.waiting_count(there)

    def _tidy(self, now: int) -> None:
        if time.monotonic() - self._tidied > TIDY:
            with writing(self._engine) as there:
                outbox.forget_done(there, now)
            self._tidied = time.monotonic()

    # What is to be told

    def _tasks(self, there: Session, due: Sequence[Waiting], now: int) -> Iterator[Task]:
        """Yield the mails to be sent now, and settle or put off whatever else is due."""
        late = [row for row in due if row.asked_ms < now - outbox.LATEST_MS]
        self._give_up(there, late, Result.LATE, now)
        for row in late:
            with about_call(row.uuid):
                log.error("%s is not told of the missed call: the mail waited a day", row.address)
        calls = calls_of(there, {row.uuid for row in due})
        again = outbox.hunting(there, calls, now)
        missed: list[tuple[Waiting, Call]] = []
        for row in due:
            if row in late:
                continue
            records = calls.get(row.uuid, [])
            ours = [hide_caller(one, self._hidden) for one in records if one.domain == row.domain]
            if row.uuid in again:
                outbox.put_off(there, [row.id], now + outbox.AGAIN_MS)
            elif not ours or any(one.outcome in TAKEN for one in records):
                outbox.settle(there, [row.id], Result.NEEDLESS, now)
            else:
                missed.append((row, ours))
        by_address = sorted(missed, key=lambda one: (one[0].address, one[0].id))
        for address, some in groupby(by_address, key=lambda one: one[0].address):
            yield from self._paced(there, address, list(some), now)

    def _paced(
        self, there: Session, address: str, calls: Sequence[tuple[Waiting, Call]], now: int
    ) -> Iterator[Task]:
        sent, last = outbox.sent_since(there, address, now - WINDOW_MS)
        found = pace(len(calls), sent, last)
        rows = tuple(row for row, _call in calls)
        if found.held_until is not None:
            outbox.put_off(there, map(attrgetter("id"), rows), found.held_until)
            log.warning(
                "%d calls wait to be told of to %s in one mail: it had %d mails in ten minutes",
                len(rows), address, sent,
            )  # fmt: skip
        elif found.together:
            in_order = sorted((call for _row, call in calls), key=lambda call: call[0].began)
            yield Task(self._writer.many(address, in_order), rows)
        else:
            for row, call in calls:
                yield Task(self._writer.one(address, call), (row,))

    # Bringing

    def _bring(self, tasks: Sequence[Task]) -> None:
        """Bring mails in one conversation, as many as it has time for; the others stay due."""
        until = time.monotonic() + SESSION_TIME / 2
        try:
            with session(self._server) as talk:
                for task in tasks:
                    self._bring_one(talk, task)
                    if time.monotonic() > until:
                        break
        except MailServerError as error:
            self._failures += 1
            wait = min(FIRST_RETRY * 2 ** (self._failures - 1), LAST_RETRY)
            self._not_before = time.monotonic() + wait
            if self._failures == 1:
                log.error("mails of missed calls wait: mail server %s %s", self._server, error)
        else:
            if self._failures:
                log.info("over: mail server %s takes mails again", self._server)
            self._failures = 0

    def _bring_one(self, talk: MailSession, task: Task) -> None:
        letter = task.letter
        try:
            talk.send(self._writer.sender, letter.address, letter.data)
        except Refused as refused:
            self._refused(task, refused)
            return
        except BrokenOff:
            self._later(task)  # or it would be the first again, and no other ever came
            raise
        with writing(self._engine) as there:
            outbox.settle(there, task.ids, Result.SENT, now_ms(), letter.message_id)
        self._count(Result.SENT)
        for row in task.rows:
            with about_call(row.uuid):
                log.info("%s is told of the missed call", row.address)

    def _refused(self, task: Task, refused: Refused) -> None:
        level = logging.ERROR if refused.permanent else logging.WARNING
        when = "never" if refused.permanent else "not now"
        for row in task.rows:
            with about_call(row.uuid):
                log.log(
                    level, "the mail server takes the mail to %s %s: %s", row.address, when, refused
                )
        if not refused.permanent:
            self._later(task)
            return
        with writing(self._engine) as there:
            self._give_up(there, task.rows, Result.REFUSED, now_ms())

    def _later(self, task: Task) -> None:
        later = now_ms() + next_try_ms(task.rows[0].tries)
        with writing(self._engine) as there:
            outbox.put_off(there, task.ids, later, tries=1)

    def _give_up(self, there: Session, rows: Iterable[Waiting], result: Result, now: int) -> None:
        ids = [row.id for row in rows]
        if ids:
            outbox.settle(there, ids, result, now)
            self._count(result)
