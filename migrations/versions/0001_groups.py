"""Hunt groups with their numbers and members.

Revision 0001, the first. What is written here stays as it is: it says nothing by way of the
program's own constants, which move on.
"""

import sqlalchemy as sa
from alembic import op

from fsctl.store.altering import printable

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NUMBER = (
    "(kind = 'city' AND length(number) BETWEEN 3 AND 16"
    " AND substr(number, 1, 1) = '+' AND substr(number, 2, 1) <> '0'"
    " AND ltrim(substr(number, 2), '0123456789') = '')"
    " OR (kind = 'internal' AND length(number) BETWEEN 1 AND 8"
    " AND ltrim(number, '0123456789*#') = '')"
)
USER = (
    'length("user") BETWEEN 1 AND 318'
    ' AND ltrim("user", '
    "'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-@') = ''"
    " AND ltrim(substr(\"user\", 1, 1), '._+-@') <> ''"
)


def check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def upgrade() -> None:
    op.create_table(
        "hunt_group",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("name_key", sa.String(192), nullable=False),
        sa.Column("description", sa.String(500), nullable=False),
        sa.Column("wait_ms", sa.Integer(), nullable=False),
        sa.Column("advance", sa.Boolean(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hunt_group")),
        sa.UniqueConstraint("name_key", name=op.f("uq_hunt_group_name_key")),
        check("hunt_group", "name", "length(name) BETWEEN 1 AND 64 AND trim(name) = name"),
        check("hunt_group", "name_printable", printable("name")),
        check("hunt_group", "name_key", "length(name_key) > 0"),
        check("hunt_group", "description", "length(description) <= 500"),
        check("hunt_group", "description_printable", printable("description")),
        check("hunt_group", "wait_ms", "wait_ms BETWEEN 1000 AND 3600000"),
        check("hunt_group", "advance", "advance IN (true, false)"),
        check("hunt_group", "enabled", "enabled IN (true, false)"),
        check("hunt_group", "created_at", "created_at > 0"),
    )
    op.create_table(
        "group_number",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_group_number")),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["hunt_group.id"],
            name=op.f("fk_group_number_group_id_hunt_group"),
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint("number", name=op.f("uq_group_number_number")),
        check("group_number", "number", NUMBER),
    )
    op.create_index(op.f("ix_group_number_group_id"), "group_number", ["group_id"])
    op.create_table(
        "group_member",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.Column("user", sa.String(318), nullable=False),
        sa.Column("delay_ms", sa.Integer(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_group_member")),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["hunt_group.id"],
            name=op.f("fk_group_member_group_id_hunt_group"),
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint("group_id", "user", name=op.f("uq_group_member_group_id_user")),
        check("group_member", "user", USER),
        check("group_member", "delay_ms", "delay_ms BETWEEN 0 AND 3600000"),
        check("group_member", "enabled", "enabled IN (true, false)"),
        check("group_member", "position", "position >= 0"),
    )
    revision_table = op.create_table(
        "group_revision",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_group_revision")),
        check("group_revision", "one_row", "id = 1"),
    )
    op.bulk_insert(revision_table, [{"id": 1, "number": 1}])


def downgrade() -> None:
    op.drop_table("group_revision")
    op.drop_table("group_member")
    op.drop_table("group_number")
    op.drop_table("hunt_group")
