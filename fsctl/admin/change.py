"""What a change returns, and how it becomes one transaction.

Owns the all-or-nothing. Knows no particular change.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from fsctl.admin.advice import warnings_about
from fsctl.admin.errors import Refused
from fsctl.admin.journal import watch
from fsctl.hunt.group import Group
from fsctl.store.engine import writing
from fsctl.store.groups import to_group
from fsctl.store.revision import move_on
from fsctl.store.tables import HuntGroup

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Change:
    """A change that was made.

    ``text`` is one line of what is now true, ``warnings`` what of it is unlikely to be meant, and
    ``group`` the group as it is now (as it was, when it was removed).
    """

    text: str
    group: Group
    warnings: list[str] = field(default_factory=list)


def changed(session: Session, row: HuntGroup, text: str) -> Change:
    """Write the change to the database, still within its transaction, and describe it."""
    session.flush()
    session.refresh(row, ["numbers", "members"])
    group = to_group(row)
    return Change(text, group, warnings_about(group))


def transaction(
    operation: Callable[Concatenate[Session, P], R],
) -> Callable[Concatenate[Engine | Session, P], R]:
    """Make an operation one transaction: whole, or not at all.

    Called with an engine it has a transaction of its own; called with a session it joins that
    session's. A constraint that is violated although the operation's checks have passed means that
    somebody else was quicker: the operation then runs once more, and its checks see what that was.
    With the change the revision of the groups moves on, by which a running controller learns of it;
    and it is written into the audit log (see ``fsctl.admin.journal``).
    """
    action = operation.__name__.replace("_", " ").strip()

    @functools.wraps(operation)
    def run(where: Engine | Session, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if isinstance(where, Session):
            watch(where, action)
            move_on(where)
            return operation(where, *args, **kwargs)
        for _ in range(2):
            try:
                with writing(where) as session:
                    watch(session, action)
                    move_on(session)
                    return operation(session, *args, **kwargs)
            except (IntegrityError, StaleDataError) as error:
                raced = error
        raise Refused("somebody else is changing the same; nothing was changed") from raced

    return run
