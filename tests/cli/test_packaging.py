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
UNITS = ["fsctl.service", "fsctl-upgrade.service", "fsctl-upgrade.timer"]
SERVICES = [name for name in UNITS if name.endswith(".service")]
EXPOSURE = 2.0
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
    # systemd adds up what is said twice.
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string((PACKAGING / name).read_text(encoding="ascii"))
    if name.endswith(".service"):
        program, *words = shlex.split(unit["Service"]["ExecStart"])
        assert program == "/usr/bin/env"
        assert_is_a_command(words)
        if unit["Service"]["Type"] == "oneshot":
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


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd here")
@pytest.mark.parametrize("name", SERVICES)
def test_a_service_may_do_little(name: str) -> None:
    result = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(PACKAGING / name)],
        capture_output=True,
        text=True,
        check=False,
    )
    if "Unknown" in result.stderr or "unrecognized" in result.stderr:
        pytest.skip("this systemd cannot judge a unit that is not installed")
    level = re.search(r"Overall exposure level for \S+: ([0-9.]+)", result.stdout)
    assert level is not None, result.stdout + result.stderr
    assert float(level[1]) < EXPOSURE
