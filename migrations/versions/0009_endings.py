"""Where calls go that nobody takes, and in records, where they went.

Revision 0009, after 0008. Programs of 0008 go on: they release every such caller, and what they
insert does too.
"""

import sqlalchemy as sa
from alembic import op

from fsctl.store.altering import printable, whole

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ENDINGS = (
    "ending",
    "when_no_answer",
    "when_busy",
    "when_unreachable",
    "when_no_members",
    "when_closed",
    "when_disabled",
)


def upgrade() -> None:
    with op.batch_alter_table("hunt_group", copy_from=whole("hunt_group")) as batch:
        for name in ENDINGS:
            batch.add_column(sa.Column(name, sa.String(300), nullable=True))
            batch.create_check_constraint(
                op.f(f"ck_hunt_group_{name}"), f"length({name}) BETWEEN 1 AND 300"
            )
            batch.create_check_constraint(op.f(f"ck_hunt_group_{name}_printable"), printable(name))
    with op.batch_alter_table("call_record") as batch:
        batch.add_column(sa.Column("onward", sa.String(300), nullable=False, server_default=""))


def downgrade() -> None:
    with op.batch_alter_table("call_record") as batch:
        batch.drop_column("onward")
    with op.batch_alter_table("hunt_group", copy_from=whole("hunt_group")) as batch:
        for name in ENDINGS:
            batch.drop_constraint(op.f(f"ck_hunt_group_{name}_printable"), type_="check")
            batch.drop_constraint(op.f(f"ck_hunt_group_{name}"), type_="check")
            batch.drop_column(name)
