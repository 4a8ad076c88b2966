"""``fsctl db upgrade`` as cron runs it: exit codes, silence, several at once, backups."""

import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from fsctl.store import migrate
from fsctl.store.backup import rotated
from fsctl.store.engine import make_engine
from fsctl.store.tables import SCHEMA
from tests.store.seeds import grow, rows, run

Run = Callable[..., Result]
ROOT = Path(__file__).parents[2]

FOUR = """
import os
import sys

import fsctl.cli.db, fsctl.store.migrate
from fsctl.cli.main import root

processes = []
for number in range(4):
    process = os.fork()
    if process == 0:
        for stream, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(f"{name}{number}", os.O_WRONLY | os.O_CREAT), stream)
        root(["--database-url", sys.argv[1], "db", "upgrade"])
    processes.append(process)
print(*[os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in processes])
"""
"""Four processes that have imported what they need: what they do is all that they do at once."""


@pytest.mark.parametrize("past", [None, "0001"])
def test_four_at_once(database_url: str, tmp_path: Path, past: str | None) -> None:
    if past is not None:
        grow(database_url, past)
    codes = subprocess.check_output(
        [sys.executable, "-c", FOUR, database_url],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
        timeout=90,
    )
    ended = [
        (
            (tmp_path / f"out{number}").read_text(),
            (tmp_path / f"err{number}").read_text(),
            int(code),
        )
        for number, code in enumerate(codes.split())
    ]
    for number, (out, err, code) in enumerate(ended, 1):
        print(f"{number}  exit {code}  {(out or err).strip() or 'silent'}")
    assert [(err, code) for _, err, code in ended] == [("", 0)] * 4
    assert sorted(len(out.splitlines()) for out, _, _ in ended) == [0, 0, 0, 1]
    assert migrate.current(database_url) == SCHEMA


def test_with_nothing_to_do_it_is_silent_and_copies_nothing(fsctl: Run, database_url: str) -> None:
    def upgrade() -> Result:
        return fsctl("--database-url", database_url, "db", "upgrade")

    assert upgrade().exit_code == 0
    before = set(Path.cwd().iterdir())
    again = upgrade()
    assert (again.exit_code, again.output) == (0, "")
    assert set(Path.cwd().iterdir()) == before


def test_a_lock_held_too_long_is_75(fsctl: Run, database_url: str) -> None:
    engine = make_engine(database_url, migrating=True)
    with engine.connect() as holder:
        if engine.dialect.name == "sqlite":
            holder.exec_driver_sql("COMMIT")
            holder.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            holder.exec_driver_sql(f"SELECT pg_advisory_xact_lock({migrate._LOCK})")
        result = fsctl("--database-url", database_url, "db", "upgrade", "--wait", "0.1")
    assert (result.exit_code, result.stdout) == (75, "")
    [line] = result.stderr.splitlines()
    assert line.endswith("nothing was changed, try again later")


@pytest.mark.parametrize("wait", ["nan", "-1", "3601", "soon"])
def test_a_wait_that_is_none_is_2(fsctl: Run, sqlite_url: str, tmp_path: Path, wait: str) -> None:
    assert fsctl("--database-url", sqlite_url, "db", "upgrade", "--wait", wait).exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_a_failed_migration_is_1_and_one_line(fsctl: Run, database_url: str) -> None:
    # A table of somebody else's stands where the migration makes its own.
    run(database_url, ["CREATE TABLE audit (id INTEGER)"])
    result = fsctl("--database-url", database_url, "db", "upgrade")
    assert (result.exit_code, result.stdout) == (1, "")
    assert re.fullmatch(r"Error: database .*audit.* already exists\n", result.stderr)
    assert migrate.current(database_url) is None


def test_a_newer_database_is_3(fsctl: Run, database_url: str) -> None:
    grow(database_url, SCHEMA)
    run(database_url, ["UPDATE alembic_version SET version_num = '9999'"])
    for args in (["upgrade"], ["status", "--check"]):
        assert fsctl("--database-url", database_url, "db", *args).exit_code == 3
    result = fsctl("--database-url", database_url, "group", "list")
    assert result.exit_code == 1
    assert result.stderr.endswith(f"this one knows {SCHEMA} and older; install the newer fsctl\n")


