"""A limit on callers at once, and a line in which they wait.

Revision 0014, after 0013. Programs of 0013 go on: they know no limit and no line, and release a
caller whom nobody takes.
"""

import sqlalchemy as sa
from alembic import op

from fsctl.store.altering import printable, whole

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

COUNTS = {"max_callers": 10_000, "line": 1_000}
TIMES = {"line_wait_ms": 300_000, "line_retry_ms": 10_000, "line_every_ms": 30_000}
TEXTS = {"line_music": 200, "line_position": 200, "when_full": 300, "when_line_over": 300}
COLUMNS = (
    "max_callers",
    "line",
    "line_wait_ms",
    "line_retry_ms",
    "line_music",
    "line_position",
    "line_every_ms",
    "when_full",
    "when_line_over",
)


def upgrade() -> None:
    with op.batch_alter_table("hunt_group", copy_from=whole("hunt_group")) as batch:
        for name in COLUMNS:
            batch.add_column(_column(name))
            batch.create_check_constraint(op.f(f"ck_hunt_group_{name}"), _condition(name))
        for name in TEXTS:
            batch.create_check_constraint(op.f(f"ck_hunt_group_{name}_printable"), printable(name))
    with op.batch_alter_table("call_record") as batch:
        batch.add_column(sa.Column("line_ms", sa.BigInteger(), nullable=True))
    with op.batch_alter_table("live_call") as batch:
        batch.add_column(sa.Column("position", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "live_line",
        sa.Column("controller", sa.String(128), nullable=False),
        sa.Column("domain", sa.String(253), nullable=False),
        sa.Column("group_key", sa.String(192), nullable=False),
        sa.Column("hunting", sa.Integer(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("tickets", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("controller", "domain", "group_key", name="pk_live_line"),
    )


def downgrade() -> None:
    op.drop_table("live_line")
    with op.batch_alter_table("live_call") as batch:
        batch.drop_column("position")
    with op.batch_alter_table("call_record") as batch:
        batch.drop_column("line_ms")
    with op.batch_alter_table("hunt_group", copy_from=whole("hunt_group")) as batch:
        for name in TEXTS:
            batch.drop_constraint(op.f(f"ck_hunt_group_{name}_printable"), type_="check")
        for name in COLUMNS:
            batch.drop_constraint(op.f(f"ck_hunt_group_{name}"), type_="check")
            batch.drop_column(name)


def _column(name: str) -> sa.Column[object]:
    if name in TIMES:
        return sa.Column(name, sa.Integer(), nullable=False, server_default=str(TIMES[name]))
    kind = sa.Integer() if name in COUNTS else sa.String(TEXTS[name])
    return sa.Column(name, kind, nullable=True)


def _condition(name: str) -> str:
    if name in TIMES:
        return f"{name} BETWEEN 1000 AND 3600000"
    if name in COUNTS:
        return f"{name} BETWEEN 1 AND {COUNTS[name]}"
    return f"length({name}) BETWEEN 1 AND {TEXTS[name]}"
