"""How pages tell of the switches' users: whom a group could have, who of it can ring, who is free.

Owns the words. What is known comes from ``fsctl.web.switches``; where no switch is named, or none
answers, every page says less and works as before.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fsctl.admin import values
from fsctl.admin.advice import title, warnings_about
from fsctl.admin.errors import WrongValue
from fsctl.hunt.group import Group, is_user, same_user
from fsctl.web.fields import N_
from fsctl.web.languages import gettext as _
from fsctl.web.languages import time_of_day
from fsctl.web.panel import domain, panel
from fsctl.web.switches import Known, Picture, State

MOST_OFFERED = 1_000
"""Users that a page offers to be picked; others are typed."""
MOST_SHOWN = 200
"""Users of one state that the page of calls names."""

WORDS = {
    State.TALKS: N_("on the phone"),
    State.RINGS: N_("is rung"),
    State.FREE: N_("registered, free"),
    State.ELSEWHERE: N_("needs no registration"),
    State.UNTOLD: "",
    State.AWAY: N_("not registered"),
    State.UNKNOWN: N_("not known to the switch"),
}


@dataclass(frozen=True, slots=True)
class Offer:
    """A user who could be a member: as a member is written, with what is known of them."""

    name: str
    caller_name: str
    state: State


def picture_of(of_domain: str, groups: Iterable[Group] = ()) -> Picture | None:
    """Return what the switches say, of these groups' members too; None where none is named.

    With a domain, what its users may know: nothing of any other domain's users.
    """
    return panel().switches.picture(groups, of_domain)


def silences(picture: Picture | None) -> list[str]:
    """Return a line for each switch that does not answer."""
    if picture is None:
        return []
    return [
        _("The switch %(address)s does not answer; nothing is known of its users.", address=where)
        if since is None
        else _(
            "The switch %(address)s does not answer; this is what it said at %(time)s.",
            address=where,
            time=time_of_day(since),
        )
        for where, since in ((one.address, one.since) for one in picture.silent)
    ]


def warnings_of(group: Group, picture: Picture | None) -> list[str]:
    """Return what an administrator should look at, in English as ``fsctl.admin`` says it."""
    return [*warnings_about(group), *_of_telephones(group, picture)]


def _of_telephones(group: Group, picture: Picture | None) -> Iterable[str]:
    if picture is not None and picture.nobody_can_ring(group):
        yield f"no one of {title(group.name, group.domain)} is registered: it rings nobody"


def states_of(group: Group, users: Sequence[str], picture: Picture | None) -> list[State]:
    """Return what is known of each of these users as members of a group."""
    if picture is None:
        return [State.UNTOLD] * len(users)
    return [_visible_state(group, user, picture) for user in users]


def _visible_state(group: Group, user: str, picture: Picture) -> State:
    if not is_user(user) or not user:
        return State.UNTOLD
    return picture.state(user, group.domain)


def offers(group: Group, users: Sequence[str], picture: Picture | None) -> list[Offer]:
    """Return whom a group could have beside these users: those of its domain, then the others."""
    if picture is None:
        return []
    own = (group.domain or picture.default_domain).casefold()
    known = picture.users_of(domain())
    ordered = sorted(known, key=lambda one: one.user.domain.casefold() != own)
    found = (_offer(one, own) for one in ordered)
    return [
        one
        for one in found
        if _can_be_written(one.name) and not any(same_user(one.name, user) for user in users)
    ]


def _offer(one: Known, own: str) -> Offer:
    at_home = one.user.domain.casefold() == own
    return Offer(one.user.name if at_home else str(one.user), one.caller_name, one.state)


def _can_be_written(name: str) -> bool:
    try:
        values.user(name)
    except WrongValue:
        return False
    return True


def by_state(of_domain: str, picture: Picture | None) -> dict[State, list[Known]]:
    """Return the users of a domain (``""``: of all) by what is known of them."""
    found: dict[State, list[Known]] = {
        state: [] for state in (State.FREE, State.RINGS, State.TALKS, State.AWAY)
    }
    for one in picture.users_of(of_domain) if picture else ():
        if one.state in found:
            found[one.state].append(one)
    return found
