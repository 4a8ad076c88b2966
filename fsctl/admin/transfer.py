"""Export and import: the whole configuration at once, and what an import would change.

Owns that an import is all or nothing, and that importing what is there changes nothing. The form of
a file is ``yaml_file``'s and ``csv_file``'s.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, selectinload

from fsctl.admin import endings, nesting
from fsctl.admin.advice import title
from fsctl.admin.allowed import refuse_external, refuse_not_allowed, restricted_of
from fsctl.admin.change import transaction
from fsctl.admin.documents import document_of
from fsctl.admin.errors import Taken
from fsctl.admin.versions import Conflict, digest
from fsctl.hunt.allowed import restricted
from fsctl.hunt.group import Group, Member
from fsctl.store.columns import set_fields, settings_of
from fsctl.store.engine import reading
from fsctl.store.groups import lock_all
from fsctl.store.nesting import group_key
from fsctl.store.snapshot import BATCH, group_ids, read_groups
from fsctl.store.tables import GroupMember, GroupNumber, HuntGroup, name_key


@dataclass(frozen=True, slots=True)
class Step:
    """One group that an import adds (nothing before), changes, or removes (nothing after)."""

    id: int | None
    before: Group | None
    after: Group | None


Plan = list[Step]
"""What an import changes, in the order of domains and names; empty: nothing."""


@contextmanager
def all_groups(engine: Engine, domain: str = "") -> Iterator[Iterator[Group]]:
    """Give every group as it is at one moment, in the order of domains and names.

    With a domain, those of that domain.
    """
    with reading(engine, at_one_moment=True) as session:
        yield (group for _, group in read_groups(session, group_ids(session, domain)))


def plan_import(
    engine: Engine, wanted: Sequence[Group], *, domain: str = "", keep: bool = False
) -> Plan:
    """Return what ``import_groups`` would change. Raises Refused as it would."""
    with reading(engine, at_one_moment=True) as session:
        return _plan(session, wanted, domain, keep)


def plan_version(plan: Plan) -> str:
    """Return what tells a plan from every other."""
    groups = [(step.before, step.after) for step in plan]
    return digest([[one and document_of(one) for one in pair] for pair in groups])


def import_groups(
    engine: Engine,
    wanted: Sequence[Group],
    *,
    domain: str = "",
    keep: bool = False,
    seen: str | None = None,
) -> Plan:
    """Make the groups be these, and return what that changed.

    Other groups are removed, unless ``keep``, or they are of another domain than the one that is
    given. The groups are as ``configuration.read_groups`` gives them. Raises Refused when a group
    that stays has a number that is wanted, and Conflict when ``seen``, the version of a plan, is
    not that of what there is to do.
    """
    if not plan_import(engine, wanted, domain=domain, keep=keep) and seen is None:
        return []
    return import_(engine, wanted, domain, keep, seen)


@transaction
def import_(
    session: Session,
    wanted: Sequence[Group],
    domain: str,
    keep: bool,
    seen: str | None = None,
) -> Plan:
    """Do what ``import_groups`` says, as one transaction that finds out by itself what to do."""
    lock_all(session)
    plan = _plan(session, wanted, domain, keep)
    if seen is not None and plan_version(plan) != seen:
        raise Conflict("somebody else has changed groups meanwhile; check the changes again")
    # Whatever is given up goes first: a number may move from one group to another.
    for rows in _rows(session, [step for step in plan if step.after is None]):
        for row, _ in rows:
            session.delete(row)
        _write(session)
    changed = [step for step in plan if step.before and step.after]
    for change in (_take_away, _give):
        for rows in _rows(session, changed):
            for row, group in rows:
                change(session, row, group)
            _write(session)
    added = iter([step.after for step in plan if step.before is None and step.after])
    while batch := list(islice(added, BATCH)):
        for group in batch:
            row = HuntGroup()
            _give(session, row, group)
            session.add(row)
        _write(session)
    for touched in sorted({group.domain for group in wanted} | {domain}):
        endings.check_endings(session, touched)
    nesting.check_nesting(session)
    return plan


def _write(session: Session) -> None:
    """Write what has changed, and forget the rows: there may be a million."""
    session.flush()
    session.expunge_all()


def _plan(session: Session, wanted: Sequence[Group], domain: str, keep: bool) -> Plan:
    asked = {group_key(group): group for group in wanted}
    plan: Plan = []
    kept: dict[tuple[str, str], Group] = {}
    present: set[tuple[str, str]] = set()
    for group_id, before in read_groups(session, group_ids(session)):
        key = group_key(before)
        present.add(key)
        after = asked.get(key)
        if after is None and (keep or (domain and before.domain != domain)):
            kept |= {_scope(before, number): before for number in before.numbers}
        elif after is None or not _same(before, after):
            plan.append(Step(group_id, before, after))
    plan.extend(Step(None, None, group) for key, group in asked.items() if key not in present)
    _refuse_kept_numbers(wanted, kept)
    for step in plan:
        if step.after:
            had = restricted(step.before) if step.before else {}
            refuse_not_allowed(session, step.after.domain, had, restricted(step.after))
    return sorted(plan, key=lambda step: group_key(step.after or step.before or _NOBODY))


_NOBODY = Group("")


def _refuse_kept_numbers(wanted: Iterable[Group], kept: dict[tuple[str, str], Group]) -> None:
    for group in wanted:
        for number in group.numbers:
            owner = kept.get(_scope(group, number))
            if owner is not None:
                raise Taken(
                    f"{number} belongs to {title(owner.name, owner.domain)}, which the file does "
                    "not have; take the number from it first",
                    number,
                    owner.domain,
                )


def _scope(group: Group, number: str) -> tuple[str, str]:
    """Return within what a number is unique: a city number everywhere."""
    return ("" if number.startswith("+") else group.domain), number


def _same(one: Group, other: Group) -> bool:
    """Whether two groups are alike; the order of numbers says nothing."""
    return _sorted(one) == _sorted(other)


def _sorted(group: Group) -> Group:
    return replace(group, numbers=tuple(sorted(group.numbers)))


def _rows(session: Session, plan: Plan) -> Iterator[list[tuple[HuntGroup, Group]]]:
    """Yield the rows of a plan's groups with what they are to be, some at a time."""
    for start in range(0, len(plan), BATCH):
        steps = {step.id: step.after or _NOBODY for step in plan[start : start + BATCH]}
        statement = (
            select(HuntGroup)
            .where(HuntGroup.id.in_(steps))
            .options(selectinload(HuntGroup.numbers), selectinload(HuntGroup.members))
        )
        yield [(row, steps[row.id]) for row in session.scalars(statement)]


