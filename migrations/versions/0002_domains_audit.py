"""Groups belong to a domain; every change of a group is in an audit log.

Revision 0002, after 0001. Programs of 0001 go on: what they insert gets the domain "".
"""

import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError

from fsctl.store.altering import printable, whole

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

DOMAIN = "length(domain) <= 253 AND ltrim(domain, 'abcdefghijklmnopqrstuvwxyz0123456789.-') = ''"


def check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def domain() -> sa.Column[str]:
    return sa.Column("domain", sa.String(253), nullable=False, server_default="")


def upgrade() -> None:
    with op.batch_alter_table("hunt_group", copy_from=whole("hunt_group")) as batch:
        batch.add_column(domain())
        batch.drop_constraint(op.f("uq_hunt_group_name_key"), type_="unique")
        batch.create_unique_constraint(
            op.f("uq_hunt_group_domain_name_key"), ["domain", "name_key"]
        )
        batch.create_unique_constraint(op.f("uq_hunt_group_id_domain"), ["id", "domain"])
        batch.create_check_constraint(op.f("ck_hunt_group_domain"), DOMAIN)
    with op.batch_alter_table("group_number", copy_from=whole("group_number")) as batch:
        batch.add_column(domain())
        batch.drop_constraint(op.f("uq_group_number_number"), type_="unique")
        batch.drop_constraint(op.f("fk_group_number_group_id_hunt_group"), type_="foreignkey")
        batch.create_foreign_key(
            op.f("fk_group_number_group_id_domain_hunt_group"),
            "hunt_group",
            ["group_id", "domain"],
            ["id", "domain"],
            ondelete="CASCADE",
            onupdate="CASCADE",
        )
    op.create_index(op.f("ix_group_number_number"), "group_number", ["number"])
    for kind, columns in (("city", ["number"]), ("internal", ["number", "domain"])):
        op.create_index(
            op.f(f"uq_group_number_{kind}"),
            "group_number",
            columns,
            unique=True,
            sqlite_where=sa.text(f"kind = '{kind}'"),
            postgresql_where=sa.text(f"kind = '{kind}'"),
        )
    create_audit()


def create_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(128), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("domain", sa.String(253), nullable=False),
        sa.Column("group_key", sa.String(192), nullable=False),
        sa.Column("former_key", sa.String(192), nullable=True),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("after", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        check("audit", "at", "at > 0"),
        check("audit", "actor", "length(actor) BETWEEN 1 AND 128"),
        check("audit", "actor_printable", printable("actor")),
        check("audit", "something", '"before" IS NOT NULL OR "after" IS NOT NULL'),
    )
    op.create_index(op.f("ix_audit_at"), "audit", ["at"])
    op.create_index(op.f("ix_audit_domain_group_key"), "audit", ["domain", "group_key"])
    op.create_index(op.f("ix_audit_domain_former_key"), "audit", ["domain", "former_key"])


def downgrade() -> None:
    if op.get_bind().scalar(sa.text("SELECT count(*) FROM hunt_group WHERE domain <> ''")):
        raise CommandError("there are groups with a domain, which revision 0001 cannot keep")
    op.drop_table("audit")
    for name in ("ix_group_number_number", "uq_group_number_city", "uq_group_number_internal"):
        op.drop_index(op.f(name), "group_number")
    with op.batch_alter_table("group_number", copy_from=whole("group_number")) as batch:
        batch.drop_constraint(
            op.f("fk_group_number_group_id_domain_hunt_group"), type_="foreignkey"
        )
        batch.drop_column("domain")
        batch.create_unique_constraint(op.f("uq_group_number_number"), ["number"])
        batch.create_foreign_key(
            op.f("fk_group_number_group_id_hunt_group"),
            "hunt_group",
            ["group_id"],
            ["id"],
            ondelete="CASCADE",
        )
    with op.batch_alter_table("hunt_group", copy_from=whole("hunt_group")) as batch:
        batch.drop_constraint(op.f("ck_hunt_group_domain"), type_="check")
        batch.drop_constraint(op.f("uq_hunt_group_domain_name_key"), type_="unique")
        batch.drop_constraint(op.f("uq_hunt_group_id_domain"), type_="unique")
        batch.drop_column("domain")
        batch.create_unique_constraint(op.f("uq_hunt_group_name_key"), ["name_key"])
