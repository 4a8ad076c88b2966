"""Fixtures that more than one directory of tests uses, and how tests share a machine."""

import gc
import os
import shutil
import sys
from functools import cache

import pytest

from tests.databases import (
    database_url,
    engine,
    postgresql_cluster,
    postgresql_template,
    postgresql_url,
    sqlite_template,
    sqlite_url,
    tables,
)

# A run starts some hundred programs of ours. Where it is forbidden to keep what Python has
# compiled, each would compile all of it anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

EXACT = ("scenarios", "live", "hostile")
"""Folders whose tests have telephones that count milliseconds."""


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in a hook of its own
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let two processes have all tests that keep time, one a real FreeSWITCH: they mostly wait.

    Beside more of their kind they would be late. Where there is no FreeSWITCH, its process has the
    hostile ones: all of them in a row take as long as everything else.
    """
    spare = shutil.which("freeswitch") is None
    for item in items:
        if item.path.parent.name in EXACT:
            real = item.get_closest_marker("live") is not None
            real = real or (spare and item.path.parent.name == "hostile")
            group = "telephones and FreeSWITCH" if real else "telephones"
            item.add_marker(pytest.mark.xdist_group(group))


def pytest_collection_finish() -> None:
    """Look for garbage less often, and never again among what is imported by now.

    Looking through all modules over and over takes a sixth of the time of what runs in here.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let the processes of all other tests give way to those that keep time."""
    if item.path.parent.name not in EXACT:
        _give_way()


@cache
def _give_way() -> None:
    # The largest group is handed out first, so whoever has it has not given way before.
    if "PYTEST_XDIST_WORKER" in os.environ:
        os.nice(10)


__all__ = [
    "database_url",
    "engine",
    "postgresql_cluster",
    "postgresql_template",
    "postgresql_url",
    "sqlite_template",
    "sqlite_url",
    "tables",
]
