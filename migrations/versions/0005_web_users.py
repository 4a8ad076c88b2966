"""The panel: its users, sessions and tokens, and the calls that hunt right now.

Revision 0005, after 0004. Programs of before do not know these tables and go on.
"""

import sqlalchemy as sa
from alembic import op

from fsctl.store.altering import printable

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "web_user",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("name_key", sa.String(192), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("domain", sa.String(253), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("password", sa.String(255), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 64", name=op.f("ck_web_user_name")),
        sa.CheckConstraint(printable("name"), name=op.f("ck_web_user_name_printable")),
        sa.CheckConstraint("role IN ('administrator', 'viewer')", name=op.f("ck_web_user_role")),
        sa.CheckConstraint("length(password) > 0", name=op.f("ck_web_user_password")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_web_user")),
        sa.UniqueConstraint("name_key", name=op.f("uq_web_user_name_key")),
    )
    op.create_table(
        "web_session",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("began_ms", sa.BigInteger(), nullable=False),
        sa.Column("seen_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_web_session")),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["web_user.id"],
            name=op.f("fk_web_session_user_id_web_user"),
            ondelete="CASCADE",
        ),
    )
    op.create_index(op.f("ix_web_session_user_id"), "web_session", ["user_id"])
    op.create_index(op.f("ix_web_session_seen_ms"), "web_session", ["seen_ms"])
    op.create_table(
        "web_token",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("length(label) BETWEEN 1 AND 64", name=op.f("ck_web_token_label")),
        sa.CheckConstraint(printable("label"), name=op.f("ck_web_token_label_printable")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_web_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_web_token_digest")),
        sa.UniqueConstraint("user_id", "label", name=op.f("uq_web_token_user_id_label")),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["web_user.id"],
            name=op.f("fk_web_token_user_id_web_user"),
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "live_controller",
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("seen_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_live_controller")),
    )
    op.create_index(op.f("ix_live_controller_seen_ms"), "live_controller", ["seen_ms"])
    op.create_table(
        "live_call",
        sa.Column("controller", sa.String(128), nullable=False),
        sa.Column("uuid", sa.String(64), nullable=False),
        sa.Column("domain", sa.String(253), nullable=False),
        sa.Column("group_name", sa.String(64), nullable=False),
        sa.Column("number", sa.String(64), nullable=False),
        sa.Column("caller_number", sa.String(64), nullable=False),
        sa.Column("caller_name", sa.String(128), nullable=False),
        sa.Column("began_ms", sa.BigInteger(), nullable=False),
        sa.Column("wait_ms", sa.Integer(), nullable=False),
        sa.Column("legs", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("controller", "uuid", name=op.f("pk_live_call")),
    )
    op.create_index(op.f("ix_live_call_domain_began_ms"), "live_call", ["domain", "began_ms"])


def downgrade() -> None:
    for table in ("live_call", "live_controller", "web_token", "web_session", "web_user"):
        op.drop_table(table)
