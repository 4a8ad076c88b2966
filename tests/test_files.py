"""What fsctl writes is for its owner, from the first moment on."""

import os
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from fsctl.cli.main import root
from fsctl.files import make_private, private_text
from fsctl.store import migrate
from fsctl.store.engine import make_engine, writing


@pytest.fixture(autouse=True)
def anybody_may_read() -> object:
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    return {one.name: stat.S_IMODE(one.stat().st_mode) for one in folder.iterdir()}


def test_the_database_and_what_sqlite_makes_beside_it_is_private(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/fsctl.db"
    migrate.upgrade(url)
    engine = make_engine(url)
    with writing(engine) as session:
        session.connection().exec_driver_sql("UPDATE group_revision SET number = number + 1")
        session.commit()
        found = modes(tmp_path)
    assert {"fsctl.db", "fsctl.db-wal", "fsctl.db-shm"} <= found.keys()
    assert set(found.values()) == {0o600}
    engine.dispose()


def test_a_database_that_others_were_given_stays_theirs(tmp_path: Path) -> None:
    place = tmp_path / "fsctl.db"
    place.touch(0o640)
    migrate.upgrade(f"sqlite:///{place}")
    assert modes(tmp_path)["fsctl.db"] == 0o640


def test_fsctl_check_does_not_warn_of_what_fsctl_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tmp_path.chmod(0o755)
    monkeypatch.setenv("FSCTL_DATABASE_URL", "sqlite:///fsctl.db")
    assert CliRunner().invoke(root, ["db", "upgrade"]).exit_code == 0
    assert "everybody on this machine may read it" not in CliRunner().invoke(root, ["check"]).output
    (tmp_path / "fsctl.db").chmod(0o644)
    assert "everybody on this machine may read it" in CliRunner().invoke(root, ["check"]).output


def test_an_export_is_private_whole_or_not_there(tmp_path: Path) -> None:
    place = tmp_path / "all.yaml"
    with private_text(place) as out:
        out.write("Łódź")
    assert (place.read_text(encoding="utf-8"), modes(tmp_path)) == ("Łódź", {"all.yaml": 0o600})
    place.chmod(0o644)
    with pytest.raises(TypeError), private_text(place) as out:
        out.writelines(["x", 1])  # type: ignore[list-item]
    assert (place.read_text(encoding="utf-8"), modes(tmp_path)) == ("Łódź", {"all.yaml": 0o644})
    with private_text(place) as out:
        out.write("new")
    assert (place.read_text(encoding="utf-8"), modes(tmp_path)) == ("new", {"all.yaml": 0o644})
    link = tmp_path / "link"
    link.symlink_to(place)
    with private_text(link) as out:
        out.write("by the link")
    assert place.read_text(encoding="utf-8") == "by the link"
    assert link.is_symlink()


def test_only_one_of_two_makes_a_file(tmp_path: Path) -> None:
    place = tmp_path / "x"
    make_private(place)
    place.write_text("kept")
    make_private(place)
    assert place.read_text() == "kept"


def test_a_database_behind_a_link_is_private_too(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    link = tmp_path / "fsctl.db"
    link.symlink_to("disk/fsctl.db")
    engine = make_engine(f"sqlite:///{link}")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE a (b)")
        assert set(modes(disk).values()) == {0o600}
    engine.dispose()
    assert link.is_symlink()
