"""Writing records of calls, and removing old ones.

Owns that a record written twice is there once: the later version stays, whoever writes it when.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache, lru_cache
from typing import Any, cast

from sqlalchemy import Dialect, Engine, Table, delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from fsctl.hunt.group import MOST_KEPT
from fsctl.hunt.nesting import everybody, takers
from fsctl.store.call_keys import caller_key, user_key
from fsctl.store.call_records import Attempt, CallRecord, Version, group_of
from fsctl.store.call_tables import Call, CallAttempt, CallGroup
from fsctl.store.engine import reading, writing
from fsctl.store.limits import LONGEST_NAME, LONGEST_USER
from fsctl.store.memory import GroupKey, Service, key_of, remember
from fsctl.store.outbox import ask_for_mails
from fsctl.store.tables import name_key, now_ms

NOT_RUNG = "not rung"
"""Outcome of a member of the group for whom no leg was started."""
PURGED_AT_ONCE = 1_000
"""Calls removed in one transaction: other writers wait no longer than that takes."""

_DAY_MS = 86_400_000
_CALLS = cast(Table, Call.__table__)
_GROUPS = cast(Table, CallGroup.__table__)
_ATTEMPTS = cast(Table, CallAttempt.__table__)
_Row = dict[str, Any]


def write_calls(engine: Engine, versions: Iterable[Version], *, mails: bool = False) -> None:
    """Write clean records in one transaction; what is older than what is there changes nothing.

    ``mails``: who wants to hear of missed calls is put into the outbox with them.
    Raises Unavailable, and IntegrityError when the database refuses a record for ever.
    """
    latest: dict[tuple[str, int], Version] = {}
    for version in sorted(versions, key=lambda version: version.recorded_ms):
        latest[version.record.uuid, _ms(version.record.began)] = version
    # In one order everywhere, so that two controllers cannot wait for each other.
    ordered = [latest[key] for key in sorted(latest)]
    if not ordered:
        return
    with writing(engine) as session:
        _write_groups(session, [version.record for version in ordered])
        known = _known_as_answered(session, ordered)
        ids = _write_rows(session, ordered)
        session.execute(delete(_ATTEMPTS).where(_ATTEMPTS.c.call_id.in_(ids.values())))
        _write_attempts(
            session,
            [
                row
                for key, call_id in ids.items()
                for row in _attempt_rows(call_id, latest[key].record)
            ],
        )
        records = [latest[key].record for key in sorted(ids)]
        remember(session, _services(records, known))
        if mails:
            ask_for_mails(session, records, now_ms())


def _known_as_answered(session: Session, versions: Sequence[Version]) -> set[tuple[str, int]]:
    """Return which of these calls the database already has as answered."""
    uuids = [version.record.uuid for version in versions if version.record.answered_by is not None]
    statement = select(_CALLS.c.uuid, _CALLS.c.began_ms).where(
        _CALLS.c.uuid.in_(uuids), _CALLS.c.answered_by.is_not(None)
    )
    return {(uuid, began) for uuid, began in session.execute(statement)} if uuids else set()


def _services(records: Iterable[CallRecord], known: set[tuple[str, int]]) -> Iterator[Service]:
    """Yield what of answered calls is to be remembered; a call that is ``known`` counted before."""
    for record in records:
        if record.answered_by is not None:
            answered = record.began + record.wait_seconds
            idle = answered if record.talk_seconds is None else record.ended
            first = (record.uuid, _ms(record.began)) not in known
            for key, member in _took(record, record.answered_by):
                yield Service(key, member, answered, idle, first)


def _took(record: CallRecord, user: str) -> Iterator[tuple[GroupKey, str]]:
    """Yield whose taking a call is to be remembered, and in which group."""
    group = group_of(record.group_as_it_was)
    if group is None or not group.inner:
        yield key_of(record.group, record.domain), user
        return
    for one, member in takers(group, user):
        yield key_of(one.name, one.domain), member


def _upsert(dialect: str, table: Table) -> Any:
    """Return the dialect's own INSERT, which knows ON CONFLICT; both write it the same way."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def _write_groups(session: Session, records: Sequence[CallRecord]) -> None:
    used: dict[str, _Row] = {}
    for record in records:
        text = record.group_as_it_was
        if text:
            row = {"digest": _digest(text), "document": text, "used_ms": _ms(record.began)}
            other = used.setdefault(row["digest"], row)
            other["used_ms"] = max(other["used_ms"], row["used_ms"])
    if not used:
        return
    rows = [used[digest] for digest in sorted(used)]
    session.execute(_groups_statement(session.get_bind().dialect.name), rows)


@cache
def _groups_statement(dialect: str) -> Any:
    statement = _upsert(dialect, _GROUPS)
    # Once a day is enough to know what is old, and spares the row that all calls share.
    return statement.on_conflict_do_update(
        index_elements=[_GROUPS.c.digest],
        set_={"used_ms": statement.excluded.used_ms},
        where=_GROUPS.c.used_ms < statement.excluded.used_ms - _DAY_MS,
    )


def _write_rows(session: Session, versions: Sequence[Version]) -> dict[tuple[str, int], int]:
    """Insert or replace the calls; return the ids of those that were, by uuid and beginning."""
    statement = _calls_statement(session.get_bind().dialect.name)
    written = session.execute(statement, [_call_row(version) for version in versions])
    return {(uuid, began): call_id for call_id, uuid, began in written}


