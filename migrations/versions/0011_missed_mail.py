"""Mails of missed calls: who hears of them, and the outbox.

Revision 0011, after 0010. Programs of 0010 go on: they ask for no mail.
"""

import sqlalchemy as sa
from alembic import op

from fsctl.store.altering import printable, whole

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("hunt_group", copy_from=whole("hunt_group")) as batch:
        batch.add_column(
            sa.Column("missed_mail", sa.String(1000), nullable=False, server_default="")
        )
        batch.add_column(
            sa.Column("missed_when", sa.String(200), nullable=False, server_default="all")
        )
        batch.create_check_constraint(
            op.f("ck_hunt_group_missed_mail"), "length(missed_mail) <= 1000"
        )
        batch.create_check_constraint(
            op.f("ck_hunt_group_missed_mail_printable"), printable("missed_mail")
        )
        batch.create_check_constraint(
            op.f("ck_hunt_group_missed_when"), "length(missed_when) BETWEEN 1 AND 200"
        )
    with op.batch_alter_table("call_record") as batch:
        batch.add_column(
            sa.Column("caller_hidden", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    op.create_table(
        "mail_outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uuid", sa.String(64), nullable=False),
        sa.Column("domain", sa.String(253), nullable=False),
        sa.Column("address", sa.String(254), nullable=False),
        sa.Column("asked_ms", sa.BigInteger(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("done_ms", sa.BigInteger(), nullable=True),
        sa.Column("result", sa.String(8), nullable=True),
        sa.Column("message_id", sa.String(320), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_outbox")),
        sa.UniqueConstraint(
            "uuid", "domain", "address", name=op.f("uq_mail_outbox_uuid_domain_address")
        ),
    )
    op.create_index("ix_mail_outbox_done_ms_due_ms", "mail_outbox", ["done_ms", "due_ms"])
    op.create_index("ix_mail_outbox_address_done_ms", "mail_outbox", ["address", "done_ms"])
    turn = op.create_table(
        "mail_turn",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("holder", sa.String(128), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_mail_turn_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_turn")),
    )
    op.bulk_insert(turn, [{"id": 1, "holder": "", "until_ms": 0}])


def downgrade() -> None:
    op.drop_table("mail_turn")
    op.drop_table("mail_outbox")
    with op.batch_alter_table("call_record") as batch:
        batch.drop_column("caller_hidden")
    with op.batch_alter_table("hunt_group", copy_from=whole("hunt_group")) as batch:
        for name in ("missed_when", "missed_mail_printable", "missed_mail"):
            batch.drop_constraint(op.f(f"ck_hunt_group_{name}"), type_="check")
        batch.drop_column("missed_when")
        batch.drop_column("missed_mail")
