"""Finding past calls.

Owns the SQL of reading records. However many match, a page of them is in memory at a time.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, cast

from sqlalchemy import ColumnElement, Engine, Row, Table, func, or_, select, tuple_
from sqlalchemy.orm import Session

from fsctl.store.call_keys import user_key
from fsctl.store.call_records import Attempt, CallOutcome, CallRecord
from fsctl.store.call_tables import Call, CallAttempt, CallGroup
from fsctl.store.engine import reading
from fsctl.store.masking import hide_caller, is_caller
from fsctl.store.tables import name_key

PAGE = 500
SHORTEST_PREFIX = 4
"""Characters of a uuid that say enough to look for it."""
_LONGEST_ID = 18  # digits that fit 64 bits
_BEYOND = "\U0010ffff"

# Rows, not the ORM's objects: an export of a million calls has seven million.
_CALLS = cast(Table, Call.__table__)
_ATTEMPTS = cast(Table, CallAttempt.__table__)
_Row = Row[Any]


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls; what is None does not restrict. Times are epoch seconds, ``until`` excluded.

    ``member`` finds the calls of groups that this user belonged to, rung or not; without a domain
    it is that user in any. Of callers' numbers the last ``hidden`` digits are not shown, and
    ``caller`` finds whom it would show alike (``masking.is_caller``).
    """

    domain: str | None = None
    group: str | None = None
    member: str | None = None
    caller: str | None = None
    outcome: CallOutcome | None = None
    since: float | None = None
    until: float | None = None
    hidden: int = field(kw_only=True)

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return what holds for these calls, as conditions on ``Call``."""
        found: list[ColumnElement[bool]] = within(Call.began_ms, self)
        if self.domain is not None:
            found.append(Call.domain == self.domain)
        if self.group is not None:
            found.append(Call.group_key == name_key(self.group))
        if self.caller is not None:
            found.append(is_caller(Call.caller_key, self.caller, self.hidden))
        if self.outcome is not None:
            found.append(Call.outcome == self.outcome.value)
        if self.member is not None:
            calls = select(CallAttempt.call_id).where(_is_member(self.member))
            found.append(Call.id.in_(calls.where(*within(CallAttempt.began_ms, self))))
        return found


def within(column: Any, chosen: CallFilter) -> list[ColumnElement[bool]]:
    """Return the conditions that a filter's times put on a column of milliseconds."""
    found = []
    if chosen.since is not None:
        found.append(column >= round(chosen.since * 1000))
    if chosen.until is not None:
        found.append(column < round(chosen.until * 1000))
    return found


def _is_member(user: str) -> ColumnElement[bool]:
    """Compare as ``fsctl.hunt.group.same_user`` does."""
    same = CallAttempt.member_user == user_key(user)
    if "@" not in user:
        return same
    member = func.lower(CallAttempt.member)
    return same & or_(member == user_key(user), member == user.casefold())


@dataclass(frozen=True, slots=True)
class StoredCall:
    """A record with its id, and the members of its group who were not rung."""

    id: int
    record: CallRecord
    not_rung: tuple[str, ...]


def list_calls(engine: Engine, chosen: CallFilter, limit: int | None) -> Iterator[StoredCall]:
    """Yield the calls that a filter lets through, as they may be shown, the latest first.

    All of them were there at one moment, however slowly the caller takes them. Raises Unavailable.
    """
    left = limit
    last: _Row | None = None
    with reading(engine, at_one_moment=True) as session:
        while left is None or left > 0:
            size = PAGE if left is None else min(PAGE, left)
            page = _page(session, chosen, last, size)
            yield from _shown(_complete(session, page), chosen.hidden)
            if len(page) < size:
                return
            last = page[-1]
            left = None if left is None else left - size


def _page(session: Session, chosen: CallFilter, last: _Row | None, size: int) -> Sequence[_Row]:
    statement = select(_CALLS).where(*chosen.conditions())
    if last is not None:
        place = tuple_(Call.began_ms, Call.id)
        statement = statement.where(place < (last.began_ms, last.id))
    latest_first = statement.order_by(Call.began_ms.desc(), Call.id.desc())
    return session.execute(latest_first.limit(size)).all()


