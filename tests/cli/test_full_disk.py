"""A full file system is named, and what still works is said."""

import logging
import os
import sqlite3
from io import TextIOWrapper
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from fsctl import files, logs
from fsctl.files import Space, space_of
from fsctl.store import engine as engine_module
from fsctl.store.backup import make_backup
from fsctl.store.engine import failures, make_engine, reading, writing
from fsctl.store.errors import Unavailable
from tests.cli.conftest import Run
from tests.databases import make_tables
from tests.small_disk import SmallDisk, small_disk

STILL = "Nothing was changed; calls continue with the groups that controllers have in memory\n"


def test_a_change_names_the_full_file_system(
    fsctl: Run, small_disk: SmallDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{small_disk.place}/fsctl.db"
    make_tables(url)
    monkeypatch.setenv("FSCTL_DATABASE_URL", url)
    assert fsctl("db", "example").exit_code == 0
    small_disk.fill()
    room = f"the file system {small_disk.place} has 0.0 of 2.1 MB free"
    for command in ("group set sales --wait=20", "number add sales 601", "group add other"):
        done = fsctl(*command.split())
        assert done.exit_code == 1, command
        assert done.stderr.endswith(f"; {room}: make room there. {STILL}"), command
        assert done.stderr.count("\n") == 1
    assert room in fsctl("check").stdout
    small_disk.make_room()
    assert "sales" in fsctl("group", "list").stdout


def test_exports_and_backups_to_a_full_file_system(
    example: Run, small_disk: SmallDisk, sqlite_url: str, tables: None
) -> None:
    small_disk.fill()
    room = f"the file system {small_disk.place} has 0.0 of 2.1 MB free"
    target = small_disk.place / "all.yaml"
    done = example("export", str(target))
    assert done.exit_code == 1
    assert done.stderr == f"Error: {target}: No space left on device; {room}\n"
    with pytest.raises(Unavailable, match=room):
        make_backup(make_engine(sqlite_url), small_disk.place / "copy.db")
    assert sorted(one.name for one in small_disk.place.iterdir()) == ["filling"]


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> str:
    """Have every file system say that it is full, as nobody but root can make one."""
    space = Space(Path("/var"), 4_096, 64 * files.MEGABYTE, True)
    monkeypatch.setattr(engine_module, "space_of", lambda _: space)
    return "the file system /var has 0.0 of 64.0 MB free"


@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN])
def test_what_sqlite_makes_of_a_full_disk(sqlite_url: str, full: str, code: int) -> None:
    engine = make_engine(sqlite_url)
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code | 19 << 8  # SQLITE_IOERR_SHMSIZE, for example
    with pytest.raises(Unavailable) as raised, failures(engine):
        raise OperationalError("SELECT 1", {}, error)
    assert str(raised.value).endswith(f"; {full}: make room there. {STILL.strip()}")


def test_a_disk_with_room_is_not_blamed(sqlite_url: str) -> None:
    engine = make_engine(sqlite_url)
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR
    with pytest.raises(Unavailable, match=r"disk I/O error$"), failures(engine):
        raise OperationalError("SELECT 1", {}, error)


def test_a_database_that_may_not_grow(sqlite_url: str, tables: None) -> None:
    engine = make_engine(sqlite_url)
    with pytest.raises(Unavailable, match="database or disk is full; the file system /"):
        grow(engine)
    with reading(engine) as session:
        assert session.execute(text("SELECT count(*) FROM hunt_group")).scalar_one() == 0


def grow(engine: Engine) -> None:
    with writing(engine) as session:
        session.execute(text("PRAGMA max_page_count = 1"))  # no more than it has
        for number in range(100):
            session.execute(text(f"CREATE TABLE more_{number} (a)"))


def test_room_is_that_of_the_nearest_directory(tmp_path: Path) -> None:
    there, later = space_of(tmp_path), space_of(tmp_path / "a" / "b")
    assert there is not None
    assert later is not None
    assert there.mount == later.mount
    assert tmp_path.is_relative_to(there.mount)
    assert os.path.ismount(there.mount)
    assert not Space(Path("/"), 2 * files.MEGABYTE, files.MEGABYTE, True).full
    assert Space(Path("/"), 2 * files.MEGABYTE, files.MEGABYTE, False).full


def test_a_log_that_is_full_stops_nobody_and_says_what_is_missing(
    tmp_path: Path,
) -> None:
    with Path("/dev/full").open("wb", buffering=0) as device:
        out = TextIOWrapper(device, write_through=True)
        handler = logs.LineHandler(out)
        for number in range(3):
            handler.handle(logging.makeLogRecord({"msg": f"line {number}"}))
        with (tmp_path / "log").open("w") as later:
            handler.setStream(later)
            handler.handle(logging.makeLogRecord({"msg": "again"}))
    said = (tmp_path / "log").read_text().split()
    assert " ".join(said) == "log: 3 lines could not be written again"


__all__ = ["small_disk"]
