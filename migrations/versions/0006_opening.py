"""When groups are open: weekly hours, single dates, closed until a moment.

Revision 0006, after 0005. Programs of 0005 go on: what they insert is always open, and they serve
every group as if it were.
"""

import sqlalchemy as sa
from alembic import op

from fsctl.store.altering import whole

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

CHECKS = {
    "hours": "length(hours) <= 500",
    "dates": "length(dates) <= 8000",
    "closed_until": "length(closed_until) = 16",
    "time_zone": "length(time_zone) BETWEEN 1 AND 64",
}


def text(name: str, length: int, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False, server_default=default)


def upgrade() -> None:
    with op.batch_alter_table("hunt_group", copy_from=whole("hunt_group")) as batch:
        batch.add_column(text("hours", 500))
        batch.add_column(text("dates", 8_000))
        batch.add_column(sa.Column("closed_until", sa.String(16), nullable=True))
        batch.add_column(text("time_zone", 64, "Europe/Warsaw"))
        for name, condition in CHECKS.items():
            batch.create_check_constraint(op.f(f"ck_hunt_group_{name}"), condition)


def downgrade() -> None:
    with op.batch_alter_table("hunt_group", copy_from=whole("hunt_group")) as batch:
        for name in CHECKS:
            batch.drop_constraint(op.f(f"ck_hunt_group_{name}"), type_="check")
        for name in CHECKS:
            batch.drop_column(name)
