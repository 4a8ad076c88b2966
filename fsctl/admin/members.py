"""Members of groups: add, set, enable, disable, sign on and off, remove.

Errors and transactions are as in ``fsctl.admin.groups``. Two names that mean the same user (see
``fsctl.hunt.group.same_user``) cannot both be members: the user's telephones would ring twice.
"""

from collections.abc import Callable

from sqlalchemy import event
from sqlalchemy.orm import Session

from fsctl.admin import values
from fsctl.admin.allowed import refuse_external
from fsctl.admin.change import Change, changed, transaction
from fsctl.admin.errors import Refused, WrongValue
from fsctl.admin.groups import existing_group, named
from fsctl.admin.kinds import Given
from fsctl.admin.nesting import check_nesting
from fsctl.admin.terms import MEMBER_TERMS, read_given, sentence
from fsctl.hunt.group import INNER, Member, inner_name, same_user
from fsctl.store.columns import set_fields, settings_of
from fsctl.store.groups import plain_member
from fsctl.store.tables import GroupMember, HuntGroup


@transaction
def add_member(
    session: Session, /, group: str, user: str, *, domain: str = "", **given: Given | None
) -> Change:
    """Add an enabled member; ``given`` are terms (``MEMBER_TERMS``)."""
    user = values.member(user)
    member = Member(user, **read_given(MEMBER_TERMS, given))
    refuse_external(session, user)
    row = existing_group(session, group, domain)
    for other in row.members:
        if same_user(other.user, user):
            known = "" if other.user == user else f" as {other.user}"
            raise Refused(f"{user} is a member of {named(row)} already{known}")
    position = max((other.position for other in row.members), default=-1) + 1
    added = GroupMember(position=position)
    set_fields(added, settings_of(member))
    row.members.append(added)
    if inner_name(user) is not None:
        added.user = INNER + existing_group(session, inner_name(user) or "", domain).name
        check_nesting(session)
    return changed(session, row, _state(row, added))


@transaction
def set_member(
    session: Session, /, group: str, user: str, *, domain: str = "", **given: Given | None
) -> Change:
    """Change what is given of a member; None leaves a value as it is."""
    if all(value is None for value in given.values()):
        raise WrongValue("nothing to change: give at least one value")
    wanted = read_given(MEMBER_TERMS, given)
    row, member = _existing_member(session, group, user, domain)
    set_fields(member, wanted)
    return changed(session, row, _state(row, member))


@transaction
def enable_member(session: Session, group: str, user: str, *, domain: str = "") -> Change:
    """Let a member ring."""
    row, member = _existing_member(session, group, user, domain)
    member.enabled = True
    return changed(session, row, _state(row, member))


@transaction
def disable_member(session: Session, group: str, user: str, *, domain: str = "") -> Change:
    """Keep a member, who then does not ring."""
    row, member = _existing_member(session, group, user, domain)
    member.enabled = False
    return changed(session, row, _state(row, member))


@transaction
def sign_on(session: Session, group: str, user: str, *, domain: str = "") -> Change:
    """Let a member ring who was signed off."""
    return _sign(session, group, user, domain, True)


@transaction
def sign_off(session: Session, group: str, user: str, *, domain: str = "") -> Change:
    """Keep a member, who does not ring until signed on again."""
    return _sign(session, group, user, domain, False)


@transaction
def toggle_signed_on(
    session: Session,
    group: str,
    user: str,
    *,
    domain: str = "",
    may_commit: Callable[[], None] = lambda: None,
) -> Change:
    """Sign a member on who is signed off, and off who is signed on.

    ``may_commit`` is asked at the last moment before it counts; when it raises, nothing was done.
    """
    event.listen(session, "before_commit", lambda _: may_commit(), once=True)
    return _sign(session, group, user, domain, None)


def _sign(session: Session, group: str, user: str, domain: str, on: bool | None) -> Change:
    row, member = _existing_member(session, group, user, domain)
    member.signed_on = not member.signed_on if on is None else on
    return changed(session, row, _state(row, member))


@transaction
def remove_member(session: Session, group: str, user: str, *, domain: str = "") -> Change:
    """Take a member from the group."""
    row, member = _existing_member(session, group, user, domain)
    row.members.remove(member)
    return changed(session, row, f"{member.user} is no longer a member of {named(row)}.")


def _existing_member(
    session: Session, group: str, user: str, domain: str
) -> tuple[HuntGroup, GroupMember]:
    user = values.member(user)
    row = existing_group(session, group, domain)
    for member in row.members:
        if member.user.casefold() == user.casefold():
            return row, member
    raise Refused(f"{user} is not a member of {named(row)}; see: fsctl group show")


def _state(row: HuntGroup, member: GroupMember) -> str:
    state = "enabled" if member.enabled else "disabled"
    state += "" if member.signed_on else ", signed off"
    return (
        f"{member.user} of {named(row)}: {sentence(MEMBER_TERMS, plain_member(member))}, {state}."
    )
