"""What a running controller asks: which groups serve these numbers, and whose have changed.

Owns the SQL of both, in as few round trips as there can be however much is asked. A key is a
number as the database keeps it; ``NUMBER@DOMAIN`` is an internal number of that domain.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

from sqlalchemy import Row, Select, Table, or_, select
from sqlalchemy.orm import Session

from fsctl.hunt.domain import domain_of_call
from fsctl.hunt.group import Group, Member
from fsctl.store.groups import plain_group, plain_member
from fsctl.store.nesting import marker, with_inner
from fsctl.store.onward import with_onward
from fsctl.store.tables import AuditEntry, GroupMember, GroupNumber, HuntGroup

Keys = tuple[str, ...]
"""The ways in which a dialled number may be kept, the first that fits counts."""

_GROUP = cast(Table, HuntGroup.__table__)
_NUMBER = cast(Table, GroupNumber.__table__)
_MEMBER = cast(Table, GroupMember.__table__)

MOST_CHANGES = 500
"""Changes beyond which it is not worth asking which they are."""


def in_domain(keys: Keys, domain: str) -> Keys:
    """Return the keys for a call of a domain, whatever its channel names.

    An internal number is looked for in that domain, then among the groups without one; a city
    number is the same everywhere.
    """
    domain = domain_of_call(domain)
    if not domain:
        return keys
    return tuple(
        key for one in keys for key in ((one,) if one.startswith("+") else (f"{one}@{domain}", one))
    )


def number_of(key: str) -> str:
    """Return the number that a key is about."""
    return key.partition("@")[0]


def find_groups(session: Session, wanted: Sequence[Keys]) -> dict[Keys, Group | None]:
    """Return the group that each of these is served by, in two round trips; more if groups are
    members of them.

    A disabled group is returned too: what that means to a caller is not the store's to say.
    """
    connection = session.connection()
    numbers: defaultdict[int, list[str]] = defaultdict(list)
    members: defaultdict[int, list[Member]] = defaultdict(list)
    owners: dict[str, int] = {}
    rows: dict[int, Row[Any]] = {}
    for row in connection.execute(_of_groups({key for keys in wanted for key in keys})):
        rows[row.id] = row
        numbers[row.id].append(row.its_number)
        owners[row.its_number if row.everywhere else f"{row.its_number}@{row.domain}"] = row.id
    in_turn = select(_MEMBER).where(_MEMBER.c.group_id.in_(rows))
    for member in connection.execute(in_turn.order_by(_MEMBER.c.position, _MEMBER.c.id)):
        members[member.group_id].append(plain_member(member))
    plain = [plain_group(row, numbers[one], members[one]) for one, row in rows.items()]
    whole = with_onward(session, with_inner(session, plain))
    groups = dict(zip(rows, whole, strict=True))
    return {
        keys: next((groups[owners[key]] for key in keys if key in owners), None) for keys in wanted
    }


def _of_groups(keys: set[str]) -> Select[Any]:
    """Return the statement for every number of the groups that have one of these, and the groups.

    Without the ORM, whose objects cost four times as much: a thread that reads many groups takes
    that time from the calls.
    """
    domains = {key.partition("@")[2] for key in keys}
    serving = select(_NUMBER.c.group_id).where(
        _NUMBER.c.number.in_({number_of(key) for key in keys}),
        or_(_NUMBER.c.kind == "city", _NUMBER.c.domain.in_(domains)),
    )
    everywhere = or_(_NUMBER.c.kind == "city", _NUMBER.c.domain == "").label("everywhere")
    return (
        select(_GROUP, _NUMBER.c.number.label("its_number"), everywhere)
        .join(_NUMBER, _NUMBER.c.group_id == _GROUP.c.id)
        .where(_GROUP.c.id.in_(serving))
        .order_by(_NUMBER.c.id)
    )


def changed_numbers(session: Session, since: int, until: int) -> frozenset[str] | None:
    """Return the numbers of all groups that changed after revision ``since``, up to ``until``.

    With them are the groups' own markers (``nesting.marker``), for groups that they are members of.
    Those that a group had before count as well as those it has now. None means that any may have:
    there were too many changes, or some that nobody wrote down (made with SQL by hand).
    """
    statement = (
        select(
            AuditEntry.revision,
            AuditEntry.before["numbers"],
            AuditEntry.after["numbers"],
            AuditEntry.domain,
            AuditEntry.group_key,
            AuditEntry.former_key,
        )
        .where(AuditEntry.revision > since, AuditEntry.revision <= until)
        .limit(MOST_CHANGES + 1)
    )
    rows = session.execute(statement).all()
    if len(rows) > MOST_CHANGES or len({row[0] for row in rows}) != until - since:
        return None
    numbers = _numbers(list_ for row in rows for list_ in row[1:3])
    markers = (marker(row[3], key) for row in rows for key in row[4:] if key is not None)
    return frozenset((*numbers, *markers))


def _numbers(lists: Iterable[object]) -> Iterator[str]:
    for one in lists:
        if isinstance(one, list):
            yield from map(str, one)