def test_check_tells_by_its_exit_code(fsctl: Run, database_url: str) -> None:
    def check() -> tuple[int, dict[str, object]]:
        result = fsctl("--database-url", database_url, "db", "status", "--check", "--json")
        return result.exit_code, json.loads(result.stdout)

    assert check()[0] == 1
    grow(database_url, "0001")
    code, shown = check()
    assert (code, shown["revision"], shown["up_to_date"]) == (1, "0001", False)
    fsctl("--database-url", database_url, "db", "upgrade")
    code, shown = check()
    assert (code, shown["up_to_date"], shown["newer"]) == (0, True, False)


def test_an_sqlite_database_is_copied_before_it_changes(
    fsctl: Run, sqlite_url: str, tmp_path: Path
) -> None:
    grow(sqlite_url, "0001")
    before = rows(sqlite_url)
    result = fsctl("--database-url", sqlite_url, "db", "upgrade")
    [backup] = rotated(tmp_path / "fsctl.db")
    assert result.stdout.endswith(f"; as it was before: {backup}.\n")
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert migrate.current(f"sqlite:///{backup}") == "0001"
    assert rows(f"sqlite:///{backup}") == before


def test_a_new_database_is_not_copied(fsctl: Run, sqlite_url: str, tmp_path: Path) -> None:
    assert fsctl("--database-url", sqlite_url, "db", "upgrade").exit_code == 0
    assert rotated(tmp_path / "fsctl.db") == []


def test_no_copies_are_taken_when_none_are_kept(
    fsctl: Run, sqlite_url: str, tmp_path: Path
) -> None:
    grow(sqlite_url, "0001")
    assert fsctl("--database-url", sqlite_url, "--backups", "0", "db", "upgrade").exit_code == 0
    assert rotated(tmp_path / "fsctl.db") == []


def test_an_upgrade_that_cannot_copy_changes_nothing(
    fsctl: Run, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow(sqlite_url, "0001")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "link", full)
    result = fsctl("--database-url", sqlite_url, "db", "upgrade")
    assert result.exit_code == 1
    assert ": No space left on device; the file system /" in result.stderr
    assert result.stderr.endswith(" MB free\n")
    assert migrate.current(sqlite_url) == "0001"


def test_backups_on_demand(example: Run, database_url: str, tmp_path: Path) -> None:
    if database_url.startswith("postgresql"):
        result = example("db", "backup")
        assert result.exit_code == 1
        assert result.stderr.endswith("PostgreSQL has: pg_dump\n")
        return
    for _ in range(4):
        assert example("--backups", "3", "db", "backup").exit_code == 0
    assert len(rotated(tmp_path / "fsctl.db")) == 3
    target = tmp_path / "mine.db"
    assert example("db", "backup", str(target)).stdout == f"Database copied to {target}.\n"
    assert rows(f"sqlite:///{target}") == rows(database_url)
    content = target.read_bytes()
    again = example("db", "backup", str(target))
    assert again.exit_code == 1
    assert again.stderr == f"Error: cannot write the backup {target}: File exists\n"
    assert target.read_bytes() == content
    assert not list(tmp_path.glob("*.partial*"))


def test_the_history_is_shown(fsctl: Run, database_url: str) -> None:
    grow(database_url, "0001")
    lines = fsctl("--database-url", database_url, "db", "history").stdout.splitlines()
    assert lines[0].split() == ["REVISION", "APPLIED", "DESCRIPTION"]
    assert [line.split()[1] for line in lines[1:3]] == ["yes", "no"]
    shown = json.loads(fsctl("--database-url", database_url, "db", "history", "--json").stdout)
    assert shown[0] == {
        "revision": "0001",
        "description": "Hunt groups with their numbers and members",
        "applied": True,
    }
