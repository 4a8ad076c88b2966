"""Records of past calls; a change of a group says with which revision of the groups it came.

Revision 0003, after 0002. Programs of 0002 go on: what they write into the audit log is marked by
the next that knows the column.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BYTEWISE = sa.String(64).with_variant(sa.String(64, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "call_group",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("used_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_call_group")),
    )
    op.create_index(op.f("ix_call_group_used_ms"), "call_group", ["used_ms"])
    op.create_table(
        "call_record",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("uuid", BYTEWISE, nullable=False),
        sa.Column("began_ms", sa.BigInteger(), nullable=False),
        sa.Column("recorded_ms", sa.BigInteger(), nullable=False),
        sa.Column("domain", sa.String(253), nullable=False),
        sa.Column("group_name", sa.String(64), nullable=False),
        sa.Column("group_key", sa.String(192), nullable=False),
        sa.Column("group_digest", sa.String(64), nullable=True),
        sa.Column("number", sa.String(64), nullable=False),
        sa.Column("caller_number", sa.String(64), nullable=False),
        sa.Column("caller_key", sa.String(192), nullable=False),
        sa.Column("caller_name", sa.String(128), nullable=False),
        sa.Column("caller_user", sa.String(318), nullable=False),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("cause", sa.String(64), nullable=False),
        sa.Column("answered_by", sa.String(318), nullable=True),
        sa.Column("wait_ms", sa.BigInteger(), nullable=False),
        sa.Column("talk_ms", sa.BigInteger(), nullable=True),
        sa.Column("ended_ms", sa.BigInteger(), nullable=False),
        sa.Column("controller", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_record")),
        sa.ForeignKeyConstraint(
            ["group_digest"],
            ["call_group.digest"],
            name=op.f("fk_call_record_group_digest_call_group"),
        ),
        sa.UniqueConstraint("uuid", "began_ms", name=op.f("uq_call_record_uuid_began_ms")),
    )
    for columns in (
        ["began_ms"],
        ["group_digest"],
        ["group_key", "began_ms"],
        ["caller_key", "began_ms"],
        ["outcome", "began_ms"],
    ):
        name = f"ix_call_record_{'_'.join(columns)}"
        op.create_index(op.f(name), "call_record", columns)
    op.create_table(
        "call_attempt",
        sa.Column("call_id", ROW_ID, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("began_ms", sa.BigInteger(), nullable=False),
        sa.Column("member", sa.String(318), nullable=False),
        sa.Column("member_user", sa.String(318), nullable=False),
        sa.Column("last", sa.Boolean(), nullable=False),
        sa.Column("started_ms", sa.BigInteger(), nullable=True),
        sa.Column("ringing_ms", sa.BigInteger(), nullable=True),
        sa.Column("answered_ms", sa.BigInteger(), nullable=True),
        sa.Column("connected_ms", sa.BigInteger(), nullable=True),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("cause", sa.String(64), nullable=False),
        sa.Column("sip_code", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("call_id", "position", name=op.f("pk_call_attempt")),
        sa.ForeignKeyConstraint(
            ["call_id"],
            ["call_record.id"],
            name=op.f("fk_call_attempt_call_id_call_record"),
            ondelete="CASCADE",
        ),
    )
    op.create_index(op.f("ix_call_attempt_began_ms"), "call_attempt", ["began_ms"])
    op.create_index(
        op.f("ix_call_attempt_member_user_began_ms"), "call_attempt", ["member_user", "began_ms"]
    )
    op.add_column("audit", sa.Column("revision", sa.BigInteger(), nullable=True))
    op.execute("UPDATE audit SET revision = 0")
    op.create_index(op.f("ix_audit_revision"), "audit", ["revision"])


def downgrade() -> None:
    op.drop_index(op.f("ix_audit_revision"), "audit")
    op.execute("ALTER TABLE audit DROP COLUMN revision")
    op.drop_table("call_attempt")
    op.drop_table("call_record")
    op.drop_table("call_group")
