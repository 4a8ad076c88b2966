"""Many groups at once as plain values, straight from the tables.

Owns the SQL of reading a whole configuration: without the ORM's objects, of which a million members
would be a million, and past its session, which may hold changes that are not written yet.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from fsctl.hunt.group import Group, Member
from fsctl.store.groups import plain_group, plain_member
from fsctl.store.tables import GroupMember, GroupNumber, HuntGroup

BATCH = 500
"""Groups that are read at once."""

_GROUPS = HuntGroup.__table__.c
_NUMBERS = GroupNumber.__table__.c
_MEMBERS = GroupMember.__table__.c


def group_ids(session: Session, domain: str = "") -> list[int]:
    """Return the ids of every group, or a domain's, in the order of their domains and names."""
    statement = select(_GROUPS.domain, _GROUPS.name_key, _GROUPS.id)
    if domain:
        statement = statement.where(_GROUPS.domain == domain)
    # Sorted here: databases differ in how they order letters.
    return [row[2] for row in sorted(tuple(row) for row in session.execute(statement))]


def read_groups(session: Session, ids: Iterable[int]) -> Iterator[tuple[int, Group]]:
    """Yield the groups with these ids that there are, with their ids and in that order."""
    batch: list[int] = []
    for one in ids:
        batch.append(one)
        if len(batch) == BATCH:
            yield from _read(session, batch)
            batch = []
    if batch:
        yield from _read(session, batch)


def _read(session: Session, ids: Sequence[int]) -> Iterator[tuple[int, Group]]:
    connection = session.connection()
    numbers: defaultdict[int, list[str]] = defaultdict(list)
    for group_id, number in connection.execute(
        select(_NUMBERS.group_id, _NUMBERS.number)
        .where(_NUMBERS.group_id.in_(ids))
        .order_by(_NUMBERS.id)
    ):
        numbers[group_id].append(number)
    members: defaultdict[int, list[Member]] = defaultdict(list)
    for member in connection.execute(
        select(GroupMember.__table__)
        .where(_MEMBERS.group_id.in_(ids))
        .order_by(_MEMBERS.position, _MEMBERS.id)
    ):
        members[member.group_id].append(plain_member(member))
    rows = connection.execute(select(HuntGroup.__table__).where(_GROUPS.id.in_(ids)))
    found = {row.id: row for row in rows}
    for one in ids:
        if one in found:
            yield one, plain_group(found[one], numbers[one], members[one])
