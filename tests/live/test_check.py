"""``fsctl check`` asks a real FreeSWITCH: faults are planted in it one after another."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fsctl.esl.address import SwitchAddress
from fsctl.settings_values import show_switches
from tests.doctor.healthy import MEMBERS, Installation, installed
from tests.live.rig import FreeSwitchRig

pytestmark = pytest.mark.live
Spoil = Callable[[FreeSwitchRig], None]


@pytest.fixture
def well(
    rig: FreeSwitchRig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Installation]:
    for name in MEMBERS:
        rig.phone(name)
    with installed(tmp_path, monkeypatch) as installation:
        installation.environment["FSCTL_ESL_URL"] = url(rig)
        yield installation


def url(rig: FreeSwitchRig) -> str:
    port, password = rig.switch.ports.event_socket, rig.switch.password
    return show_switches((SwitchAddress("127.0.0.1", port, password),))


@contextmanager
def dialplan(rig: FreeSwitchRig, old: str, new: str) -> Iterator[None]:
    """Write another dialplan while it lasts."""
    file = rig.switch.directory / "freeswitch.xml"
    before = file.read_text()
    assert old in before
    try:
        file.write_text(before.replace(old, new))
        rig.switch.api("reloadxml")
        yield
    finally:
        file.write_text(before)
        rig.switch.api("reloadxml")


def faults(well: Installation) -> list[str]:
    return [one["what"] for one in well.check()[1] if one["state"] == "fault"]


def test_all_is_well(well: Installation) -> None:
    assert well.check() == (0, [])


def test_a_module_is_missing(well: Installation, rig: FreeSwitchRig) -> None:
    rig.switch.api("unload mod_hash")
    try:
        assert faults(well) == ["mod_hash is not loaded"]
    finally:
        rig.switch.api("load mod_hash")
    assert faults(well) == []


def test_nobody_is_registered(well: Installation, rig: FreeSwitchRig) -> None:
    rig.phone("test006", phones=0)
    assert faults(well) == []
    for name in MEMBERS:
        rig.phone(name, phones=0)
    [what] = faults(well)
    assert what.endswith("are not registered: nobody of it can ring")


def test_a_member_is_no_user(well: Installation, rig: FreeSwitchRig) -> None:
    with dialplan(rig, '<user id="test007">', '<user id="other">'):
        [what] = faults(well)
    assert what.startswith(f"test007@{rig.domain} of group")


def test_the_dialplan_leads_elsewhere(well: Installation, rig: FreeSwitchRig) -> None:
    with dialplan(rig, "${sip_h_X-Controllers}", "127.0.0.1:1"):
        found = faults(well)
    assert len(found) == 2
    assert found[0].endswith("hands 600 to 127.0.0.1:1, where we do not listen")


def test_the_dialplan_leads_nowhere(well: Installation, rig: FreeSwitchRig) -> None:
    with dialplan(rig, "^(.+)$", "^9(.+)$"):
        found = faults(well)
    assert len(found) == 2
    assert found[0] == "no extension of its dialplan hands 600 to a controller"


def test_a_wrong_password(well: Installation, rig: FreeSwitchRig) -> None:
    well.environment["FSCTL_ESL_URL"] = url(rig).replace(rig.switch.password, "other")
    [what] = faults(well)
    assert what.endswith("refuses the password")
