"""The audit log as an administrator reads it."""

from sqlalchemy import Engine

from fsctl.admin import values
from fsctl.admin.errors import WrongValue
from fsctl.store.audit import Entry, read_entries
from fsctl.store.engine import reading

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
    if not 1 <= limit <= MOST:
        raise WrongValue(f"limit is 1 to {MOST}, not {limit}")
    with reading(engine) as session:
        return read_entries(
            session,
            domain=values.domain(domain),
            group=None if group is None else values.group_name(group),
            since_ms=None if since is None else round(since * 1000),
            limit=limit,
        )
