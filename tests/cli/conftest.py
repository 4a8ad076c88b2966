"""The command line, called in this process."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fsctl import settings_reading
from fsctl.cli.main import root

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory and an environment in which nobody has set anything."""
    for name in os.environ:
        if name.startswith("FSCTL_"):
            monkeypatch.delenv(name)
    monkeypatch.setattr(settings_reading, "CONFIG_PLACES", settings_reading.CONFIG_PLACES[:1])
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def fsctl() -> Run:
    """Run ``fsctl`` with these arguments."""

    def run(*args: str) -> Result:
        result = CliRunner().invoke(root, args)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def example(fsctl: Run, database_url: str, tables: None, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run ``fsctl`` on a database that has the example group."""
    monkeypatch.setenv("FSCTL_DATABASE_URL", database_url)
    assert fsctl("db", "example").exit_code == 0
    return fsctl
