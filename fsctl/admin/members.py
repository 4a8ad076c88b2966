"""Members of groups: add, set, enable, disable, remove.

Errors and transactions are as in ``fsctl.admin.groups``. Two names that mean the same user (see
``fsctl.hunt.group.same_user``) cannot both be members: the user's telephones would ring twice.
"""

from sqlalchemy.orm import Session

from fsctl.admin import values
from fsctl.admin.advice import seconds
from fsctl.admin.change import Change, changed, transaction
from fsctl.admin.errors import Refused, WrongValue
from fsctl.admin.groups import existing_group, named
from fsctl.hunt.group import same_user
from fsctl.store.tables import GroupMember, HuntGroup


@transaction
def add_member(
    session: Session, group: str, user: str, *, delay: str | float = 0.0, domain: str = ""
) -> Change:
    """Add an enabled member, who rings ``delay`` seconds after a call's arrival."""
    user = values.user(user)
    delay_ms = values.delay_ms(delay)
    row = existing_group(session, group, domain)
    for member in row.members:
        if same_user(member.user, user):
            known = "" if member.user == user else f" as {member.user}"
            raise Refused(f"{user} is a member of {named(row)} already{known}")
    position = max((member.position for member in row.members), default=-1) + 1
    member = GroupMember(user=user, delay_ms=delay_ms, enabled=True, position=position)
    row.members.append(member)
    return changed(session, row, _state(row, member))


@transaction
def set_member(
    session: Session, group: str, user: str, *, delay: str | float | None = None, domain: str = ""
) -> Change:
    """Change what is given of a member; None leaves a value as it is."""
    if delay is None:
        raise WrongValue("nothing to change: give a delay")
    delay_ms = values.delay_ms(delay)
    row, member = _existing_member(session, group, user, domain)
    member.delay_ms = delay_ms
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
def remove_member(session: Session, group: str, user: str, *, domain: str = "") -> Change:
    """Take a member from the group."""
    row, member = _existing_member(session, group, user, domain)
    row.members.remove(member)
    return changed(session, row, f"{member.user} is no longer a member of {named(row)}.")


def _existing_member(
    session: Session, group: str, user: str, domain: str
) -> tuple[HuntGroup, GroupMember]:
    user = values.user(user)
    row = existing_group(session, group, domain)
    for member in row.members:
        if member.user.casefold() == user.casefold():
            return row, member
    raise Refused(f"{user} is not a member of {named(row)}; see: fsctl group show")


def _state(row: HuntGroup, member: GroupMember) -> str:
    state = "enabled" if member.enabled else "disabled"
    delay = seconds(member.delay_ms / 1000)
    return f"{member.user} of {named(row)}: delay {delay}, {state}."
