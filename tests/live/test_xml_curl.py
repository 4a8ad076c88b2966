"""A real FreeSWITCH asks ``fsctl serve`` for its dialplan, call by call."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import gevent
import pytest
from sqlalchemy import Engine

from fsctl.admin.groups import add_group
from fsctl.admin.members import add_member
from fsctl.admin.numbers import add_numbers
from fsctl.store.engine import make_engine
from tests.databases import make_tables
from tests.live.rig import FreeSwitchRig
from tests.scenarios.controllers import ServedController
from tests.scenarios.rig import Script

pytestmark = pytest.mark.live
NOBODY = "127.0.0.1:1"
"""What the dialplan in files is told to hand calls to: they go on to its fallback."""


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    url = f"sqlite:///{tmp_path / 'fsctl.db'}"
    make_tables(url)
    return make_engine(url)


@pytest.fixture
def served(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ServedController]:
    monkeypatch.setenv("FSCTL_DIALPLAN_LISTEN", "127.0.0.1:0")
    monkeypatch.setenv("FSCTL_SPOOL", str(tmp_path / "spool"))
    controller = ServedController(engine.url.render_as_string(hide_password=False))
    yield controller
    controller.stop()


def place(served: ServedController) -> str:
    assert served.process.stdout
    for line in served.process.stdout:
        if found := re.match("mod_xml_curl asks (.*)", line):
            return found[1]
    raise AssertionError("it says not where the dialplan is")


@contextmanager
def asking(rig: FreeSwitchRig, url: str) -> Iterator[None]:
    """Have FreeSWITCH ask there while it lasts."""
    file = rig.switch.directory / "freeswitch.xml"
    before = file.read_text()
    binding = (
        '<configuration name="xml_curl.conf"><bindings><binding name="fsctl">'
        f'<param name="gateway-url" value="{url}" bindings="dialplan"/>'
        '<param name="timeout" value="2"/></binding></bindings></configuration>\n'
    )
    first = '<section name="configuration">\n'
    assert first in before
    try:
        file.write_text(before.replace(first, first + binding))
        rig.switch.api("reloadxml")
        assert rig.switch.api("load mod_xml_curl").startswith("+OK")
        yield
    finally:
        rig.switch.api("unload mod_xml_curl")
        file.write_text(before)
        rig.switch.api("reloadxml")


def found(url: str, number: str) -> bool:
    """Ask as the switch would, whether a call to a number is ours."""
    address, _, path = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(address, timeout=5)
    try:
        connection.request("POST", f"/{path}", f"section=dialplan&Hunt-Destination-Number={number}")
        return b"socket_resume" in connection.getresponse().read()
    finally:
        connection.close()


def make_group(engine: Engine, number: str) -> None:
    add_group(engine, f"group {number}", wait=5.0)
    add_numbers(engine, f"group {number}", [number], "PL")
    add_member(engine, f"group {number}", "test002")


def test_a_new_number_needs_no_edit(
    rig: FreeSwitchRig, engine: Engine, served: ServedController
) -> None:
    url = place(served)
    with asking(rig, url):
        rig.phone("test002", Script(answer_after=0.0))
        rig.dial("4000", who="before", controllers=NOBODY)
        rig.log.wait("before", "fallback")  # no group has it: FreeSWITCH's own files go on
        make_group(engine, "4000")
        with gevent.Timeout(5, AssertionError("the number is not in force")):
            while "4000" not in rig.switch.api("xml_locate dialplan") or not found(url, "4000"):
                gevent.sleep(0.05)
        call = rig.dial("4000", who="after", controllers=NOBODY)
        rig.log.wait("after", "answered")
        assert call.hears("test002")


def test_without_a_controller_the_members_ring_still(
    rig: FreeSwitchRig, engine: Engine, served: ServedController
) -> None:
    """As ``fsctl dialplan`` prints it: the list of controllers, then FreeSWITCH's own means."""
    make_group(engine, "4001")
    with asking(rig, place(served) + f"?controllers={NOBODY},127.0.0.1:2"):
        rig.phone("test002", Script(answer_after=0.0))
        call = rig.dial("4001", controllers=NOBODY)
        rig.log.wait("caller", "answered")
        assert call.hears("test002")


def test_without_an_answer_the_files_count(
    rig: FreeSwitchRig, engine: Engine, served: ServedController
) -> None:
    make_group(engine, "4002")
    with asking(rig, place(served)):
        served.stop()
        rig.dial("4002", controllers=NOBODY)
        rig.log.wait("caller", "fallback")
