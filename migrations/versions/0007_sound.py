"""What members see of a caller, what a caller hears, and recordings.

Revision 0007, after 0006. Programs of 0006 go on: what they insert gets the default of every
setting, they show callers as they are and let them hear ringing.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from fsctl.store.altering import printable, whole

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SHOWN = ("caller_name", "caller_number")
SOUNDS = ("music", "greeting", "announcement")
RECORDING = (
    "length(recording) BETWEEN 1 AND 200 AND ltrim(recording,"
    " 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._+@{}-') = ''"
)
COLUMNS: tuple[sa.Column[Any], ...] = (
    sa.Column("caller_name", sa.String(100), nullable=False, server_default="{name}"),
    sa.Column("caller_number", sa.String(100), nullable=False, server_default="{number}"),
    sa.Column("alert_info", sa.String(200), nullable=True),
    sa.Column("diversion", sa.Boolean(), nullable=False, server_default=sa.false()),
    *(sa.Column(sound, sa.String(200), nullable=True) for sound in SOUNDS),
    sa.Column("announce_every_ms", sa.Integer(), nullable=False, server_default="30000"),
    sa.Column("answer_first", sa.Boolean(), nullable=False, server_default=sa.false()),
    sa.Column("recording", sa.String(200), nullable=True),
)


def checks() -> dict[str, str]:
    """Return the condition of each check by its name."""
    texts = {name: f"length({name}) <= 100" for name in SHOWN}
    texts |= {name: f"length({name}) BETWEEN 1 AND 200" for name in ("alert_info", *SOUNDS)}
    return {
        **texts,
        **{f"{name}_printable": printable(name) for name in texts},
        "diversion": "diversion IN (true, false)",
        "announce_every_ms": "announce_every_ms BETWEEN 1000 AND 3600000",
        "answer_first": "answer_first IN (true, false)",
        "recording": RECORDING,
    }


def upgrade() -> None:
    with op.batch_alter_table("hunt_group", copy_from=whole("hunt_group")) as batch:
        for column in COLUMNS:
            batch.add_column(column._copy())
        for name, condition in checks().items():
            batch.create_check_constraint(op.f(f"ck_hunt_group_{name}"), condition)


def downgrade() -> None:
    with op.batch_alter_table("hunt_group", copy_from=whole("hunt_group")) as batch:
        for name in checks():
            batch.drop_constraint(op.f(f"ck_hunt_group_{name}"), type_="check")
        for column in COLUMNS:
            batch.drop_column(column.name)
