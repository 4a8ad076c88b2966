"""The groups to which groups send the calls that nobody takes, as the database has them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from fsctl.hunt.endings import MOST_HOPS, Kind, all_onward, next_groups
from fsctl.hunt.group import Group
from fsctl.store.nesting import Key, group_key, marker, markers_of, named_groups, with_inner
from fsctl.store.tables import ENDINGS, HuntGroup, name_key

AT_ONCE = 500
"""Names that one statement asks for."""


def with_onward(session: Session, groups: Sequence[Group]) -> list[Group]:
    """Return the groups with those that their calls may go on to; no question where none may."""
    named = named_groups(session, groups, onward_keys, MOST_HOPS)
    known = dict(zip(named, with_inner(session, list(named.values())), strict=True))
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


class _Links:
    """Groups linked with those that come next, each once for each number of hops that are left.

    A circle, made by hand, ends where no hop is left.
    """

    def __init__(self, known: dict[Key, Group]) -> None:
        self._known = known
        self._made: dict[tuple[Key, int], Group] = {}

    def of(self, group: Group, hops: int) -> Group:
        """Return a group from which so many more hops are possible."""
        key = group_key(group), hops
        if key not in self._made:
            onward = tuple(
                (name, self.of(self._known[one], hops - 1))
                for name, one in zip(next_groups(group), onward_keys(group), strict=True)
                if one in self._known and hops
            )
            self._made[key] = replace(group, onward=onward) if onward else group
        return self._made[key]


# What administrators change


def senders(session: Session, domain: str) -> list[HuntGroup]:
    """Return the rows of a domain's groups that send calls to others."""
    columns = [getattr(HuntGroup, name) for name in ENDINGS]
    to_groups = (column.startswith(f"{Kind.GROUP.value} ", autoescape=True) for column in columns)
    statement = select(HuntGroup).where(HuntGroup.domain == domain, or_(*to_groups))
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
