"""The command line as a program of its own: streams, signals, what gets imported."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from fsctl.store.engine import make_engine

CLI = Path(__file__).parents[2] / "cli.py"


def run(*args: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, CLI, *args],
        capture_output=True,
        check=False,
        encoding="utf-8",
        env={**os.environ, **environ},
        timeout=60,
    )


def test_from_nothing_to_a_group() -> None:
    assert run("group", "list").stderr == (
        "Error: there is no database fsctl.db yet; run: fsctl db upgrade\n"
    )
    assert run("db", "upgrade").returncode == 0
    assert run("db", "upgrade").stdout == ""
    assert run("group", "add", "Łódź").returncode == 0
    refused = run("group", "add", "łódź")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == 'Error: there is a group "Łódź" already\n'
    [group] = json.loads(run("group", "list", "--json").stdout)
    assert group["name"] == "Łódź"


def test_a_terminal_without_polish_letters_is_no_error(sqlite_url: str, tables: None) -> None:
    run("group", "add", "Łódź")
    environ = {**os.environ, "PYTHONIOENCODING": "iso8859-1"}
    shown = subprocess.check_output([sys.executable, CLI, "group", "list"], env=environ)
    assert b"\\u0141\xf3d\\u017a" in shown


def test_arguments_that_are_not_text_are_one_line(sqlite_url: str, tables: None) -> None:
    result = subprocess.run(
        [sys.executable, CLI, "group", "add", b"a\xff\n\x1b[31m"], capture_output=True, check=False
    )
    assert result.returncode == 2
    [line] = result.stderr.decode("ascii").splitlines()
    assert line.isprintable()


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    result = subprocess.run(
        [sys.executable, CLI, "config"], stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert result.stderr == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [sys.executable, CLI, "config"], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert result.returncode == 1
    assert result.stderr == b"Error: /dev/full: No space left on device\n"


@pytest.mark.postgresql
def test_an_interrupt_is_no_traceback(postgresql_url: str, tables: None) -> None:
    engine = make_engine(postgresql_url)
    with engine.begin() as connection:
        connection.execute(text("LOCK TABLE hunt_group"))
        process = subprocess.Popen(
            # Shells have what they start in the background ignore it, and so its children.
            ["env", "--default-signal=INT", sys.executable, CLI, "group", "list"],
            env={**os.environ, "FSCTL_DATABASE_URL": postgresql_url},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        wait_for_lock = text(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'relation'"
        )
        while not connection.scalar(wait_for_lock):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert stderr.strip() == b""


def test_changing_a_group_does_not_load_what_carries_calls() -> None:
    code = (
        "import sys\n"
        "from fsctl.cli.main import root\n"
        "try:\n"
        "    root(['group', 'list'])\n"
        "except SystemExit:\n"
        "    pass\n"
        "assert 'sqlalchemy' in sys.modules\n"
        "print([name for name in ('gevent', 'greenswitch', 'alembic') if name in sys.modules])\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True
    )
    assert result.stdout == "[]\n"
