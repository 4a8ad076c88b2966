"""What ring strategies remember, in the database: shared by all controllers, kept over restarts.

Owns its SQL. It is written with the record of a call, in the same transaction, so that a call
counts once however often its record is written. A member's memory goes when the member does.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from sqlalchemy import BigInteger, Integer, Select, Table, bindparam, case, select, tuple_
from sqlalchemy import cast as cast_to
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from fsctl.hunt.memory import Memory, Served
from fsctl.hunt.strategies import REMEMBERING
from fsctl.store.tables import GroupMember, HuntGroup, MemberMemory, name_key, now_ms

GroupKey = tuple[str, str]
"""A group's domain, and its name as names are compared."""

OVERLAP_MS = 5_000
"""How much is read again with what is new: a transaction is seen later than the moment at which it
was stamped, and the clocks of controllers differ."""
MOST_AT_ONCE = 200

_GROUP = cast(Table, HuntGroup.__table__)
_MEMBER = cast(Table, GroupMember.__table__)
_MEMORY = cast(Table, MemberMemory.__table__)


@dataclass(frozen=True, slots=True)
class Service:
    """A call that a member answered. ``first``: it was not known yet. Times as in ``Served``."""

    group: GroupKey
    user: str
    answered: float
    idle: float
    first: bool


@dataclass(frozen=True, slots=True)
class News:
    """What was written since: all that is known of each member; ``until`` is when, for next time.

    ``until`` is milliseconds by the clock of whoever wrote last.
    """

    until: int
    served: Mapping[GroupKey, tuple[Served, ...]]


def key_of(name: str, domain: str) -> GroupKey:
    """Return the key of a group."""
    return domain, name_key(name)


def remember(session: Session, services: Iterable[Service]) -> None:
    """Write down who answered. Members and groups that are gone meanwhile are left out."""
    now = now_ms()
    rows: dict[tuple[GroupKey, str], dict[str, Any]] = {}
    for one in services:
        row = rows.setdefault(
            (one.group, one.user),
            {
                "of_domain": one.group[0],
                "of_key": one.group[1],
                "of_user": one.user,
                "at_answer": 0,
                "at_end": 0,
                "count": 0,
                "now": now,
            },
        )
        row["at_answer"] = max(row["at_answer"], _ms(one.answered))
        row["at_end"] = max(row["at_end"], _ms(one.idle))
        row["count"] += one.first
    if rows:
        # In one order everywhere, so that two controllers cannot wait for each other.
        ordered = [rows[key] for key in sorted(rows)]
        session.execute(_statement(session.get_bind().dialect.name), ordered)


@cache
def _statement(dialect: str) -> Any:
    """Return the one short statement that writes a service down.

    The member's row is locked against removal until the transaction ends: PostgreSQL would find a
    member that is removed meanwhile, and then refuse what refers to it.
    """
    given = [
        bindparam(name, type_=kind)
        for name, kind in (
            ("at_answer", BigInteger), ("at_end", BigInteger), ("count", Integer),
            ("now", BigInteger),
        )
    ]  # fmt: skip
    member = (
        select(_MEMBER.c.id, *(cast_to(one, one.type) for one in given))
        .join(_GROUP, _GROUP.c.id == _MEMBER.c.group_id)
        .where(
            _GROUP.c.domain == bindparam("of_domain"),
            _GROUP.c.name_key == bindparam("of_key"),
            _MEMBER.c.user == bindparam("of_user"),
        )
        .with_for_update(read=True, key_share=True, of=_MEMBER)
    )
    insert: Any = postgresql.insert(_MEMORY) if dialect == "postgresql" else sqlite.insert(_MEMORY)
    statement = insert.from_select(
        ["member_id", "answered_ms", "idle_ms", "calls", "written_ms"], member
    )
    new = statement.excluded

    def later(name: str) -> Any:
        return case((_MEMORY.c[name] > new[name], _MEMORY.c[name]), else_=new[name])

    return statement.on_conflict_do_update(
        index_elements=[_MEMORY.c.member_id],
        set_={
            "answered_ms": later("answered_ms"),
            "idle_ms": later("idle_ms"),
            "calls": _MEMORY.c.calls + new.calls,
            "written_ms": new.written_ms,
        },
    )


def read_memories(session: Session, groups: Iterable[GroupKey]) -> dict[GroupKey, Memory]:
    """Return what is remembered of each of these groups."""
    wanted = sorted(set(groups))
    found: dict[GroupKey, Memory] = {}
    for start in range(0, len(wanted), MOST_AT_ONCE):
        some = wanted[start : start + MOST_AT_ONCE]
        statement = _select().where(tuple_(_GROUP.c.domain, _GROUP.c.name_key).in_(some))
        served = _by_group(session, statement)
        found |= {key: Memory(tuple(served[key])) for key in some}
    return found


def read_news(session: Session, since: int) -> News:
    """Return what was written after ``since`` of groups whose strategies look at it.

    ``since`` is the ``until`` of the last news, or the time in milliseconds. What was written up to
    five seconds before comes once more.
    """
    statement = _select(_MEMORY.c.written_ms).where(
        _MEMORY.c.written_ms > since - OVERLAP_MS, _GROUP.c.strategy.in_(REMEMBERING)
    )
    served: defaultdict[GroupKey, list[Served]] = defaultdict(list)
    for domain, key, *row, written_ms in session.connection().execute(statement):
        served[domain, key].append(_plain(*row))
        since = max(since, written_ms)
    return News(since, {key: tuple(members) for key, members in served.items()})


def _select(*more: Any) -> Select[Any]:
    memory = (_MEMORY.c.answered_ms, _MEMORY.c.idle_ms, _MEMORY.c.calls)
    return (
        select(_GROUP.c.domain, _GROUP.c.name_key, _MEMBER.c.user, *memory, *more)
        .join(_MEMBER, _MEMBER.c.id == _MEMORY.c.member_id)
        .join(_GROUP, _GROUP.c.id == _MEMBER.c.group_id)
    )


def _by_group(session: Session, statement: Select[Any]) -> defaultdict[GroupKey, list[Served]]:
    found: defaultdict[GroupKey, list[Served]] = defaultdict(list)
    for domain, key, *row in session.connection().execute(statement):
        found[domain, key].append(_plain(*row))
    return found


def _plain(user: str, answered_ms: int, idle_ms: int, calls: int) -> Served:
    return Served(user, answered_ms / 1000, idle_ms / 1000, calls)


def _ms(moment: float) -> int:
    return max(1, round(moment * 1000))
