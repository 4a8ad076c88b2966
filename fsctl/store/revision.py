"""The revision of the groups: a number that every change of them moves on.

A running controller reads it, and only when it has moved reads the groups again. Whoever changes
the tables with SQL of their own moves it too: ``UPDATE group_revision SET number = number + 1``.
"""

from sqlalchemy import event, select, update
from sqlalchemy.orm import Session

from fsctl.store.tables import AuditEntry, GroupRevision

FIRST_REVISION = 1
"""The revision of a database that nobody has changed yet."""

_MOVES = "fsctl_revision_moves"


def read_revision(session: Session) -> int:
    """Return the revision; it grows, and says nothing else."""
    return session.scalar(select(GroupRevision.number)) or 0


def move_on(session: Session) -> None:
    """Move the revision on when this session's transaction commits, and not if it does not.

    At the very end, since every writer waits for that row: taken earlier, two writers that also
    wait for each other's groups would never end.
    """
    if session.info.get(_MOVES):
        return
    session.info[_MOVES] = True

    def before_commit(session: Session) -> None:
        session.info[_MOVES] = False
        session.execute(update(GroupRevision).values(number=GroupRevision.number + 1))
        # Now nobody else can move on until we are done: what is not marked yet is ours.
        ours = update(AuditEntry).where(AuditEntry.revision.is_(None))
        session.execute(ours.values(revision=select(GroupRevision.number).scalar_subquery()))

    event.listen(session, "before_commit", before_commit, once=True)
