"""``simulate``, ``demo`` and ``serve``: the commands that play or take calls."""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from fsctl.admin.example import add_example
from fsctl.cli.board import Board
from fsctl.cli.drawing import timeline
from fsctl.cli.main import root
from fsctl.hunt.ledger import Leg
from fsctl.store.call_records import Version
from fsctl.store.call_writing import write_calls
from fsctl.store.engine import make_engine
from tests.databases import make_tables
from tests.records.samples import call

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An environment whose database has the example group."""
    url = f"sqlite:///{tmp_path / 'fsctl.db'}"
    make_tables(url)
    add_example(make_engine(url))
    made = {"FSCTL_DATABASE_URL": url, "FSCTL_LISTEN": "127.0.0.1:0", "PYTHONUNBUFFERED": "1"}
    for name, value in made.items():
        monkeypatch.setenv(name, value)
    return {**os.environ, **made}


def fsctl(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command as its own process."""
    return subprocess.run(
        [sys.executable, str(ROOT / "cli.py"), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def simulate(environment: dict[str, str]) -> Callable[..., Result]:
    return lambda *arguments: CliRunner().invoke(root, ["simulate", "sales", *arguments])


@pytest.fixture
def simulated(simulate: Callable[..., Result]) -> Callable[..., dict[str, Any]]:
    def run(*arguments: str) -> dict[str, Any]:
        done = simulate("--json", *arguments)
        assert (done.exit_code, done.stderr) == (0, "")
        return orjson.loads(done.stdout)

    return run


def test_simulate_says_who_rings_when(simulated: Callable[..., dict[str, Any]]) -> None:
    call = simulated()
    legs = [(leg["member"], leg["started"], leg["ended"], leg["outcome"]) for leg in call["legs"]]
    assert legs == [
        ("test002", 0.0, 30.0, "no answer"),
        ("test006", 6.0, 30.0, "no answer"),
        ("test007", 10.0, 30.0, "no answer"),
    ]
    assert (call["winner"], call["cause"], call["ended"]) == (None, "NO_ANSWER", 30.0)


@pytest.mark.parametrize(
    ("arguments", "winner", "cause", "ended"),
    [
        (["--answer", "test006@7"], "test006", None, 7.0),
        (["--answer", "test007@7"], None, "NO_ANSWER", 30.0),
        (["--busy", "test002", "--answer", "test006@2,5"], "test006", None, 2.5),
        (["--busy", "test002", "--busy", "test006", "--busy", "test007"], None, "USER_BUSY", 0.0),
        (["--hang-up", "4.5"], None, "ORIGINATOR_CANCEL", 4.5),
        (["--from", "test002", "--answer", "test006@7"], "test006", None, 7.0),
    ],
)
def test_simulate_says_how_a_call_would_end(
    simulated: Callable[..., dict[str, Any]],
    arguments: list[str],
    winner: str | None,
    cause: str | None,
    ended: float,
) -> None:
    call = simulated(*arguments)
    assert (call["winner"], call["cause"], call["ended"]) == (winner, cause, ended)


def test_simulate_draws(simulate: Callable[..., Result]) -> None:
    done = simulate("--answer", "test006@7")
    assert done.stdout.splitlines()[-1] == "test006 has the caller after 7 s."
    assert "test006              ==*" in done.stdout


def test_simulate_a_group_that_rings_nobody(
    simulate: Callable[..., Result], simulated: Callable[..., dict[str, Any]]
) -> None:
    CliRunner().invoke(root, ["group", "disable", "sales"])
    assert simulate().stdout == (
        "Nobody rings: the group is disabled.\n"
        "The caller is released at once with DESTINATION_OUT_OF_ORDER.\n"
    )
    assert simulated()["refused"] == "the group is disabled"


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (["--busy", "test009"], 1, "test009 is not a member of sales"),
        (["--answer", "test006"], 2, "write USER@SECONDS"),
        (["--answer", "test006@soon"], 2, "soon"),
        (["--hang-up", "-1"], 2, "-1"),
    ],
)
def test_simulate_mistakes(
    simulate: Callable[..., Result], arguments: list[str], code: int, error: str
) -> None:
    done = simulate(*arguments)
    assert done.exit_code == code
    assert done.stdout == ""
    assert error in done.stderr
    assert done.stderr.count("\n") == 1


