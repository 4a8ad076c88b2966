"""``fsctl call`` through a real FreeSWITCH: the controller hunts, our telephones ring."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fsctl.cli.main import root
from tests.doctor.healthy import Installation, installed
from tests.live.rig import FreeSwitchRig
from tests.live.test_check import dialplan, url
from tests.scenarios.rig import Script

pytestmark = pytest.mark.live
Call = Callable[..., Result]


@pytest.fixture
def well(
    rig: FreeSwitchRig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Installation]:
    for name in [name for name in os.environ if name.startswith("FSCTL_")]:
        monkeypatch.delenv(name)
    with installed(tmp_path, monkeypatch) as installation:
        installation.environment["FSCTL_ESL_URL"] = url(rig)
        yield installation


@pytest.fixture
def call(well: Installation, rig: FreeSwitchRig) -> Iterator[Call]:
    def place(*words: str) -> Result:
        environment: dict[str, str | None] = dict(well.environment)
        return CliRunner().invoke(root, ["call", *words, "--context", "rig"], env=environment)

    with dialplan(rig, "${sip_h_X-Controllers}", well.controller.address):
        yield place


def told(done: Result) -> list[str]:
    return [
        " ".join(line.split()[2:])
        for line in done.stdout.splitlines()
        if line[:10].rstrip().endswith(" s")
    ]


def test_somebody_answers(call: Call, rig: FreeSwitchRig, well: Installation) -> None:
    rig.phone("test002", Script(answer_after=0.2))
    done = call("600", "--from", "+48500600700")
    assert done.exit_code == 0, done.output
    assert "test002 picks up" in told(done)
    assert "caller is connected" in told(done)
    assert rig.log.wait("test002", "invite").detail["number"] == "+48500600700"
    last = done.stdout.splitlines()[-1]
    assert last == f"The call was handed to {well.controller.address} and was answered."
    assert rig.channels() == []


def test_everybody_refuses(call: Call, rig: FreeSwitchRig) -> None:
    for name in ("test002", "test006", "test007"):
        rig.phone(name, Script(refuse=486))
    done = call("600")
    assert done.exit_code == 1
    for name in ("test002", "test006", "test007"):
        assert f"{name} is busy with USER_BUSY" in told(done)
    assert done.stdout.splitlines()[-1].endswith("ended without an answer: USER_BUSY.")


def test_the_dialplan_does_not_know_us(call: Call, rig: FreeSwitchRig) -> None:
    with dialplan(rig, "^(.+)$", "^9(.+)$"):
        done = call("600")
    assert done.exit_code == 1
    assert "handed the call to no controller" in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (["601"], 1, "no group serves 601; see: fsctl group list"),
        (["600", "--esl-url", "esl://:x@127.0.0.1:1"], 1, "Connection refused"),
        (["600", "--esl-url", "x"], 2, "write esl://"),
    ],
)
def test_mistakes(call: Call, words: list[str], code: int, error: str) -> None:
    done = call(*words)
    assert done.exit_code == code
    assert done.stderr.count("\n") == 1
    assert error in done.stderr


def test_the_printed_dialplan_rings_without_a_controller(
    well: Installation, rig: FreeSwitchRig
) -> None:
    """What ``fsctl dialplan`` prints goes into the switch as it is; nobody listens."""
    well.controller.stop()
    rig.phone("test002")
    rig.phone("test007", Script(answer_after=0.2))
    environment: dict[str, str | None] = dict(well.environment)
    printed = CliRunner().invoke(root, ["dialplan"], env=environment).stdout
    with dialplan(rig, '<context name="rig">', f'<context name="rig">{printed}'):
        call = rig.dial("48587624731")
        rig.log.wait("test002", "invite")
        rig.log.wait("caller", "answered")
        assert call.hears("test007")
