"""The groups to which groups send the calls that nobody takes, as the database has them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from sqlalchemy import or_, select, tuple_
from sqlalchemy.orm import Session

from fsctl.hunt.endings import MOST_HOPS, Kind, all_onward, next_groups
from fsctl.hunt.group import Group
from fsctl.store.nesting import marker, markers_of, with_inner
from fsctl.store.snapshot import read_groups
from fsctl.store.tables import ENDINGS, HuntGroup, name_key

Key = tuple[str, str]
"""A group's domain, and its name as names are compared."""

AT_ONCE = 500
"""Names that one statement asks for."""


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
    links = _Links(known)
    return [links.of(group, MOST_HOPS) for group in groups] if known else list(groups)


def onward_keys(group: Group) -> Iterator[Key]:
    """Yield the keys of the groups that a group's calls may go on to."""
    for name in next_groups(group):
        yield group.domain, name_key(name)


def all_markers(group: Group) -> frozenset[str]:
    """Return what tells that a group within this one, or after it, has changed."""
    found: set[str] = set()
    for one in (group, *all_onward(group)):
        found |= markers_of(one)
        found |= {marker(*key) for key in onward_keys(one)}
    return frozenset(found)


def _read(session: Session, keys: Iterable[Key]) -> dict[Key, Group]:
    of = tuple_(HuntGroup.domain, HuntGroup.name_key)
    ids = session.scalars(select(HuntGroup.id).where(of.in_(sorted(keys)))).all()
    groups = [group for _, group in read_groups(session, ids)]
    whole = with_inner(session, groups)
    return {(group.domain, name_key(group.name)): group for group in whole}


class _Links:
    """Groups linked with those that come next, each once for each number of hops that are left.

    A circle, made by hand, ends where no hop is left.
    """

    def __init__(self, known: dict[Key, Group]) -> None:
        self._known = known
        self._made: dict[tuple[Key, int], Group] = {}

    def of(self, group: Group, hops: int) -> Group:
        """Return a group from which so many more hops are possible."""
        key = (group.domain, name_key(group.name)), hops
        if key not in self._made:
            onward = tuple(
                (name, self.of(self._known[one], hops - 1))
                for name, one in zip(next_groups(group), onward_keys(group), strict=True)
                if one in self._known and hops
            )
            self._made[key] = replace(group, onward=onward) if onward else group
        return self._made[key]


# What administrators change


def senders(session: Session, domain: str | None = None) -> list[HuntGroup]:
    """Return the rows of the groups that send calls to others."""
    columns = [getattr(HuntGroup, name) for name in ENDINGS]
    to_groups = (column.startswith(f"{Kind.GROUP.value} ", autoescape=True) for column in columns)
    statement = select(HuntGroup).where(or_(*to_groups))
    if domain is not None:
        statement = statement.where(HuntGroup.domain == domain)
    return list(session.scalars(statement))


def known_keys(session: Session, domain: str, keys: Iterable[str]) -> set[str]:
    """Return which of these names of a domain, as names are compared, are groups."""
    found: set[str] = set()
    wanted = sorted(keys)
    for start in range(0, len(wanted), AT_ONCE):
        some = wanted[start : start + AT_ONCE]
        of = select(HuntGroup.name_key).where(HuntGroup.domain == domain)
        found |= set(session.scalars(of.where(HuntGroup.name_key.in_(some))))
    return found
