"""Ring strategies with their settings, and what they remember of members.

Revision 0004, after 0003. Programs of 0003 go on: what they insert gets the default of every
setting, and they ring every group as its members' delays say.
"""

import sqlalchemy as sa
from alembic import op

from fsctl.store.altering import printable, whole

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STRATEGY = (
    "strategy IN ('delayed', 'simultaneous', 'top-down', 'progressive', 'round-robin', 'random',"
    " 'weighted', 'longest-idle', 'fewest-calls')"
)
RING_TIME = "ring_time_ms BETWEEN 1000 AND 3600000"


def number(name: str, default: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False, server_default=default)


def ring_time() -> sa.Column[int]:
    return sa.Column("ring_time_ms", sa.Integer(), nullable=True)


def upgrade() -> None:
    with op.batch_alter_table("hunt_group", copy_from=whole("hunt_group")) as batch:
        batch.add_column(
            sa.Column("strategy", sa.String(16), nullable=False, server_default="delayed")
        )
        batch.add_column(ring_time())
        batch.add_column(number("rounds", "1"))
        batch.create_check_constraint(op.f("ck_hunt_group_strategy"), STRATEGY)
        batch.create_check_constraint(op.f("ck_hunt_group_ring_time_ms"), RING_TIME)
        batch.create_check_constraint(op.f("ck_hunt_group_rounds"), "rounds BETWEEN 1 AND 20")
    with op.batch_alter_table("group_member", copy_from=whole("group_member")) as batch:
        batch.add_column(ring_time())
        batch.add_column(number("order", "0"))
        batch.add_column(number("weight", "1"))
        batch.add_column(sa.Column("note", sa.String(100), nullable=False, server_default=""))
        for name, condition in (
            ("ring_time_ms", RING_TIME),
            ("order", '"order" BETWEEN 0 AND 9999'),
            ("weight", "weight BETWEEN 1 AND 100"),
            ("note", "length(note) <= 100"),
            ("note_printable", printable("note")),
        ):
            batch.create_check_constraint(op.f(f"ck_group_member_{name}"), condition)
    op.create_table(
        "member_memory",
        sa.Column("member_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("answered_ms", sa.BigInteger(), nullable=False),
        sa.Column("idle_ms", sa.BigInteger(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("written_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_member_memory")),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["group_member.id"],
            name=op.f("fk_member_memory_member_id_group_member"),
            ondelete="CASCADE",
        ),
        sa.CheckConstraint("answered_ms > 0 AND idle_ms > 0", name=op.f("ck_member_memory_times")),
        sa.CheckConstraint("calls >= 0", name=op.f("ck_member_memory_calls")),
    )
    op.create_index(op.f("ix_member_memory_written_ms"), "member_memory", ["written_ms"])


def downgrade() -> None:
    op.drop_table("member_memory")
    with op.batch_alter_table("group_member", copy_from=whole("group_member")) as batch:
        for name in ("ring_time_ms", "order", "weight", "note", "note_printable"):
            batch.drop_constraint(op.f(f"ck_group_member_{name}"), type_="check")
        for name in ("ring_time_ms", "order", "weight", "note"):
            batch.drop_column(name)
    with op.batch_alter_table("hunt_group", copy_from=whole("hunt_group")) as batch:
        for name in ("strategy", "ring_time_ms", "rounds"):
            batch.drop_constraint(op.f(f"ck_hunt_group_{name}"), type_="check")
        for name in ("strategy", "ring_time_ms", "rounds"):
            batch.drop_column(name)
