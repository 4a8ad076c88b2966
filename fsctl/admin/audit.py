"""The audit log as an administrator reads it."""

from sqlalchemy import Engine

from fsctl.admin import values
from fsctl.admin.difference import told, told_of_user
from fsctl.admin.errors import WrongValue
from fsctl.admin.users import user_name
from fsctl.store.audit import (
    USER,
    Entry,
    has_entry,
    read_entries,
    read_user_entries,
    remove_entries,
)
from fsctl.store.engine import reading, writing

MOST = 10_000


def list_changes(
    engine: Engine,
    *,
    domain: str = "",
    group: str | None = None,
    since: float | None = None,
    limit: int = 50,
) -> list[Entry]:
    """Return the newest changes, the newest first.

    With a ``group`` those of the group that had this name then, with ``since`` (epoch seconds)
    those from then on, with a domain that domain's.
    """
    _check(limit)
    with reading(engine) as session:
        return read_entries(
            session,
            domain=values.domain(domain),
            group=None if group is None else values.group_name(group),
            since_ms=None if since is None else round(since * 1000),
            limit=limit,
        )


def has_change(engine: Engine, entry_id: int, *, domain: str = "") -> bool:
    """Whether there is such a change of a group; with a domain, of one of that domain's."""
    with reading(engine) as session:
        return has_entry(session, entry_id, domain)


def list_user_changes(
    engine: Engine, *, user: str | None = None, since: float | None = None, limit: int = 50
) -> list[Entry]:
    """Return the newest changes of the panel's users, the newest first; with a ``user`` of that
    one, whom there need not be any more."""
    _check(limit)
    with reading(engine) as session:
        return read_user_entries(
            session,
            user=None if user is None else user_name(user),
            since_ms=None if since is None else round(since * 1000),
            limit=limit,
        )


def lines_of(entry: Entry) -> list[str]:
    """Tell of a change: of what, then a line for each part."""
    if entry.about == USER:
        return told_of_user(entry.action, entry.before, entry.after)
    return told(entry.before, entry.after)


def purge_changes(engine: Engine, before: float) -> int:
    """Remove the changes that were made before this time (epoch seconds); return how many.

    A step at a time, each a transaction of its own. Raises Unavailable.
    """
    removed = 0
    while step := _purge_some(engine, round(before * 1000)):
        removed += step
    return removed


def _purge_some(engine: Engine, before_ms: int) -> int:
    with writing(engine) as session:
        return remove_entries(session, before_ms)


def _check(limit: int) -> None:
    if not 1 <= limit <= MOST:
        raise WrongValue(f"limit is 1 to {MOST}, not {limit}")
