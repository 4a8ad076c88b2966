"""``fsctl live``: the calls that hunt, as controllers have told them."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from fsctl.store.engine import make_engine, writing
from fsctl.store.live import LiveHunt, LiveLeg, write_live
from tests.cli.conftest import Run

CLI = Path(__file__).parents[2] / "cli.py"
LEGS = (LiveLeg("test002", 0.0, 3.0, "busy"), LiveLeg("test006", 3.0, None, "rings"))


def hunt(began: float) -> LiveHunt:
    name = "[red]Kowal[/red]"
    return LiveHunt("u1", "a.example", "sales", "600", "+48601234567", name, began, 30.0, LEGS)


@pytest.fixture
def told(example: Run, database_url: str) -> float:
    """When a controller said that one call hunts."""
    began = time.time() - 5
    with writing(make_engine(database_url)) as session:
        write_live(session, "pbx1/7", [], [hunt(began)], round(time.time() * 1000))
    return began


def test_nobody_tells_of_calls(example: Run) -> None:
    lines = example("live").output.splitlines()
    assert lines[0].strip() == "0 calls \N{MIDDLE DOT} 0 controllers"
    assert "fsctl serve" in lines[1]


@pytest.mark.usefixtures("told")
def test_what_a_person_sees(example: Run) -> None:
    said = example("live", "--once").output
    assert "1 call \N{MIDDLE DOT} 1 controller" in said
    assert "sales (a.example)" in said
    assert '+48601234567 "[red]Kowal[/red]"' in said
    assert "5 s of 30 s" in said or "6 s of 30 s" in said
    assert "test002 busy after 3 s" in said
    assert "test006 rings " in said
    assert "0 calls" in example("live", "--domain", "b.example").output


def test_who_stands_in_line(example: Run, database_url: str) -> None:
    standing = replace(hunt(time.time()), legs=(), position=2)
    with writing(make_engine(database_url)) as session:
        write_live(session, "pbx1/7", [], [standing], round(time.time() * 1000))
    assert "number 2 in line" in example("live", "--once").output
    assert json.loads(example("live", "--json").output)["calls"][0]["position"] == 2


def test_what_a_program_reads(example: Run, told: float) -> None:
    found = json.loads(example("live", "--json", "--mask").output)
    assert found["controllers"] == ["pbx1/7"]
    [call] = found["calls"]
    assert (call["uuid"], call["number"], call["wait_seconds"]) == ("u1", "600", 30.0)
    assert (call["caller_number"], call["caller_name"]) == ("+4860123****", "***")
    assert call["waited_seconds"] >= 5
    assert [leg["state"] for leg in call["legs"]] == ["busy", "rings"]


@pytest.mark.usefixtures("told")
def test_in_a_terminal_it_goes_on_until_it_is_interrupted(database_url: str) -> None:
    terminal, side = pty.openpty()
    environment = {**os.environ, "FSCTL_DATABASE_URL": database_url, "TERM": "xterm"}
    words = [sys.executable, str(CLI), "live"]
    process = subprocess.Popen(words, stdin=side, stdout=side, stderr=side, env=environment)
    try:
        said = ""
        while said.count("test006 rings") < 2:  # drawn, and drawn again
            said += os.read(terminal, 65536).decode(errors="replace")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 0
    finally:
        process.kill()
        process.wait()
        os.close(side)
        os.close(terminal)
