"""How the dialplan calls ``socket``: what would cost a caller is told before anybody calls."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doctor.healthy import EXTENSION, Installation, installed


@pytest.fixture
def well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    with installed(tmp_path, monkeypatch) as installation:
        yield installation


@pytest.mark.parametrize(
    ("flags", "lacks"), [("", "async and full"), (" full", "async"), (" ASYNC", "full")]
)
def test_a_socket_that_lacks_a_flag(well: Installation, flags: str, lacks: str) -> None:
    address = well.controller.address
    well.route(EXTENSION.format(address).replace(" async full", flags))
    code, found = well.check()
    [fault] = [one for one in found if one["state"] == "fault"]
    assert code == 1
    what = f'extension "fsctl" of context "default" calls socket without {lacks}'
    assert fault["what"].startswith(what)
    assert fault["do"] == f'write data="{address} async full"'


def test_a_socket_without_socket_resume(well: Installation) -> None:
    well.route(EXTENSION.format(well.controller.address).replace("socket_resume", "other"))
    code, found = well.check()
    assert code == 0
    [warning] = found
    assert "does not set socket_resume before socket" in warning["what"]
    assert "socket_resume=true" in warning["do"]