def find_calls(engine: Engine, text: str, *, hidden: int, domain: str = "") -> list[StoredCall]:
    """Return the call with this id, or those whose uuid begins so, the oldest first.

    A caller who went on to another group has several under one uuid. At most ``PAGE``; with a
    domain, that domain's. Of the caller's number the last ``hidden`` digits are not shown.
    """
    calls = select(_CALLS).where(*([Call.domain == domain] if domain else []))
    with reading(engine, at_one_moment=True) as session:
        rows: Sequence[_Row] = ()
        if text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID:
            rows = session.execute(calls.where(Call.id == int(text))).all()
        if not rows and len(text) >= SHORTEST_PREFIX:
            begins = (Call.uuid >= text) & (Call.uuid < text + _BEYOND)
            statement = calls.where(begins).order_by(Call.uuid, Call.began_ms)
            rows = session.execute(statement.limit(PAGE)).all()
        return list(_shown(_complete(session, rows), hidden))


def _shown(calls: Iterable[StoredCall], hidden: int) -> Iterator[StoredCall]:
    """Yield calls as they may be shown."""
    for call in calls:
        yield replace(call, record=hide_caller(call.record, hidden)) if hidden else call


def calls_of(session: Session, uuids: Iterable[str]) -> dict[str, list[CallRecord]]:
    """Return the whole records of these calls by uuid, of each call the oldest first."""
    found: dict[str, list[CallRecord]] = {}
    wanted = sorted(set(uuids))
    for start in range(0, len(wanted), PAGE):
        some = Call.uuid.in_(wanted[start : start + PAGE])
        rows = session.execute(select(_CALLS).where(some).order_by(Call.began_ms)).all()
        for call in _complete(session, rows):
            found.setdefault(call.record.uuid, []).append(call.record)
    return found


def _complete(session: Session, calls: Sequence[_Row]) -> Iterator[StoredCall]:
    """Add what belongs to the calls: two more statements for all of them."""
    ids = [call.id for call in calls]
    statement = select(_ATTEMPTS).where(CallAttempt.call_id.in_(ids))
    rows = session.execute(statement.order_by(CallAttempt.call_id, CallAttempt.position))
    attempts = {key: list(some) for key, some in groupby(rows, lambda row: row.call_id)}
    digests = {call.group_digest for call in calls if call.group_digest}
    documents = select(CallGroup.digest, CallGroup.document).where(CallGroup.digest.in_(digests))
    texts = {row[0]: row[1] for row in session.execute(documents)}
    for call in calls:
        yield _stored(call, attempts.get(call.id, []), texts.get(call.group_digest or "", ""))


def _stored(call: _Row, rows: Sequence[_Row], group: str) -> StoredCall:
    record = CallRecord(
        uuid=call.uuid,
        domain=call.domain,
        group=call.group_name,
        number=call.number,
        caller_number=call.caller_number,
        caller_name=call.caller_name,
        caller_user=call.caller_user,
        began=call.began_ms / 1000,
        wait_seconds=call.wait_ms / 1000,
        outcome=call.outcome,
        cause=call.cause,
        ended=call.ended_ms / 1000,
        answered_by=call.answered_by,
        talk_seconds=_seconds(call.talk_ms),
        group_as_it_was=group,
        attempts=tuple(_attempt(row) for row in rows if row.started_ms is not None),
        controller=call.controller,
        onward=call.onward,
        caller_hidden=call.caller_hidden,
        line_seconds=_seconds(call.line_ms),
    )
    return StoredCall(call.id, record, tuple(row.member for row in rows if row.started_ms is None))


def _attempt(row: _Row) -> Attempt:
    return Attempt(
        row.member,
        (row.started_ms or 0) / 1000,
        _seconds(row.ringing_ms),
        _seconds(row.answered_ms),
        _seconds(row.connected_ms),
        _seconds(row.ended_ms),
        row.outcome,
        row.cause,
        row.sip_code,
    )


def _seconds(ms: int | None) -> float | None:
    return None if ms is None else ms / 1000
