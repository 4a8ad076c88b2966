"""What ``packaging/`` ships says only what cron and systemd understand, and runs what there is."""

import configparser
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest
import yaml

from fsctl import __version__
from fsctl.cli.main import root
from fsctl.settings import SETTINGS

PACKAGING = Path(__file__).parents[2] / "packaging"
UNITS = sorted(path.name for kind in ("service", "timer") for path in PACKAGING.glob(f"*.{kind}"))
SERVICES = [name for name in UNITS if name.endswith(".service")]
EXPOSURE = 2.0
SHELLS = ("bash", "zsh", "fish")
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
    for text in (PACKAGING / "fsctl.cron.d").read_text(encoding="ascii").splitlines():
        # What an administrator may switch on is to work too.
        line = re.sub(r"^#(?=[0-9*])", "", text)
        if not line or line.startswith("#") or re.fullmatch(r"[A-Z]+=\S+", line):
            continue
        *fields, user, command = line.split(maxsplit=6)
        assert all(FIELD.fullmatch(field) for field in fields)
        assert user == "fsctl"
        assert "%" not in command  # cron would end the line there
        unless_systemd, _, ours = command.partition(" || ")
        assert unless_systemd == "test -d /run/systemd/system"
        assert_is_a_command(shlex.split(ours))
        jobs += 1
    assert jobs == 3


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_of_systemd(name: str) -> None:
    # systemd adds up what is said twice.
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    text = (PACKAGING / name).read_text(encoding="ascii")
    unit.read_string(text)
    if name.endswith(".service"):
        given = dict(one.split("=", 1) for one in unit["Service"].get("Environment", "").split())
        commands = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
        assert commands
        for command in commands:
            program, *words = shlex.split(command)
            assert program == "/usr/bin/env"
            assert_is_a_command(
                [re.sub(r"\$\{(\w+)\}", lambda it: given[it[1]], word) for word in words]
            )
        if words[1:] == ["db", "upgrade"]:
            assert unit["Service"]["SuccessExitStatus"] == "75"
    else:
        assert (PACKAGING / name).with_suffix(".service").exists()
        assert unit["Install"]["WantedBy"] == "timers.target"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_its_share_of_the_machine(name: str) -> None:
    text = (PACKAGING / name).read_text(encoding="ascii")
    assert re.search(r"^MemoryMax=[1-9]G$", text, re.MULTILINE)
    assert re.search(r"^TasksMax=[1-9][0-9]+$", text, re.MULTILINE)


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


def test_the_settings_that_are_installed_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """As they are, and with every line that an administrator may switch on."""
    text = (PACKAGING / "fsctl.toml").read_text(encoding="ascii")
    every = re.sub(r"^#(?=\w+ = )", "", text, flags=re.MULTILINE)
    known = {row.name: row for row in SETTINGS}
    read = {name: known[name].read(value) for name, value in tomllib.loads(every).items()}
    assert {"database_url", "spool", "listen", "allow"} <= set(read)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_completes_commands(shell: str) -> None:
    """Asked as the script that is installed for the shell asks (``make completion``)."""
    typed = {"COMP_WORDS": "fsctl group ho", "COMP_CWORD": "ho" if shell == "fish" else "2"}
    result = subprocess.run(
        [sys.executable, "-m", "fsctl"],
        env={**os.environ, **typed, "_FSCTL_COMPLETE": f"{shell}_complete"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "holidays" in result.stdout
    script = subprocess.run(
        [sys.executable, "-m", "fsctl"],
        env={**os.environ, "_FSCTL_COMPLETE": f"{shell}_source"},
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    assert f"_FSCTL_COMPLETE={shell}_complete" in script


def test_what_composes_the_containers() -> None:
    """Each runs a command that there is, and is told settings that there are."""
    composed = yaml.safe_load((PACKAGING.parent / "compose.yaml").read_text(encoding="utf-8"))
    ours = {name: one for name, one in composed["services"].items() if one["image"] == "fsctl"}
    assert set(ours) == {"upgrade", "serve", "web"}
    variables = {row.variable for row in SETTINGS}
    for one in ours.values():
        assert_is_a_command(["fsctl", *one["command"]])
        assert set(one["environment"]) <= variables
        assert set(one.get("depends_on", {})) < set(composed["services"])


def test_it_has_one_version() -> None:
    setup = (PACKAGING.parent / "setup.cfg").read_text(encoding="ascii")
    assert f"\nversion = {__version__}\n" in setup


@pytest.mark.parametrize(
    "name", ["program", "use", "wheel-test", "image-test", "deb/build", "deb/test", "deb/booted"]
)
def test_a_script_can_be_read_by_every_shell(name: str) -> None:
    script = PACKAGING / name
    assert os.access(script, os.X_OK)
    subprocess.run(["sh", "-n", str(script)], check=True)
