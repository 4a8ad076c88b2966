"""What the panel's pages have in common: the database, who acts, which groups they may see."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from flask import abort, current_app, flash, g, request
from sqlalchemy import Engine

from fsctl.admin.actor import acting_as
from fsctl.admin.errors import AdminError, Refused, Taken
from fsctl.hunt.group import Group
from fsctl.settings import Settings
from fsctl.store.engine import reading
from fsctl.store.web_groups import group_with_id, id_of_group
from fsctl.store.web_users import User
from fsctl.web.languages import sentence
from fsctl.web.switches import Switches
from fsctl.web.throttle import Throttle


@dataclass(frozen=True, slots=True)
class Panel:
    """What the pages work with. ``now`` returns epoch seconds."""

    engine: Engine
    settings: Settings
    throttle: Throttle
    switches: Switches
    now: Callable[[], float]


def panel() -> Panel:
    """Return the panel that answers this request."""
    return cast(Panel, current_app.extensions["panel"])


def engine() -> Engine:
    """Return the database, for changes that are this user's."""
    return acting_as(panel().engine, user().name)


def user() -> User:
    """Return who is signed in."""
    return cast(User, g.user)


def may_change() -> bool:
    """Whether this user may change groups."""
    return g.user is not None and g.user.role == "administrator"


def domain() -> str:
    """Return the only domain that this user may see; ``""`` for all."""
    return user().domain


def shown_domain() -> str:
    """Return the domain of a page: the user's, else the one that is asked for; ``""`` for all."""
    return domain() or request.args.get("domain", "")


def visible_group(group_id: int) -> Group:
    """Return a group that this user may see; otherwise there is no such page."""
    with reading(panel().engine) as session:
        group = group_with_id(session, group_id, domain())
    return group or abort(404)


def id_of(group: Group) -> int:
    """Return the id of a group that was there a moment ago. Raises Refused when it is gone."""
    with reading(panel().engine) as session:
        found = id_of_group(session, group.name, group.domain)
    if found is None:
        raise Refused(f'there is no group "{group.name}" any more')
    return found


def say(text: str, kind: str = "done") -> None:
    """Tell on the next page that something is done; ``kind`` "error": that it is not."""
    flash(text, kind)


def explain(error: AdminError) -> str:
    """Return why a change was not made, in the user's language.

    Of what belongs to another tenant not even the name is told.
    """
    if isinstance(error, Taken) and domain() not in ("", error.domain):
        return sentence(error.to_others)
    return sentence(str(error))


def pages_of(total: int, size: int, page: int) -> Sequence[int | None]:
    """Return the pages to offer, from 1; None where some are left out."""
    last = max(1, -(-total // size))
    near = {1, last, *range(page - 2, page + 3)}
    offered: list[int | None] = []
    for one in sorted(one for one in near if 1 <= one <= last):
        if offered and (before := offered[-1]) is not None and one > before + 1:
            offered.append(None)
        offered.append(one)
    return offered
