"""Statistics of past calls: shares, waiting times, who answered how much, and when people call.

Owns what is counted as what. The database counts; what comes back is as long as the list of members
and of quarter hours, not of calls.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from sqlalchemy import ColumnElement, Engine, Integer, case, cast, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from fsctl.hunt.outcomes import CALLER_GONE, GOT_THE_CALLER, Outcome
from fsctl.store.call_queries import CallFilter
from fsctl.store.call_records import REFUSED, CallOutcome
from fsctl.store.call_tables import Call, CallAttempt
from fsctl.store.engine import reading

_QUARTER_MS = 900_000  # every time zone is a whole number of quarter hours from UTC


@dataclass(frozen=True, slots=True)
class Waiting:
    """Waiting times in seconds; None when nobody waited."""

    median: float | None
    percentile_95: float | None


@dataclass(frozen=True, slots=True)
class MemberStats:
    """What became of the calls that were offered to a member; a member counts once per call.

    Who picked a caller up by the code has been offered and has answered that call, member or not.
    ``offered`` is the sum of ``answered``, ``missed`` (rang in vain, or until the caller gave up),
    ``elsewhere`` (another member was first), ``refused`` (busy or rejected) and ``failed`` (not
    reachable, or a fault). ``talk_seconds`` is the sum of the conversations.
    """

    member: str
    offered: int
    answered: int
    missed: int
    elsewhere: int
    refused: int
    failed: int
    talk_seconds: float


@dataclass(frozen=True, slots=True)
class HourStats:
    """Calls that began in this hour of the local day (0 to 23), whatever the day."""

    hour: int
    calls: int
    answered: int


@dataclass(frozen=True, slots=True)
class CallStats:
    """Statistics of some calls.

    ``hunted`` is how many calls somebody could have answered: it leaves out those that were refused
    at once, not those that came to it from a hunt or out of the line. ``waiting`` is of every
    hunted call, ``waiting_answered`` of those that a member answered. ``in_line`` is how many stood
    in line, ``waiting_in_line`` how long they did.
    """

    calls: int
    hunted: int
    outcomes: dict[str, int]
    waiting: Waiting
    waiting_answered: Waiting
    in_line: int
    waiting_in_line: Waiting
    talk_seconds: float
    members: tuple[MemberStats, ...]
    hours: tuple[HourStats, ...]

    @property
    def answered(self) -> int:
        """How many calls a member answered."""
        return self.outcomes.get(CallOutcome.ANSWERED.value, 0)

    @property
    def answered_share(self) -> float | None:
        """Answered calls per hunted call, 0 to 1; None without any."""
        return self.answered / self.hunted if self.hunted else None


def call_stats(engine: Engine, chosen: CallFilter, zone: tzinfo | None = None) -> CallStats:
    """Count the calls that a filter lets through. Raises Unavailable.

    ``zone`` is whose hours are meant; None is this machine's.
    """
    where = chosen.conditions()
    refused = Call.outcome.in_([outcome.value for outcome in REFUSED])
    hunted = ~refused | (Call.wait_ms > 0)
    answered = Call.outcome == CallOutcome.ANSWERED.value
    stood = Call.line_ms.is_not(None)
    with reading(engine, at_one_moment=True) as session:
        totals = select(Call.outcome, func.count(), _count(hunted), func.sum(Call.talk_ms))
        rows = session.execute(totals.where(*where).group_by(Call.outcome)).all()
        outcomes = {outcome: count for outcome, count, *_ in rows}
        return CallStats(
            calls=sum(outcomes.values()),
            hunted=sum(some for _, _, some, _ in rows),
            outcomes=outcomes,
            waiting=_waiting(session, [*where, hunted]),
            waiting_answered=_waiting(session, [*where, answered]),
            in_line=_number(session, [*where, stood]),
            waiting_in_line=_waiting(session, [*where, stood], Call.line_ms),
            talk_seconds=sum(int(talk or 0) for *_, talk in rows) / 1000,
            members=tuple(_members(session, where)),
            hours=by_hour(_quarters(session, where), zone),
        )


def _number(session: Session, where: Sequence[ColumnElement[bool]]) -> int:
    return session.scalar(select(func.count()).select_from(Call).where(*where)) or 0


def _waiting(
    session: Session,
    where: Sequence[ColumnElement[bool]],
    time: InstrumentedAttribute[int] | InstrumentedAttribute[int | None] = Call.wait_ms,
) -> Waiting:
    count = _number(session, where)
    if not count:
        return Waiting(None, None)
    ranks = [rank(0.5, count), rank(0.95, count)]
    place = func.row_number().over(order_by=time).label("place")
    ordered = select(time.label("waited"), place).where(*where).subquery()
    found = select(ordered.c.place, ordered.c.waited).where(ordered.c.place.in_(ranks))
    waits = {row[0]: row[1] / 1000 for row in session.execute(found)}
    return Waiting(waits[ranks[0]], waits[ranks[1]])


def rank(share: float, count: int) -> int:
    """Return the place, from 1, of the value that ``share`` of ``count`` values do not exceed.

    The nearest-rank method: the answer is always one of the values.
    """
    return min(count, max(1, math.ceil(share * count)))


def _members(session: Session, where: Sequence[ColumnElement[bool]]) -> Iterable[MemberStats]:
    """Count each member's last leg in each call."""
    outcome, cause = CallAttempt.outcome, CallAttempt.cause
    cancelled = outcome == Outcome.CANCELLED.value
    in_vain = (outcome == Outcome.NO_ANSWER.value) | (cancelled & (cause == CALLER_GONE))
    refused = outcome.in_([Outcome.BUSY.value, Outcome.REJECTED.value])
    answered = outcome.in_([one.value for one in GOT_THE_CALLER])
    statement = (
        select(
            CallAttempt.member,
            func.count(),
            _count(answered),
            _count(in_vain),
            _count(cancelled & (cause != CALLER_GONE)),
            _count(refused),
            func.sum(case((answered, func.coalesce(Call.talk_ms, 0)), else_=0)),
        )
        .join(Call, Call.id == CallAttempt.call_id)
        .where(*where, CallAttempt.last, CallAttempt.started_ms.is_not(None))
        .group_by(CallAttempt.member)
        .order_by(CallAttempt.member)
    )
    for member, offered, won, missed, elsewhere, declined, talk in session.execute(statement):
        rest = offered - won - missed - elsewhere - declined
        yield MemberStats(member, offered, won, missed, elsewhere, declined, rest, int(talk) / 1000)


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return cast(func.sum(case((condition, 1), else_=0)), Integer)


Quarter = tuple[int, int, int]
"""A quarter of an hour counted from the epoch, its calls, and those of them that were answered."""


def _quarters(session: Session, where: Sequence[ColumnElement[bool]]) -> Iterable[Quarter]:
    quarter = (Call.began_ms - Call.began_ms % _QUARTER_MS).label("quarter")
    answered = _count(Call.outcome == CallOutcome.ANSWERED.value)
    statement = select(quarter, func.count(), answered).where(*where).group_by("quarter")
    for began, calls, some in session.execute(statement):
        yield began // _QUARTER_MS, calls, some


def by_hour(quarters: Iterable[Quarter], zone: tzinfo | None = None) -> tuple[HourStats, ...]:
    """Fold quarter hours into the hours of a day in a time zone (None: this machine's)."""
    calls, answered = [0] * 24, [0] * 24
    for quarter, count, some in quarters:
        hour = datetime.fromtimestamp(quarter * _QUARTER_MS / 1000, zone).hour
        calls[hour] += count
        answered[hour] += some
    return tuple(HourStats(hour, calls[hour], answered[hour]) for hour in range(24) if calls[hour])
