"""A dialplan whose ``socket`` has other flags than ``async full`` loses no caller."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.conftest import MakeGroup
from tests.scenarios.controllers import ServedController
from tests.scenarios.rig import Rig, Script


@pytest.fixture(scope="module")
def logged(
    database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[ServedController, Path]]:
    """Return a controller, and the file of its log."""
    file = tmp_path_factory.mktemp("flags") / "log"
    with file.open("w") as log:
        controller = ServedController(database_url, log=log)
        yield controller, file
        controller.stop()


@pytest.mark.parametrize("resumes", [True, False], ids=["socket_resume", "nothing"])
@pytest.mark.parametrize(
    ("flags", "lacks"), [("", "async and full"), ("async", "full"), ("full", "async")]
)
def test_the_caller_reaches_the_fallback_and_the_log_says_what_to_write(
    rig: Rig,
    group: MakeGroup,
    logged: tuple[ServedController, Path],
    flags: str,
    lacks: str,
    resumes: bool,
) -> None:
    controller, log = logged
    rig.phone("test002", Script(answer_after=0.1))
    number = group(["test002"])
    call = rig.dial(number, flags=flags, resumes=resumes, controllers=controller.address)
    rig.log.wait("caller", "fallback", timeout=3.0)
    rig.log.absent("test002", "invite")
    lines = log.read_text().splitlines()
    [said] = [line for line in lines if call.uuid in line or "WARNING" in line]
    assert f"calls socket without {lacks}" in said
    assert f'data="{controller.address} async full"' in said
