"""The groups to which groups send the calls that nobody takes, as the database has them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from sqlalchemy import or_, select, tuple_
from sqlalchemy.orm import Session

from fsctl.hunt.endings import MOST_HOPS, Kind, next_groups
from fsctl.hunt.group import Group
from fsctl.store.nesting import marker, markers_of, with_inner
from fsctl.store.snapshot import read_groups
from fsctl.store.tables import ENDINGS, HuntGroup, name_key

Key = tuple[str, str]
"""A group's domain, and its name as names are compared."""


def with_onward(session: Session, groups: Sequence[Group]) -> list[Group]:
    """Return the groups with those that their calls may go on to; no question where none may."""
    known: dict[Key, Group] = {}
    wanted = {key for group in groups for key in onward_keys(group)}
    for _ in range(MOST_HOPS):
        if not wanted:
            break
        found = _read(session, wanted)
        known |= found
        wanted = {key for group in found.values() for key in onward_keys(group)} - known.keys()
    return [_linked(group, known, ()) for group in groups] if known else list(groups)


def onward_keys(group: Group) -> Iterator[Key]:
    """Yield the keys of the groups that a group's calls may go on to."""
    for name in next_groups(group):
        yield group.domain, name_key(name)


def all_onward(group: Group) -> Iterator[Group]:
    """Yield the groups that a group's calls may go on to, and so on."""
    for _, one in group.onward:
        yield one
        yield from all_onward(one)


def all_markers(group: Group) -> frozenset[str]:
    """Return what tells that a group within this one, or after it, has changed."""
    found = set(markers_of(group)) | {marker(*key) for key in onward_keys(group)}
    for _, one in group.onward:
        found |= all_markers(one)
    return frozenset(found)


def _read(session: Session, keys: Iterable[Key]) -> dict[Key, Group]:
    of = tuple_(HuntGroup.domain, HuntGroup.name_key)
    ids = session.scalars(select(HuntGroup.id).where(of.in_(sorted(keys)))).all()
    groups = [group for _, group in read_groups(session, ids)]
    whole = with_inner(session, groups)
    return {(group.domain, name_key(group.name)): group for group in whole}


def _linked(group: Group, known: dict[Key, Group], above: tuple[Key, ...]) -> Group:
    here = (*above, (group.domain, name_key(group.name)))
    onward = tuple(
        (name, _linked(known[key], known, here))
        for name, key in zip(next_groups(group), onward_keys(group), strict=True)
        if key in known and key not in here and len(here) <= MOST_HOPS
    )
    return replace(group, onward=onward) if onward else group


# What administrators change


def senders(session: Session, domain: str | None = None) -> list[HuntGroup]:
    """Return the rows of the groups that send calls to others."""
    columns = [getattr(HuntGroup, name) for name in ENDINGS]
    to_groups = (column.startswith(f"{Kind.GROUP.value} ", autoescape=True) for column in columns)
    statement = select(HuntGroup).where(or_(*to_groups))
    if domain is not None:
        statement = statement.where(HuntGroup.domain == domain)
    return list(session.scalars(statement))


def known_keys(session: Session, keys: Iterable[Key]) -> set[Key]:
    """Return which of these groups there are."""
    of = tuple_(HuntGroup.domain, HuntGroup.name_key)
    statement = select(HuntGroup.domain, HuntGroup.name_key).where(of.in_(sorted(keys)))
    return {(row[0], row[1]) for row in session.execute(statement)}
