"""Telephone numbers and groups as members; members in a conversation passed over.

Revision 0010, after 0009. Programs of 0009 go on, but cannot call such members: they give the call
back to the dialplan. So add them when all are of this version.
"""

import sqlalchemy as sa
from alembic import op

from fsctl.store.altering import printable, whole

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

NAME = "ck_group_member_user"
USER = (
    'length("user") BETWEEN 1 AND 318 AND ltrim("user",'
    " 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-@') = ''"
    " AND ltrim(substr(\"user\", 1, 1), '._+-@') <> ''"
)
NUMBER = (
    'length("user") BETWEEN 3 AND 16 AND substr("user", 1, 1) = \'+\''
    " AND substr(\"user\", 2, 1) <> '0' AND ltrim(substr(\"user\", 2), '0123456789') = ''"
)
GROUP = 'substr("user", 1, 6) = \'group:\' AND length("user") BETWEEN 7 AND 70'
PRINTABLE = "ck_group_member_user_printable"


def upgrade() -> None:
    _check(f"({USER}) OR ({NUMBER}) OR ({GROUP})")
    with op.batch_alter_table("group_member", copy_from=whole("group_member")) as batch:
        batch.create_check_constraint(op.f(PRINTABLE), printable('"user"'))
    with op.batch_alter_table("hunt_group", copy_from=whole("hunt_group")) as batch:
        batch.add_column(
            sa.Column("skip_busy", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch.create_check_constraint(op.f("ck_hunt_group_skip_busy"), "skip_busy IN (true, false)")


def downgrade() -> None:
    op.execute("DELETE FROM group_member WHERE substr(\"user\", 1, 1) = '+'")
    op.execute("DELETE FROM group_member WHERE substr(\"user\", 1, 6) = 'group:'")
    with op.batch_alter_table("group_member", copy_from=whole("group_member")) as batch:
        batch.drop_constraint(op.f(PRINTABLE), type_="check")
    _check(USER)
    with op.batch_alter_table("hunt_group", copy_from=whole("hunt_group")) as batch:
        batch.drop_constraint(op.f("ck_hunt_group_skip_busy"), type_="check")
        batch.drop_column("skip_busy")


def _check(condition: str) -> None:
    with op.batch_alter_table("group_member", copy_from=whole("group_member")) as batch:
        batch.drop_constraint(op.f(NAME), type_="check")
        batch.create_check_constraint(op.f(NAME), condition)
