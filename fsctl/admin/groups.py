"""Groups: add, set, enable, disable, remove, list, show.

Functions that change something are one transaction each (see ``fsctl.admin.change``), return a
Change, and raise WrongValue, Refused or the store's StoreError. A group is meant within its
``domain``, which is ``""`` in an installation that has one.
"""

import difflib

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from fsctl.admin import endings, nesting, values
from fsctl.admin.advice import title
from fsctl.admin.allowed import refuse_not_allowed, restricted_of
from fsctl.admin.change import Change, changed, transaction
from fsctl.admin.errors import Refused, WrongValue
from fsctl.admin.kinds import Given
from fsctl.admin.terms import GROUP_TERMS, read_given, sentence
from fsctl.admin.versions import refuse_changed
from fsctl.hunt.allowed import restricted
from fsctl.hunt.group import Group, inner_name
from fsctl.hunt.memory import Memory
from fsctl.store.columns import set_fields, settings_of
from fsctl.store.engine import reading
from fsctl.store.groups import find_row, group_names, to_group
from fsctl.store.groups import list_groups as load_groups
from fsctl.store.memory import key_of, read_memories
from fsctl.store.nesting import nested_members, with_inner
from fsctl.store.onward import with_onward
from fsctl.store.tables import HuntGroup, name_key


@transaction
def add_group(session: Session, /, name: str, *, domain: str = "", **given: Given | None) -> Change:
    """Add an enabled group without numbers or members; ``given`` are terms (``GROUP_TERMS``)."""
    name = values.group_name(name)
    row = HuntGroup(name_key=name_key(name))
    group = Group(name, domain=values.domain(domain), **read_given(GROUP_TERMS, given))
    set_fields(row, settings_of(group))
    _refuse_taken_name(session, row.name, row.domain)
    refuse_not_allowed(session, row.domain, {}, restricted(group))
    session.add(row)
    endings.check_endings(session, row.domain)
    return changed(session, row, f"{capital(row)} added: {sentence(GROUP_TERMS, group)}.")


@transaction
def set_group(
    session: Session,
    /,
    name: str,
    *,
    new_name: str | None = None,
    domain: str = "",
    seen: str | None = None,
    **given: Given | None,
) -> Change:
    """Change what is given of a group; None leaves a value as it is.

    ``seen`` is the fingerprint of all of the group as it was.
    """
    if new_name is None and all(value is None for value in given.values()):
        raise WrongValue("nothing to change: give at least one value")
    new_name = None if new_name is None else values.group_name(new_name)
    wanted = read_given(GROUP_TERMS, given)
    row = existing_group(session, name, domain)
    refuse_changed(to_group(row), seen)
    if new_name is not None:
        if name_key(new_name) != row.name_key:
            _refuse_taken_name(session, new_name, row.domain)
        for names in (nesting, endings):
            names.follow_name(session, row.domain, row.name, new_name)
        row.name, row.name_key = new_name, name_key(new_name)
    refuse_not_allowed(session, row.domain, restricted_of(row), wanted)
    set_fields(row, wanted)
    endings.check_endings(session, row.domain)
    return changed(session, row, f"{capital(row)}: {sentence(GROUP_TERMS, to_group(row))}.")


@transaction
def enable_group(session: Session, name: str, *, domain: str = "") -> Change:
    """Let a group's calls ring its members."""
    row = existing_group(session, name, domain)
    row.enabled = True
    return changed(session, row, f"{capital(row)} is enabled.")


@transaction
def disable_group(session: Session, name: str, *, domain: str = "") -> Change:
    """Keep a group, and let its calls ring nobody."""
    row = existing_group(session, name, domain)
    row.enabled = False
    return changed(session, row, f"{capital(row)} is disabled.")


@transaction
def remove_group(
    session: Session, name: str, *, domain: str = "", seen: str | None = None
) -> Change:
    """Remove a group with its numbers and members; ``seen`` is the fingerprint of all of it."""
    row = existing_group(session, name, domain)
    group, whose = to_group(row), capital(row)
    refuse_changed(group, seen)
    endings.refuse_awaited(session, row)
    _refuse_member(session, row)
    session.delete(row)
    session.flush()
    numbers = ", ".join(group.numbers) or "none"
    members = ", ".join(member.user for member in group.members) or "none"
    return Change(f"{whose} removed; its numbers were: {numbers}; its members: {members}.", group)


def list_groups(engine: Engine) -> list[Group]:
    """Return every group, in the order of their domains and names."""
    with reading(engine) as session:
        return load_groups(session)


def get_group(engine: Engine, name: str, *, domain: str = "") -> Group:
    """Return the group of that name, whatever its case."""
    with reading(engine) as session:
        return to_group(existing_group(session, name, domain, lock=False))


def get_whole_group(engine: Engine, name: str, *, domain: str = "") -> Group:
    """Return the group of that name with the groups within it, as a call finds it."""
    return whole(engine, get_group(engine, name, domain=domain))


def whole(engine: Engine, group: Group) -> Group:
    """Return a group with the groups within it, and those that its calls may go on to."""
    with reading(engine) as session:
        return with_onward(session, with_inner(session, [group]))[0]


def get_memory(engine: Engine, group: Group) -> Memory:
    """Return what the group's strategy remembers of past calls."""
    key = key_of(group.name, group.domain)
    with reading(engine) as session:
        return read_memories(session, [key])[key]


def existing_group(
    session: Session, name: str, domain: str = "", *, lock: bool = True
) -> HuntGroup:
    """Return a group's row, locked unless only read; Refused, with close names, if none."""
    name = values.group_name(name)
    domain = values.domain(domain)
    row = find_row(session, name, domain, lock=lock)
    if row is not None:
        return row
    keys = {name_key(known): known for known in group_names(session, domain)}
    close = difflib.get_close_matches(name_key(name), keys, n=3)
    hint = " or ".join(f'"{keys[key]}"' for key in close)
    advice = f"did you mean {hint}?" if close else "see: fsctl group list"
    raise Refused(f"there is no {title(name, domain)}; {advice}")


def named(row: HuntGroup) -> str:
    """Name a group within a sentence."""
    return title(row.name, row.domain)


def capital(row: HuntGroup) -> str:
    """Name a group where a sentence begins."""
    return "G" + named(row)[1:]


def _refuse_member(session: Session, row: HuntGroup) -> None:
    for member in nested_members(session, row.domain):
        outer = session.get_one(HuntGroup, member.group_id)
        if name_key(inner_name(member.user) or "") == row.name_key and outer is not row:
            raise Refused(f"{named(row)} is a member of {named(outer)}; take it from there first")


def _refuse_taken_name(session: Session, name: str, domain: str) -> None:
    taken = find_row(session, name, domain)
    if taken is not None:
        raise Refused(f"there is a {named(taken)} already")
