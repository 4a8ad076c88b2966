"""The outbox: which addresses are still to hear of which missed calls.

Owns its SQL, and that an address hears of a call once: a row is written in the transaction of the
call's record, and written again it changes nothing. Rows that are done stay for ``KEPT``; records
that come later than ``LATEST`` after their call ask for no mail, so none comes twice for want of a
row. One controller at a time sends (``take_turn``), by a turn that ends by itself when that one
dies.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import Table, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from fsctl.hunt.missed import After, after, told
from fsctl.store.call_records import CallRecord, group_of
from fsctl.store.call_tables import Call
from fsctl.store.limits import LONGEST_WAIT_MS
from fsctl.store.live import there
from fsctl.store.mail_tables import Mail, MailTurn
from fsctl.store.web_tables import LiveCall

_DAY_MS = 86_400_000
LATEST_MS = _DAY_MS
"""Milliseconds after a call's end in which its mail may be asked for, and after that in which it
may be sent: what is older is news to nobody."""
KEPT_MS = 3 * _DAY_MS
"""Milliseconds for which a row is kept that is done; more than both of them together."""
COMES_BACK_MS = 10_000
"""Milliseconds in which a call that went to the dialplan may hunt in another group of ours."""
GIVEN_UP_MS = 3 * LONGEST_WAIT_MS + 300_000
"""Milliseconds after which a group to which a call went on is no more expected to say how it ended:
it may hunt, let the caller stand in line, and begin a last hunt as that ends, each for the longest
wait; five minutes are for the record to come. Only a controller that died leaves it unsaid."""
AGAIN_MS = 5_000
"""Milliseconds after which a call that hunts again is looked at once more."""
AT_ONCE = 500
"""Rows in one round."""

_MAIL = cast(Table, Mail.__table__)
_TURN = cast(Table, MailTurn.__table__)
_CALL = cast(Table, Call.__table__)


class Result(StrEnum):
    """What became of a row."""

    SENT = "sent"
    REFUSED = "refused"
    """The mail server would not take it, for good."""
    LATE = "late"
    """It could not be brought for a day."""
    NEEDLESS = "needless"
    """Somebody took the call after all, or its record is gone."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row that waits: which address is to hear of which call, on behalf of which domain."""

    id: int
    uuid: str
    domain: str
    address: str
    asked_ms: int
    due_ms: int
    tries: int


# With the records


def ask_for_mails(session: Session, records: Sequence[CallRecord], now: int) -> None:
    """Put into the outbox who wants to hear of these calls, which have just been written.

    Whether a call is missed is decided when the mail is sent, by all records of the call. Here is
    decided when to look: as soon as no other group hunts.
    """
    rows = [row for record in records for row in _asked(record, now)]
    if rows:
        postgres = session.get_bind().dialect.name == "postgresql"
        statement: Any = postgresql.insert(_MAIL) if postgres else sqlite.insert(_MAIL)
        keys = ("uuid", "domain", "address")
        # In one order everywhere, so that two controllers cannot wait for each other.
        rows.sort(key=lambda row: [row[key] for key in keys])
        session.execute(statement.on_conflict_do_nothing(index_elements=keys), rows)
    _set_due(session, {record.uuid for record in records}, now)


def _asked(record: CallRecord, now: int) -> list[dict[str, Any]]:
    if record.ended * 1000 < now - LATEST_MS:
        return []
    group = group_of(record.group_as_it_was)
    addresses = told(group, record.outcome) if group else ()
    key = {"uuid": record.uuid, "domain": record.domain, "asked_ms": now, "due_ms": now}
    return [{**key, "address": address, "tries": 0} for address in addresses]


