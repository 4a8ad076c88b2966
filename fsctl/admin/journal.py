"""Writes every change of every group into the audit log, in the change's own transaction.

Owns that none is forgotten: it watches what the session writes, so that an operation need not say
what it does. Knows no particular change.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy import Engine, event, inspect
from sqlalchemy.orm import Session

from fsctl.admin.actor import actor_of
from fsctl.admin.documents import Document, document_of
from fsctl.hunt.group import Group
from fsctl.store.audit import write_entries
from fsctl.store.snapshot import BATCH, read_groups
from fsctl.store.tables import GroupMember, GroupNumber, HuntGroup

_KEY = "fsctl_journal"


@dataclass
class _Seen:
    """What a transaction has touched, by id: groups as they were before, those it removes and adds.

    The id of a group that it removes may become that of one that it adds.
    """

    action: str
    before: dict[int, Group] = field(default_factory=dict)
    removed: set[int] = field(default_factory=set)
    added: set[int] = field(default_factory=set)


def watch(session: Session, action: str) -> None:
    """Write down what this session's transaction changes, when it commits and only then.

    ``action`` names the outermost operation: what it does by way of others is part of it.
    """
    if _KEY in session.info:
        return
    seen = session.info[_KEY] = _Seen(action)

    def before_flush(session: Session, *_: object) -> None:
        if session.info.get(_KEY) is seen:
            _look(session, seen)

    def after_flush(session: Session, *_: object) -> None:
        if session.info.get(_KEY) is seen:
            seen.added.update(row.id for row in session.new if isinstance(row, HuntGroup))

    def before_commit(session: Session) -> None:
        session.flush()
        del session.info[_KEY]
        _write(session, seen)

    event.listen(session, "before_flush", before_flush)
    event.listen(session, "after_flush", after_flush)
    event.listen(session, "before_commit", before_commit, once=True)


def _look(session: Session, seen: _Seen) -> None:
    """Read the groups that are about to change, while the database still has them as they were."""
    ids: set[int] = set()
    for instance in (*session.new, *session.dirty, *session.deleted):
        ids.update(_groups_of(instance))
    seen.before.update(read_groups(session, sorted(ids - seen.before.keys() - seen.added)))
    gone = {row.id for row in session.deleted if isinstance(row, HuntGroup)}
    seen.removed |= gone - seen.added
    seen.added -= gone


def _groups_of(instance: object) -> Iterator[int]:
    """Yield the ids of the groups that a row belongs to, or belonged to before."""
    if isinstance(instance, HuntGroup) and instance.id is not None:
        yield instance.id
    if isinstance(instance, GroupNumber | GroupMember):
        state: Any = inspect(instance)
        yield from (one for one in state.attrs.group_id.history.sum() if one is not None)


def _write(session: Session, seen: _Seen) -> None:
    bind = session.get_bind()
    assert isinstance(bind, Engine)  # noqa: S101 - sessions are made by fsctl.store.engine
    actor = actor_of(bind)
    changes = _changes(session, seen)
    while batch := list(islice(changes, BATCH)):
        write_entries(session, actor, seen.action, batch)


def _changes(session: Session, seen: _Seen) -> Iterator[tuple[Document | None, Document | None]]:
    """Yield each group that is not as it was: before and after."""
    for one in sorted(seen.removed):
        yield document_of(seen.before[one]), None
    kept = [one for one in seen.before if one not in seen.removed]
    for one, group in read_groups(session, kept):
        if group != seen.before[one]:
            yield document_of(seen.before[one]), document_of(group)
    for _, group in read_groups(session, sorted(seen.added)):
        yield None, document_of(group)
