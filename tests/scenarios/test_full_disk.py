"""The disk of the database and of the spool is full: calls go on, and records are not lost."""

from __future__ import annotations

from pathlib import Path

import gevent
from click.testing import CliRunner

from fsctl.admin.groups import add_group
from fsctl.admin.members import add_member
from fsctl.admin.numbers import add_numbers
from fsctl.cli.main import root
from fsctl.store.engine import make_engine
from tests.databases import make_tables
from tests.scenarios.controllers import ServedController
from tests.scenarios.rig import Call, Rig, Script
from tests.scenarios.test_records import record
from tests.small_disk import SmallDisk, small_disk

NUMBER = "2999"


def test_calls_go_on_while_the_disk_is_full(
    rig: Rig, small_disk: SmallDisk, tmp_path: Path
) -> None:
    url = f"sqlite:///{small_disk.place}/fsctl.db"
    make_tables(url)
    engine = make_engine(url)
    add_group(engine, "sales")
    add_numbers(engine, "sales", [NUMBER], "PL")
    add_member(engine, "sales", "test002")
    engine.dispose()
    rig.phone("test002", Script(answer_after=0.1))
    with (tmp_path / "log").open("w") as log:
        controller = ServedController(url, log=log, spool=f"{small_disk.place}/spool")
    try:
        before = called(rig, controller, 1)
        assert record(url, before.uuid)["answered_by"] == "test002"
        small_disk.fill()
        during = [called(rig, controller, number) for number in (2, 3)]
        done = CliRunner().invoke(
            root, ["--database-url", url, "group", "set", "sales", "--wait=9"]
        )
        assert done.exit_code == 1
        assert f"the file system {small_disk.place} has 0.0 of 2.1 MB free" in done.output
        said = wait_for_line(tmp_path / "log", "records of calls cannot be kept in")
        assert f"the file system {small_disk.place} has 0.0 of 2.1 MB free" in said
        small_disk.make_room()
        for call in during:
            assert record(url, call.uuid)["answered_by"] == "test002"
    finally:
        controller.stop()


def wait_for_line(log: Path, what: str) -> str:
    """Return the first line of a log that says this, as soon as it does."""
    for _ in range(200):
        lines = [line for line in log.read_text().splitlines(keepends=True) if what in line]
        if lines and lines[0].endswith("\n"):
            return lines[0]
        gevent.sleep(0.05)
    raise AssertionError(f"no line with {what!r} within 10 s")


def called(rig: Rig, controller: ServedController, number: int) -> Call:
    """Call the group for this time, talk to its member and hang up."""
    call = rig.dial(NUMBER, who=f"caller {number}", controllers=controller.address)
    rig.log.wait(call.who, "answered")
    assert call.hears("test002")
    call.hang_up()
    rig.log.wait("test002", "bye", count=number)
    return call


__all__ = ["small_disk"]
