"""What Alembic runs: the migrations, on the connection that ``fsctl.store.migrate`` hands over.

The connection's transaction is begun and ended there, so that all migrations are one.
"""

from typing import Any

from alembic import context
from alembic.runtime.migration import MigrationInfo

from fsctl.store import (  # noqa: F401 - their tables are the models' too
    call_tables,
    mail_tables,
    web_tables,
)
from fsctl.store.tables import Base


def applied(*, step: MigrationInfo, **_: Any) -> None:
    """Remember a revision as it is applied or undone."""
    context.config.attributes["applied"].append(step.up_revision_id)


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    transactional_ddl=True,
    on_version_apply=applied,  # type: ignore[arg-type]  # Alembic calls it by keyword
)
with context.begin_transaction():
    context.run_migrations()
