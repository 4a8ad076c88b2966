"""Changes of the panel's users, written down.

Revision 0012, after 0011. Programs of 0011 go on: they write down the changes of groups alone.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "user_audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(128), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("user_key", sa.String(192), nullable=False),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("after", sa.JSON(), nullable=True),
        sa.CheckConstraint("at > 0", name=op.f("ck_user_audit_at")),
        sa.CheckConstraint(
            '"before" IS NOT NULL OR "after" IS NOT NULL', name=op.f("ck_user_audit_something")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_audit")),
    )
    op.create_index("ix_user_audit_at", "user_audit", ["at"])
    op.create_index("ix_user_audit_user_key", "user_audit", ["user_key"])


def downgrade() -> None:
    op.drop_table("user_audit")
