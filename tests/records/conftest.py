"""The command line on a database with past calls, seen from Warsaw."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fsctl import settings_reading
from fsctl.cli.main import root

Run = Callable[..., Result]


@pytest.fixture
def fsctl(
    database_url: str, tables: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Run]:
    """Run ``fsctl`` with these arguments on a database with its tables."""
    for name in os.environ:
        if name.startswith("FSCTL_"):
            monkeypatch.delenv(name)
    monkeypatch.setattr(settings_reading, "CONFIG_PLACES", ())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FSCTL_DATABASE_URL", database_url)
    monkeypatch.setenv("TZ", "Europe/Warsaw")
    time.tzset()

    def run(*args: str, code: int = 0) -> Result:
        result = CliRunner().invoke(root, args)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result

    yield run
    monkeypatch.undo()
    time.tzset()
