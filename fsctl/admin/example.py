"""The example group, for a first call."""

from sqlalchemy.orm import Session

from fsctl.admin.change import Change, transaction
from fsctl.admin.groups import add_group
from fsctl.admin.members import add_member
from fsctl.admin.numbers import add_numbers
from fsctl.store.revision import FIRST_REVISION, read_revision


@transaction
def add_example(session: Session) -> Change | None:
    """Add the group ``sales`` to a database that was never changed; else do nothing, return None.

    A group that an administrator has removed stays removed.
    """
    if read_revision(session) > FIRST_REVISION:
        return None
    add_group(session, "sales", description="An example: three telephones, one after another")
    add_numbers(session, "sales", ["600", "+48587624731"], "PL")
    for user, delay in {"test002": 0, "test006": 6, "test007": 10}.items():
        change = add_member(session, "sales", user, delay=delay)
    return Change('Group "sales" added as an example.', change.group, change.warnings)
