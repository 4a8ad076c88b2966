"""The audit log: which change of which group, or of which user of the panel, was made when and by
whom.

Owns its SQL. What a change is, and that each is written down, is ``fsctl.admin.journal``'s.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, or_, select
from sqlalchemy.orm import Session

from fsctl.store.tables import AuditEntry, name_key, now_ms
from fsctl.store.web_tables import UserAuditEntry

Document = dict[str, Any]
"""A group, or a user, as JSON, as the fsctl of its time wrote it."""
GROUP, USER = "group", "user"
PURGED_AT_ONCE = 1_000
"""Entries removed in one transaction: other writers wait no longer than that takes."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One change. ``at`` is milliseconds since 1970 UTC; nothing before: added; after: removed.

    ``about`` is ``GROUP`` or ``USER``; ids are each kind's own.
    """

    id: int
    at: int
    actor: str
    action: str
    domain: str
    before: Document | None
    after: Document | None
    about: str = GROUP


def write_entries(
    session: Session,
    actor: str,
    action: str,
    changes: Sequence[tuple[Document | None, Document | None]],
) -> None:
    """Write down changes, each a group before and after, within the session's transaction."""
    at = now_ms()
    rows = [
        {
            "at": at,
            "actor": actor,
            "action": action,
            "domain": _text(after or before, "domain"),
            "group_key": name_key(_text(after or before, "name")),
            "former_key": name_key(_text(before, "name")) if before else None,
            "before": before,
            "after": after,
        }
        for before, after in changes
    ]
    if rows:
        session.connection().execute(insert(AuditEntry.__table__), rows)  # type: ignore[arg-type]


def read_entries(
    session: Session,
    *,
    domain: str = "",
    group: str | None = None,
    since_ms: int | None = None,
    limit: int,
) -> list[Entry]:
    """Return the newest entries, the newest first.

    With a ``group``, those of the group that had this name then, or has it since; with a domain,
    those of that domain.
    """
    statement = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    if domain or group is not None:
        statement = statement.where(AuditEntry.domain == domain)
    if group is not None:
        key = name_key(group)
        statement = statement.where(or_(AuditEntry.group_key == key, AuditEntry.former_key == key))
    if since_ms is not None:
        statement = statement.where(AuditEntry.at >= since_ms)
    return [_entry(row) for row in session.scalars(statement)]


def write_user_entry(
    session: Session, actor: str, action: str, before: Document | None, after: Document | None
) -> None:
    """Write down a change of a user of the panel, within the session's transaction."""
    key = name_key(_text(after or before, "name"))
    row = UserAuditEntry(
        at=now_ms(), actor=actor, action=action, user_key=key, before=before, after=after
    )
    session.add(row)


def read_user_entries(
    session: Session, *, user: str | None = None, since_ms: int | None = None, limit: int
) -> list[Entry]:
    """Return the newest changes of users, the newest first; with a ``user`` that user's."""
    statement = select(UserAuditEntry).order_by(UserAuditEntry.id.desc()).limit(limit)
    if user is not None:
        statement = statement.where(UserAuditEntry.user_key == name_key(user))
    if since_ms is not None:
        statement = statement.where(UserAuditEntry.at >= since_ms)
    return [
        Entry(
            row.id, row.at, row.actor, row.action, _text(row.after or row.before, "domain"),
            row.before, row.after, USER,
        )
        for row in session.scalars(statement)
    ]  # fmt: skip


def has_entry(session: Session, entry_id: int, domain: str) -> bool:
    """Whether there is an entry with this id; with a domain, among that domain's."""
    row = session.get(AuditEntry, entry_id)
    return row is not None and domain in ("", row.domain)


def latest_entry(session: Session, entry_id: int) -> Entry | None:
    """Return an entry if it is the newest of its group; None when it is not, or there is none."""
    row = session.get(AuditEntry, entry_id)
    if row is None:
        return None
    about = or_(AuditEntry.group_key == row.group_key, AuditEntry.former_key == row.group_key)
    newer = select(AuditEntry.id).where(
        AuditEntry.id > row.id, AuditEntry.domain == row.domain, about
    )
    return None if session.scalar(newer.limit(1)) is not None else _entry(row)


def remove_entries(session: Session, before_ms: int) -> int:
    """Remove some of the changes that were made before this time; return how many."""
    removed = 0
    for table in (AuditEntry, UserAuditEntry):
        old = select(table.id).where(table.at < before_ms).order_by(table.id)
        ids = list(session.scalars(old.limit(PURGED_AT_ONCE)))
        if ids:
            session.execute(delete(table).where(table.id.in_(ids)))
        removed += len(ids)
    return removed


def _entry(row: AuditEntry) -> Entry:
    return Entry(row.id, row.at, row.actor, row.action, row.domain, row.before, row.after)


def _text(document: Document | None, key: str) -> str:
    return str((document or {}).get(key, ""))