def _take_away(_session: Session, row: HuntGroup, group: Group) -> None:
    users = {_user(member.user) for member in group.members}
    numbers = set(group.numbers)
    row.numbers[:] = [one for one in row.numbers if one.number in numbers]
    row.members[:] = [one for one in row.members if _user(one.user) in users]


def _give(session: Session, row: HuntGroup, group: Group) -> None:
    """Make a row be a group; what it has too much is gone already."""
    set_fields(row, settings_of(group))
    row.name_key = name_key(group.name)
    known = {one.number for one in row.numbers}
    row.numbers.extend(
        GroupNumber(number=number, kind="city" if number.startswith("+") else "internal")
        for number in group.numbers
        if number not in known
    )
    members = {_user(one.user): one for one in row.members}
    for position, member in enumerate(group.members):
        _give_member(session, row, members.get(_user(member.user)), member, position)


def _give_member(
    session: Session, row: HuntGroup, known: GroupMember | None, member: Member, position: int
) -> None:
    if known is None:
        refuse_external(session, member.user)
        known = GroupMember()
        row.members.append(known)
    known.position = position
    set_fields(known, settings_of(member))


def _user(user: str) -> str:
    return user.casefold()


def become(session: Session, row: HuntGroup, group: Group) -> None:
    """Make one group be another within a transaction, but for its domain.

    Whether its name and numbers can be had is the caller's to say.
    """
    if row.name and row.name != group.name:
        for names in (nesting, endings):
            names.follow_name(session, row.domain, row.name, group.name)
    refuse_not_allowed(session, row.domain, restricted_of(row), restricted(group))
    _take_away(session, row, group)
    session.flush()
    _give(session, row, group)
    nesting.check_nesting(session)
    endings.check_endings(session, row.domain)
