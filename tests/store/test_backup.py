import sqlite3
import stat
import threading
from pathlib import Path

import pytest

from fsctl.admin.example import add_example
from fsctl.store import migrate
from fsctl.store.backup import make_backup, rotated
from fsctl.store.engine import make_engine
from fsctl.store.errors import Unavailable
from tests.store.seeds import grow, rows


def test_a_copy_is_taken_while_the_database_is_written_to(sqlite_url: str, tmp_path: Path) -> None:
    grow(sqlite_url, migrate.head())
    before = rows(sqlite_url)
    writer = sqlite3.connect(tmp_path / "fsctl.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE hunt_group SET wait_ms = 1000")
    copy = make_backup(make_engine(sqlite_url))
    writer.execute("COMMIT")
    writer.close()
    assert rows(f"sqlite:///{copy}") == before
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


def test_a_copy_is_one_file(sqlite_url: str, tables: None, tmp_path: Path) -> None:
    copy = make_backup(make_engine(sqlite_url))
    content = copy.read_bytes()
    moved = tmp_path / "elsewhere" / "copy.db"
    moved.parent.mkdir()
    moved.write_bytes(content)
    assert add_example(make_engine(f"sqlite:///{moved}")) is not None
    assert {one.name for one in tmp_path.iterdir() if "backup" in one.name} == {copy.name}


def test_only_the_newest_copies_stay_and_nothing_else_goes(
    sqlite_url: str, tables: None, tmp_path: Path
) -> None:
    others = ["fsctl.db.backup-by-hand", "fsctl.db.backup-", "other.db.backup-20260101T000000Z"]
    for name in others:
        (tmp_path / name).write_text("mine")
    copies = [make_backup(make_engine(sqlite_url), keep=2) for _ in range(4)]
    assert rotated(tmp_path / "fsctl.db") == copies[2:]
    assert all((tmp_path / name).exists() for name in others)


def test_a_copy_takes_no_other_file_s_place(sqlite_url: str, tables: None, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    link = tmp_path / "copy.db.partial"
    link.symlink_to(victim)
    for target in (victim, tmp_path / "copy.db", tmp_path / "nowhere" / "copy.db"):
        with pytest.raises(Unavailable, match=r"^cannot write the backup [^\n]*$"):
            make_backup(make_engine(sqlite_url), target)
    assert victim.read_text() == "mine"
    assert link.is_symlink()


def test_copies_taken_together_are_all_whole(sqlite_url: str, tmp_path: Path) -> None:
    grow(sqlite_url, migrate.head())
    engine = make_engine(sqlite_url)
    threads = [threading.Thread(target=make_backup, args=(engine,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    copies = rotated(tmp_path / "fsctl.db")
    assert len(copies) == 4
    for copy in copies:
        assert rows(f"sqlite:///{copy}") == rows(sqlite_url)


def test_a_database_in_memory_cannot_be_copied() -> None:
    with pytest.raises(Unavailable, match="is no file"):
        make_backup(make_engine("sqlite://"))
