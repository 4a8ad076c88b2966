"""Groups within groups, as the database has them. Owns that a loop, or too much, ends somewhere."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from fsctl.hunt.group import INNER, Group, inner_name
from fsctl.hunt.nesting import DEEPEST, MOST_MEMBERS
from fsctl.store.snapshot import read_groups
from fsctl.store.tables import GroupMember, HuntGroup, name_key

Key = tuple[str, str]
"""A group's domain, and its name as names are compared."""


def with_inner(session: Session, groups: Sequence[Group]) -> list[Group]:
    """Return the groups with those within them, however deep; no question where there are none."""
    known = named_groups(session, groups, named_in, DEEPEST)
    return [_nested(group, known, ())[0] for group in groups] if known else list(groups)


def named_in(group: Group) -> Iterator[Key]:
    """Yield the keys of the groups that are members of a group."""
    for member in group.members:
        name = inner_name(member.user)
        if name is not None:
            yield group.domain, name_key(name)


def named_groups(
    session: Session,
    groups: Iterable[Group],
    names: Callable[[Group], Iterable[Key]],
    most: int,
) -> dict[Key, Group]:
    """Return the groups that are named in these, and in those again, so many times at ``most``."""
    known: dict[Key, Group] = {}
    wanted = {key for group in groups for key in names(group)}
    for _ in range(most):
        if not wanted:
            break
        found = _read(session, wanted)
        known |= found
        wanted = {key for group in found.values() for key in names(group)} - known.keys()
    return known


def group_key(group: Group) -> Key:
    """Return the key of a group."""
    return group.domain, name_key(group.name)


def _read(session: Session, keys: Iterable[Key]) -> dict[Key, Group]:
    of = tuple_(HuntGroup.domain, HuntGroup.name_key)
    ids = session.scalars(select(HuntGroup.id).where(of.in_(sorted(keys)))).all()
    return {group_key(group): group for _, group in read_groups(session, ids)}


def _nested(group: Group, known: dict[Key, Group], above: tuple[Key, ...]) -> tuple[Group, int]:
    """Return a group with those within it, and how many members that makes."""
    here = (*above, group_key(group))
    inner: list[tuple[str, Group]] = []
    size = len(group.members)
    for member, key in zip(
        (one for one in group.members if one.user.startswith(INNER)), named_in(group), strict=True
    ):
        if key in known and key not in here and len(here) <= DEEPEST:
            found, members = _nested(known[key], known, here)
            if size + members <= MOST_MEMBERS:
                size += members
                inner.append((member.user, found))
    return (replace(group, inner=tuple(inner)) if inner else group), size


def markers_of(group: Group) -> frozenset[str]:
    """Return what tells that a group within this one has changed (``lookups.changed_numbers``)."""
    found = {marker(*key) for key in named_in(group)}
    for _, inner in group.inner:
        found |= markers_of(inner)
    return frozenset(found)


def marker(domain: str, key: str) -> str:
    """Return what stands for a group among numbers; no number is like it."""
    return f"{INNER}{domain}/{key}"


# What administrators change


def nested_members(session: Session, domain: str) -> list[GroupMember]:
    """Return the rows of all members of a domain's groups that are groups."""
    statement = (
        select(GroupMember)
        .join(HuntGroup, HuntGroup.id == GroupMember.group_id)
        .where(GroupMember.user.startswith(INNER, autoescape=True), HuntGroup.domain == domain)
    )
    return list(session.scalars(statement))


def nesting(session: Session) -> dict[Key, list[Key]]:
    """Return which groups are members of which."""
    found: dict[Key, list[Key]] = {}
    statement = (
        select(HuntGroup.domain, HuntGroup.name_key, GroupMember.user)
        .join(HuntGroup, HuntGroup.id == GroupMember.group_id)
        .where(GroupMember.user.startswith(INNER, autoescape=True))
    )
    for domain, key, user in session.execute(statement):
        found.setdefault((domain, key), []).append((domain, name_key(inner_name(user) or "")))
    return found


def members_of_each(session: Session, keys: Iterable[Key]) -> dict[Key, tuple[str, int]]:
    """Return the names of groups, by key, and how many members each has itself."""
    groups = _read(session, keys)
    return {key: (group.name, len(group.members)) for key, group in groups.items()}
