"""Finding groups for a page of a list: as many as are shown, however many there are.

Owns the SQL of the search. Callers bring the session.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import Session

from fsctl.hunt.group import Group
from fsctl.store.snapshot import read_groups
from fsctl.store.tables import GroupMember, GroupNumber, HuntGroup, name_key

_ESCAPE = "\\"


@dataclass(frozen=True, slots=True)
class GroupPage:
    """Some of the groups that were found, with their ids; ``total`` is how many there are."""

    groups: Sequence[tuple[int, Group]]
    total: int


def find_page(session: Session, search: str, domain: str, first: int, size: int) -> GroupPage:
    """Return ``size`` groups from the ``first`` on (0), in the order of their domains and names.

    A group is found by a part of its name, description, a number or a member; with a domain, among
    that domain's.
    """
    where: list[ColumnElement[bool]] = [HuntGroup.domain == domain] if domain else []
    if search.strip():
        where.append(_holds(search.strip()))
    total = session.scalar(select(func.count()).select_from(HuntGroup).where(*where)) or 0
    statement = select(HuntGroup.id).where(*where)
    in_order = statement.order_by(HuntGroup.domain, HuntGroup.name_key, HuntGroup.id)
    ids = session.scalars(in_order.offset(first).limit(size)).all()
    return GroupPage(list(read_groups(session, ids)), total)


def group_with_id(session: Session, group_id: int, domain: str) -> Group | None:
    """Return the group with this id; with a domain, if it is that domain's."""
    where = [HuntGroup.domain == domain] if domain else []
    ids = session.scalars(select(HuntGroup.id).where(HuntGroup.id == group_id, *where))
    return next((group for _, group in read_groups(session, ids.all())), None)


def id_of_group(session: Session, name: str, domain: str) -> int | None:
    """Return the id of the group of that name."""
    statement = select(HuntGroup.id).where(
        HuntGroup.domain == domain, HuntGroup.name_key == name_key(name)
    )
    return session.scalar(statement)


def _holds(search: str) -> ColumnElement[bool]:
    folded = _like(name_key(search))
    found = [
        HuntGroup.name_key.like(folded, escape=_ESCAPE),
        HuntGroup.description.ilike(_like(search), escape=_ESCAPE),
        _of_group(GroupMember.group_id, func.lower(GroupMember.user).like(folded, escape=_ESCAPE)),
    ]
    number = "".join(char for char in search if char.isdigit() or char in "*#")
    if number and all(char in "+-./() *#" or char.isdigit() for char in search):
        holds = GroupNumber.number.like(_like(number), escape=_ESCAPE)
        found.append(_of_group(GroupNumber.group_id, holds))
    return or_(*found)


def _of_group(column: object, holds: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(column == HuntGroup.id, holds)


def _like(text: str) -> str:
    for special in (_ESCAPE, "%", "_"):
        text = text.replace(special, _ESCAPE + special)
    return f"%{text}%"
