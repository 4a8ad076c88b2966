"""Fixtures that more than one directory of tests uses."""

import pytest

from tests.databases import (
    database_url,
    engine,
    postgresql_cluster,
    postgresql_template,
    postgresql_url,
    sqlite_template,
    sqlite_url,
)

EXACT = ("scenarios", "live", "hostile")
"""Folders whose tests have telephones that count milliseconds."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one process have all tests that keep time: beside each other they would be late."""
    for item in items:
        if item.path.parent.name in EXACT:
            item.add_marker(pytest.mark.xdist_group("telephones"))


__all__ = [
    "database_url",
    "engine",
    "postgresql_cluster",
    "postgresql_template",
    "postgresql_url",
    "sqlite_template",
    "sqlite_url",
]