def test_demo_plays_a_call(environment: dict[str, str]) -> None:
    done = fsctl(environment, "demo", "--busy", "test002", "--answer", "test006@0.5")
    assert (done.returncode, done.stderr) == (0, "")
    told = [line.split(maxsplit=3)[2:] for line in done.stdout.splitlines() if " s  " in line[:10]]
    assert told == [
        ["caller", "calls"],
        ["caller", "hears ringing"],
        ["test002", "rings"],
        ["test002", "is busy with 486"],
        ["test006", "rings"],
        ["test006", "picks up"],
        ["caller", "is connected"],
        ["caller", "hangs up"],
        ["test006", "hung up"],
    ]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_board_grows_in_a_terminal() -> None:
    out = Terminal()
    board = Board(["anna", "bo"], 30.0, out)
    board.saw(0.0, "anna", "invite", {})
    board.draw(5.0)
    first = out.getvalue()
    assert "anna    ==========\x1b" not in first
    assert "anna    ========== " in first
    board.saw(10.0, "anna", "cancel", {"reason": 'SIP;cause=200;text="Call completed elsewhere"'})
    board.finish(20.0)
    last = out.getvalue().removeprefix(first)
    assert last.startswith("\x1b[5A\x1b[2K")
    assert "anna    ====================" in last
    assert "stopped: call completed elsewhere at 10.0 s" in last


def test_a_leg_shorter_than_a_column_is_still_drawn() -> None:
    leg = Leg(1, "anna", 10.0, 30.0, ended=10.0, cause="USER_BUSY")
    line = list(timeline([leg], 30.0, 30.0))[1]
    assert line == f"anna  {' ' * 20}|{' ' * 40}  from 10 s: busy"


@pytest.fixture
def served(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "cli.py"), "serve"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_says_where_and_what_to_paste_and_stops_cleanly(
    served: subprocess.Popen[str], number: signal.Signals
) -> None:
    assert served.stdout
    lines = []
    while not lines or lines[-1] != "</extension>\n":
        lines.append(served.stdout.readline())
    assert lines[0].startswith("fsctl listens on 127.0.0.1:")
    address = lines[0].split()[3].rstrip(".")
    assert f'<action application="socket" data="{address} async full"/>' in "".join(lines)
    assert r'expression="^(?:600|(?:\+|00)?48587624731)$"' in "".join(lines)
    served.send_signal(number)
    rest, errors = served.communicate(timeout=10)
    assert rest.strip().endswith("fsctl has stopped.")
    assert served.returncode == 0
    assert "Traceback" not in errors


def test_serve_when_the_port_is_taken(environment: dict[str, str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        done = fsctl(environment, "serve", "--listen", taken)
    assert done.returncode == 1
    assert done.stderr == (
        f"Error: cannot listen on {taken}: Address already in use; give another with --listen\n"
    )


def test_serve_without_tables_says_what_to_run(environment: dict[str, str], tmp_path: Path) -> None:
    done = fsctl({**environment, "FSCTL_DATABASE_URL": f"sqlite:///{tmp_path / 'no.db'}"}, "serve")
    assert done.returncode == 1
    assert "fsctl db upgrade" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_simulation_looks_at_real_past_calls(
    example: Callable[..., Result], database_url: str
) -> None:
    def rings(*args: str) -> list[str]:
        shown = example("simulate", "sales", "--json", *args)
        return [leg["member"] for leg in orjson.loads(shown.stdout)["legs"]]

    assert example("group", "set", "sales", "--strategy", "round-robin").exit_code == 0
    assert example("group", "set", "sales", "--wait", "60").exit_code == 0
    assert rings() == ["test002", "test006", "test007"]
    engine = make_engine(database_url)
    record = call(1, group="sales", answered_by="test002")
    write_calls(engine, [Version(1, record)])
    engine.dispose()
    assert rings() == ["test006", "test007", "test002"]
    example("group", "set", "sales", "--strategy", "random")
    drawn = {tuple(rings("--seed", str(seed))) for seed in range(20)}
    assert len(drawn) > 1
    assert rings("--seed", "7") == rings("--seed", "7")
