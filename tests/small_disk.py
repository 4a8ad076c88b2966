"""A file system of two megabytes, which a test may fill."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


class SmallDisk:
    """``place`` is where it is mounted."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._filling = place / "filling"

    def fill(self) -> None:
        """Leave no room on it, not even for a byte."""
        with self._filling.open("wb", buffering=0) as filling:
            for size in (65_536, 1):
                try:
                    while True:
                        filling.write(bytes(size))
                except OSError:
                    continue

    def make_room(self) -> None:
        self._filling.unlink()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """Mount a small disk; only root may."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m,mode=755", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a file system")
    yield SmallDisk(place)
    subprocess.run(["umount", "--lazy", str(place)], check=True)
