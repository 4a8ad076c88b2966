"""Files that are not for everybody, and the file systems that hold files.

Files that fsctl makes have callers' numbers, members' mobiles or passwords in them: their owner
alone may read them, from the first moment on.
"""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

MEGABYTE = 1_000_000
_NAMELESS = "standard output"
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
"""Errors of a file system that is full, or of which its user has had their share."""


def make_private(path: str | Path) -> None:
    """Make an empty file that only its owner may read, if there is none. Raises OSError.

    Where a link leads to no file, the file is made there.
    """
    with suppress(FileExistsError):
        os.close(os.open(os.path.realpath(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


@contextmanager
def private_text(path: str | Path) -> Iterator[TextIO]:
    """Write a text file, whole or not at all; a new one is its owner's only. Raises OSError.

    A file that is there keeps who may read it. A device or a pipe is written to as it is.
    """
    place = Path(path).resolve()
    if place.exists() and not place.is_file():
        with place.open("w", encoding="utf-8") as out:
            yield out
        return
    handle, partial = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}-")
    try:
        with open(handle, "w", encoding="utf-8") as out:
            yield out
        with suppress(FileNotFoundError):
            os.chmod(partial, place.stat().st_mode)
        os.replace(partial, place)
    except BaseException as error:
        os.unlink(partial)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(place)
        raise


@dataclass(frozen=True, slots=True)
class Space:
    """How much room a file system has for whoever runs this; ``files`` is whether for a file."""

    mount: Path
    free: int
    total: int
    files: bool

    @property
    def full(self) -> bool:
        """Whether there is too little room to open a database."""
        return self.free < MEGABYTE or not self.files

    def __str__(self) -> str:
        room = f"{self.free / MEGABYTE:.1f} of {self.total / MEGABYTE:.1f} MB free"
        return f"the file system {self.mount} has {room}" + (
            "" if self.files else ", and no free inodes"
        )


def told(error: OSError, path: str | Path | None = None) -> str:
    """Say what went wrong with a file; where it is for want of room, on which file system."""
    place = path or error.filename
    said = error.strerror or str(error)
    if not place:
        return said
    said = f"{place}: {said}"
    on_disk = str(place) != _NAMELESS and not Path(place).is_char_device()
    space = space_of(place) if on_disk and error.errno in NO_ROOM else None
    return said if space is None else f"{said}; {space}"


def standard_output() -> str:
    """Return what standard output is: the path of a file or device, as far as that is known."""
    try:
        place = os.readlink("/proc/self/fd/1")
    except OSError:
        return _NAMELESS
    return place if place.startswith("/") else _NAMELESS


def space_of(path: str | Path) -> Space | None:
    """Return the room of the file system that holds, or would hold, a file; None if unknown."""
    place = Path(path).absolute()
    try:
        while not place.exists():
            place = place.parent
        place = place.resolve()
        found = os.statvfs(place)
        while not place.is_mount() and place != place.parent:
            place = place.parent
    except OSError:
        return None
    free = found.f_bfree if os.geteuid() == 0 else found.f_bavail
    size = found.f_frsize
    return Space(place, free * size, found.f_blocks * size, found.f_ffree > 0 or found.f_files == 0)