def _set_due(session: Session, uuids: set[str], now: int) -> None:
    """Set when the calls are looked at, by where the last group of each sent its caller."""
    waiting = select(_MAIL.c.uuid).where(
        _MAIL.c.uuid.in_(uuids), _MAIL.c.done_ms.is_(None), _MAIL.c.tries == 0
    )
    statement = select(_CALL.c.uuid, _CALL.c.onward).where(_CALL.c.uuid.in_(waiting))
    in_order = statement.order_by(_CALL.c.uuid, _CALL.c.began_ms)
    last = {uuid: onward for uuid, onward in session.execute(in_order)}  # noqa: C416 - no pairs
    later = {After.OVER: 0, After.MAY_COME_BACK: COMES_BACK_MS, After.HUNTS_ON: GIVEN_UP_MS}
    for uuid, onward in last.items():
        these = (_MAIL.c.uuid == uuid, _MAIL.c.done_ms.is_(None), _MAIL.c.tries == 0)
        session.execute(update(_MAIL).where(*these).values(due_ms=now + later[after(onward)]))


# Whose turn it is


def take_turn(session: Session, who: str, now: int, until: int) -> bool:
    """Take the turn to send, or keep it, until that time; False when another one has it."""
    free = (_TURN.c.until_ms < now) | (_TURN.c.holder == who)
    done = session.execute(update(_TURN).where(free).values(holder=who, until_ms=until))
    return bool(done.rowcount)  # type: ignore[attr-defined]


def leave_turn(session: Session, who: str) -> None:
    """Let another one have the turn."""
    session.execute(update(_TURN).where(_TURN.c.holder == who).values(holder="", until_ms=0))


# What waits


def waiting_count(session: Session) -> int:
    """Return how many rows wait, due or not."""
    return session.scalar(select(func.count()).where(_MAIL.c.done_ms.is_(None))) or 0


def read_due(session: Session, now: int) -> list[Waiting]:
    """Return the rows that are due, those that were asked for first."""
    due = (_MAIL.c.done_ms.is_(None), _MAIL.c.due_ms <= now)
    statement = select(*(_MAIL.c[name] for name in Waiting.__slots__)).where(*due)
    return [Waiting(*row) for row in session.execute(statement.order_by(_MAIL.c.id).limit(AT_ONCE))]


def read_waiting(session: Session) -> list[Waiting]:
    """Return the rows that wait, due or not, those that were asked for first."""
    statement = select(*(_MAIL.c[name] for name in Waiting.__slots__))
    statement = statement.where(_MAIL.c.done_ms.is_(None)).order_by(_MAIL.c.id).limit(AT_ONCE)
    return [Waiting(*row) for row in session.execute(statement)]


def hunting(session: Session, uuids: Iterable[str], now: int) -> set[str]:
    """Return which of these calls hunt right now, as far as controllers tell (``store.live``)."""
    statement = select(LiveCall.uuid).where(
        LiveCall.uuid.in_(list(uuids)), LiveCall.controller.in_(there(now))
    )
    return set(session.scalars(statement))


def sent_since(session: Session, address: str, since: int) -> tuple[int, int]:
    """Return how many mails an address has had since then, and when the last of them came."""
    sent = (_MAIL.c.address == address, _MAIL.c.done_ms > since, _MAIL.c.result == Result.SENT)
    statement = select(func.count(_MAIL.c.message_id.distinct()), func.max(_MAIL.c.done_ms))
    count, last = session.execute(statement.where(*sent)).one()
    return count, last or 0


# What becomes of it


def put_off(session: Session, ids: Iterable[int], due: int, tries: int = 0) -> None:
    """Have rows wait until then; ``tries`` is how often more they have been tried."""
    values = {"due_ms": due, "tries": _MAIL.c.tries + tries}
    session.execute(update(_MAIL).where(_MAIL.c.id.in_(list(ids))).values(values))


def settle(
    session: Session, ids: Iterable[int], result: Result, now: int, message_id: str | None = None
) -> None:
    """Note what became of rows, which wait no more."""
    values = {"done_ms": now, "result": result.value, "message_id": message_id}
    session.execute(update(_MAIL).where(_MAIL.c.id.in_(list(ids))).values(values))


def forget_done(session: Session, now: int) -> None:
    """Remove rows that nobody will ask about again."""
    session.execute(delete(_MAIL).where(_MAIL.c.done_ms < now - KEPT_MS))
