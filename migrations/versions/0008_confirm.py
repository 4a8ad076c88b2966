"""Members who must press 1, and what they hear.

Revision 0008, after 0007. Programs of 0007 go on; to them a member who picks up has the caller.
"""

import sqlalchemy as sa
from alembic import op

from fsctl.store.altering import printable, whole

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SOUNDS = ("confirm_prompt", "too_late")


def upgrade() -> None:
    with op.batch_alter_table("hunt_group", copy_from=whole("hunt_group")) as batch:
        for name in SOUNDS:
            batch.add_column(sa.Column(name, sa.String(200), nullable=True))
            batch.create_check_constraint(
                op.f(f"ck_hunt_group_{name}"), f"length({name}) BETWEEN 1 AND 200"
            )
            batch.create_check_constraint(op.f(f"ck_hunt_group_{name}_printable"), printable(name))
    with op.batch_alter_table("group_member", copy_from=whole("group_member")) as batch:
        batch.add_column(
            sa.Column("confirm", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch.create_check_constraint(op.f("ck_group_member_confirm"), "confirm IN (true, false)")


def downgrade() -> None:
    with op.batch_alter_table("group_member", copy_from=whole("group_member")) as batch:
        batch.drop_constraint(op.f("ck_group_member_confirm"), type_="check")
        batch.drop_column("confirm")
    with op.batch_alter_table("hunt_group", copy_from=whole("hunt_group")) as batch:
        for name in SOUNDS:
            batch.drop_constraint(op.f(f"ck_hunt_group_{name}_printable"), type_="check")
            batch.drop_constraint(op.f(f"ck_hunt_group_{name}"), type_="check")
            batch.drop_column(name)
