"""What ``packaging/`` ships says only what cron and systemd understand, and runs what there is."""

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from fsctl.cli.main import root

PACKAGING = Path(__file__).parents[2] / "packaging"
UNITS = ["fsctl-upgrade.service", "fsctl-upgrade.timer"]
FIELD = re.compile(r"(\*|[0-9]+(-[0-9]+)?)(/[0-9]+)?(,[0-9]+)*")


def assert_is_a_command(words: list[str]) -> None:
    """Let click find the command and take its arguments, without running it."""
    assert words[0] == "fsctl"
    command: click.Command = root
    rest = words[1:]
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), rest[0])
        assert found is not None, rest[0]
        command, rest = found, rest[1:]
    command.make_context("fsctl", rest, resilient_parsing=False)


def test_the_cron_file() -> None:
    jobs = 0
    for line in (PACKAGING / "fsctl.cron.d").read_text(encoding="ascii").splitlines():
        if not line or line.startswith("#") or re.fullmatch(r"[A-Z]+=\S+", line):
            continue
        *fields, user, command = line.split(maxsplit=6)
        assert all(FIELD.fullmatch(field) for field in fields)
        assert user == "fsctl"
        assert "%" not in command  # cron would end the line there
        assert_is_a_command(shlex.split(command))
        jobs += 1
    assert jobs == 1


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_of_systemd(name: str) -> None:
    unit = configparser.ConfigParser(interpolation=None, strict=True)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string((PACKAGING / name).read_text(encoding="ascii"))
    if name.endswith(".service"):
        program, *words = shlex.split(unit["Service"]["ExecStart"])
        assert program == "/usr/bin/env"
        assert_is_a_command(words)
        assert unit["Service"]["SuccessExitStatus"] == "75"
    else:
        assert (PACKAGING / name).with_suffix(".service").exists()
        assert unit["Install"]["WantedBy"] == "timers.target"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd here")
def test_systemd_has_nothing_to_say_against_them() -> None:
    units = [str(PACKAGING / name) for name in UNITS]
    result = subprocess.run(
        ["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
