"""What the migrations share: they stay as they were written, so nothing here changes its meaning.

It knows nothing of the program's tables, which move on.
"""

import sqlalchemy as sa
from alembic import op

_PRINTABLE = {
    "sqlite": (
        "{0} NOT GLOB '*[' || char(1) || '-' || char(31) || char(127) || '-' || char(159) || ']*'"
        " AND instr({0}, char(0)) = 0"
    ),
    "postgresql": r"{0} !~ '[\u0001-\u001f\u007f-\u009f]'",
}


def printable(column: str) -> str:
    """Return the condition that a column holds no control characters, for this database."""
    return _PRINTABLE[op.get_bind().dialect.name].format(column)


def whole(name: str) -> sa.Table | None:
    """Return a table with all its checks: SQLite alters it by building it anew.

    Whether reflection alone brings the checks along depends on the versions of the libraries.
    """
    bind = op.get_bind()
    if bind.dialect.name != "sqlite":
        return None
    table = sa.Table(name, sa.MetaData(), autoload_with=bind, resolve_fks=False)
    known = {constraint.name for constraint in table.constraints}
    for found in sa.inspect(bind).get_check_constraints(name):
        if found["name"] not in known:
            table.append_constraint(sa.CheckConstraint(found["sqltext"], name=found["name"]))
    return table