@cache
def _calls_statement(dialect: str) -> Any:
    """Return the statement that writes calls; to put it together takes as long as some calls."""
    key = (_CALLS.c.uuid, _CALLS.c.began_ms)
    statement = _upsert(dialect, _CALLS)
    changing = {
        column.name: statement.excluded[column.name]
        for column in _CALLS.columns
        if column.name != "id" and column not in key
    }
    return statement.on_conflict_do_update(
        index_elements=key,
        set_=changing,
        where=_CALLS.c.recorded_ms <= statement.excluded.recorded_ms,
    ).returning(_CALLS.c.id, *key)


def _call_row(version: Version) -> _Row:
    record = version.record
    text = record.group_as_it_was
    return {
        "uuid": record.uuid,
        "began_ms": _ms(record.began),
        "recorded_ms": version.recorded_ms,
        "domain": record.domain,
        "group_name": record.group,
        "group_key": name_key(record.group)[: 3 * LONGEST_NAME],
        "group_digest": _digest(text) if text else None,
        "number": record.number,
        "caller_number": record.caller_number,
        "caller_key": caller_key(record.caller_number),
        "caller_name": record.caller_name,
        "caller_user": record.caller_user,
        "outcome": record.outcome,
        "cause": record.cause,
        "answered_by": record.answered_by,
        "wait_ms": _ms(record.wait_seconds),
        "talk_ms": _ms(record.talk_seconds),
        "ended_ms": _ms(record.ended),
        "controller": record.controller,
        "onward": record.onward,
        "caller_hidden": record.caller_hidden,
        "line_ms": _ms(record.line_seconds),
    }


def _attempt_rows(call_id: int, record: CallRecord) -> list[_Row]:
    """Return a row per leg, then one for each member of the group who had none."""
    attempts = record.attempts
    last = {attempt.member: position for position, attempt in enumerate(attempts)}
    legs = [
        {
            **_member(call_id, position, record, attempt.member),
            **_leg(attempt),
            "last": last[attempt.member] == position,
        }
        for position, attempt in enumerate(attempts)
    ]
    group = group_of(record.group_as_it_was)
    unrung = [user for user in everybody(group) if user not in last] if group else []
    return legs + [
        {
            **_member(call_id, position, record, user),
            **_leg(Attempt(user, 0.0, outcome=NOT_RUNG)),
            "started_ms": None,
            "last": True,
        }
        for position, user in enumerate(unrung, len(attempts))
    ]


def _write_attempts(session: Session, rows: Sequence[_Row]) -> None:
    """Insert attempts, by the driver itself: they are most of what is written, and plain values."""
    if not rows:
        return
    connection = session.connection()
    statement, order = _attempts_statement(connection.dialect)
    values: Any = [tuple(row[name] for name in order) for row in rows] if order else rows
    connection.exec_driver_sql(statement, values)


@lru_cache(8)
def _attempts_statement(dialect: Dialect) -> tuple[str, Sequence[str]]:
    """Return the text that inserts an attempt, and the order of its values; none if by name."""
    names = [column.name for column in _ATTEMPTS.columns if column.name != "id"]
    compiled = insert(_ATTEMPTS).compile(dialect=dialect, column_keys=names)
    return str(compiled), getattr(compiled, "positiontup", None) or ()


def _member(call_id: int, position: int, record: CallRecord, user: str) -> _Row:
    return {
        "call_id": call_id,
        "position": position,
        "began_ms": _ms(record.began),
        "member": user,
        "member_user": user_key(user)[:LONGEST_USER],
    }


def _leg(attempt: Attempt) -> _Row:
    return {
        "started_ms": _ms(attempt.started),
        "ringing_ms": _ms(attempt.ringing),
        "answered_ms": _ms(attempt.answered),
        "connected_ms": _ms(attempt.connected),
        "ended_ms": _ms(attempt.ended),
        "outcome": attempt.outcome,
        "cause": attempt.cause,
        "sip_code": attempt.sip_code,
    }


def _ms(seconds: float | None) -> Any:
    return None if seconds is None else round(seconds * 1000)


@lru_cache(MOST_KEPT)
def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def purge_calls(engine: Engine, before: float) -> int:
    """Remove the records of calls that began before this time (epoch seconds); return how many.

    A step at a time, each a transaction of its own. Raises Unavailable.
    """
    cutoff = _ms(before)
    oldest = select(Call.id).where(Call.began_ms < cutoff).order_by(Call.began_ms)
    removed = 0
    while True:
        with reading(engine) as session:
            ids = list(session.scalars(oldest.limit(PURGED_AT_ONCE)))
        if not ids:
            break
        with writing(engine) as session:
            session.execute(delete(_CALLS).where(_CALLS.c.id.in_(ids)))
        removed += len(ids)
    _purge_groups(engine, cutoff)
    return removed


def _purge_groups(engine: Engine, cutoff: int) -> None:
    """Remove what groups were like for calls that are gone; a day is how exactly use is known."""
    in_use = select(_CALLS.c.id).where(_CALLS.c.group_digest == _GROUPS.c.digest).exists()
    unused = delete(_GROUPS).where(_GROUPS.c.used_ms < cutoff - _DAY_MS, ~in_use)
    with suppress(IntegrityError), writing(engine) as session:  # in use again: the next purge's
        session.execute(unused)
