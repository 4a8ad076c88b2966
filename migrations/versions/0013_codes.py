"""Members who sign on and off, and who may pick up a group's callers.

Revision 0013, after 0012. Programs of 0012 go on; to them who is signed off rings all the same.
"""

import sqlalchemy as sa
from alembic import op

from fsctl.store.altering import whole

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("group_member", copy_from=whole("group_member")) as batch:
        batch.add_column(
            sa.Column("signed_on", sa.Boolean(), nullable=False, server_default=sa.true())
        )
        batch.create_check_constraint(
            op.f("ck_group_member_signed_on"), "signed_on IN (true, false)"
        )
    with op.batch_alter_table("hunt_group", copy_from=whole("hunt_group")) as batch:
        batch.add_column(
            sa.Column("pickup", sa.String(16), nullable=False, server_default="members")
        )
        batch.create_check_constraint(
            op.f("ck_hunt_group_pickup"), "pickup IN ('members', 'domain', 'nobody')"
        )


def downgrade() -> None:
    with op.batch_alter_table("hunt_group", copy_from=whole("hunt_group")) as batch:
        batch.drop_constraint(op.f("ck_hunt_group_pickup"), type_="check")
        batch.drop_column("pickup")
    with op.batch_alter_table("group_member", copy_from=whole("group_member")) as batch:
        batch.drop_constraint(op.f("ck_group_member_signed_on"), type_="check")
        batch.drop_column("signed_on")
