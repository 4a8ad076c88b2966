"""Queries for groups, as rows to change and as the hunt's plain values.

Owns the SQL of reading. Callers bring the session, and with it the transaction. A ``domain`` is
the tenant; it is ``""`` in an installation that has one.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Row, or_, select, text
from sqlalchemy.orm import Session, joinedload, selectinload

from fsctl.hunt.domain import domain_of_call
from fsctl.hunt.group import Group, Member
from fsctl.store.columns import GROUP_NAMES, group_settings, member_settings
from fsctl.store.tables import GroupMember, GroupNumber, HuntGroup, name_key


def find_group_by_number(
    session: Session, candidates: Sequence[str], domain: str = ""
) -> Group | None:
    """Return the group of the first candidate that any group has, in two round trips at most.

    ``candidates`` are keys as ``fsctl.store.numbers.dialled`` gives them. ``domain`` is what the
    call's channel names, whatever that is: an internal number is looked for in that domain, then
    among the groups without one; a city number everywhere. A disabled group is returned too: what
    that means to a caller is not the store's to say.
    """
    if not candidates:
        return None
    domain = domain_of_call(domain)
    statement = (
        select(GroupNumber.number, HuntGroup)
        .join(HuntGroup, HuntGroup.id == GroupNumber.group_id)
        .where(GroupNumber.number.in_(candidates))
        .where(or_(GroupNumber.kind == "city", GroupNumber.domain.in_({domain, ""})))
        .options(joinedload(HuntGroup.members), selectinload(HuntGroup.numbers))
    )
    found: dict[str, HuntGroup] = {}
    for number, row in session.execute(statement).unique():
        if number not in found or row.domain == domain:
            found[number] = row
    for candidate in candidates:
        if candidate in found:
            return to_group(found[candidate])
    return None


def load_group(session: Session, name: str, domain: str = "") -> Group | None:
    """Return the group of that name, whatever its case."""
    row = find_row(session, name, domain)
    return None if row is None else to_group(row)


def list_groups(session: Session) -> list[Group]:
    """Return every group, in the order of their domains and names."""
    statement = select(HuntGroup).options(
        selectinload(HuntGroup.members), selectinload(HuntGroup.numbers)
    )
    rows = sorted(session.scalars(statement), key=lambda row: (row.domain, row.name_key))
    return [to_group(row) for row in rows]


def find_row(
    session: Session, name: str, domain: str = "", *, lock: bool = False
) -> HuntGroup | None:
    """Return the row of the group of that name.

    ``lock`` keeps other transactions from changing the group until this one ends; SQLite has one
    writer at a time and needs no more.
    """
    statement = select(HuntGroup).where(
        HuntGroup.domain == domain, HuntGroup.name_key == name_key(name)
    )
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return session.scalars(statement).one_or_none()


def lock_all(session: Session) -> None:
    """Keep every other transaction from changing any group until this one ends."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE hunt_group IN SHARE ROW EXCLUSIVE MODE"))


def group_names(session: Session, domain: str = "") -> list[str]:
    """Return the names of every group of a domain."""
    return list(session.scalars(select(HuntGroup.name).where(HuntGroup.domain == domain)))


def all_numbers(session: Session, most: int) -> list[str]:
    """Return the numbers that call a group, at most so many, the oldest first."""
    return list(session.scalars(select(GroupNumber.number).order_by(GroupNumber.id).limit(most)))


def number_owners(
    session: Session, numbers: Iterable[str], domain: str = ""
) -> dict[str, HuntGroup]:
    """Return the group that each number belongs to, for those that are taken in this domain.

    A city number is taken in every domain.
    """
    statement = (
        select(GroupNumber.number, HuntGroup)
        .join(HuntGroup, HuntGroup.id == GroupNumber.group_id)
        .where(GroupNumber.number.in_(list(numbers)))
        .where(or_(GroupNumber.kind == "city", GroupNumber.domain == domain))
    )
    return {row[0]: row[1] for row in session.execute(statement)}


def to_group(row: HuntGroup) -> Group:
    """Return the plain value of a row."""
    return plain_group(
        row, [number.number for number in row.numbers], map(plain_member, row.members)
    )


def plain_member(row: GroupMember | Row[Any]) -> Member:
    """Return the plain value of a member's row."""
    return Member(*member_settings(row))


def plain_group(
    row: HuntGroup | Row[Any], numbers: Iterable[str], members: Iterable[Member]
) -> Group:
    """Return the plain value of a group's row with what belongs to it."""
    settings = dict(zip(GROUP_NAMES, group_settings(row), strict=True))
    return Group(numbers=tuple(numbers), members=tuple(members), **settings)
