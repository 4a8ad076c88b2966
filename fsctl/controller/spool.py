"""Records on disk: where they wait until the database has them.

Owns the files of a directory that several controllers of a machine may share. A segment is a file
of JSON lines. Its writer holds a lock on it (flock) until it is sealed by closing; whoever gets the
lock of a segment may bring its lines to the database and remove it. A controller that was killed
holds no lock, so the next one, or another one, takes up what it left.

Everything here blocks; it belongs into threads. Knows lines, and nothing of what they say.
"""

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from threading import Lock
from typing import BinaryIO

LARGEST = 8 << 20
"""Bytes after which a segment is sealed: what is delivered of a long backlog is removed soon."""
LONGEST_LINE = 4 << 20
"""Bytes; more than any record has."""
LINES_AT_ONCE = 200
SUFFIX = ".jsonl"

Deliver = Callable[[Sequence[bytes]], Sequence[bytes]]
"""Takes lines and returns those that can never be delivered; raises when it is worth a retry."""


class Spool:
    """The segments of one directory, one of them open for writing. ``name`` is this writer's."""

    def __init__(self, directory: Path, name: str) -> None:
        self.directory = directory
        self._name = f"{name}-{secrets.token_hex(4)}"
        self._numbers = count(1)
        self._lock = Lock()
        self._file: int | None = None
        self._size = 0

    def append(self, lines: Sequence[bytes]) -> None:
        """Write lines, and return when they are on the disk. Raises OSError: then none of them is.

        (At worst, when the disk takes not even that back, the last is torn; readers see that.)
        """
        data = b"".join(line + b"\n" for line in lines)
        with self._lock:
            file = self._open()
            try:
                _write(file, data)
            except OSError:
                self._take_back(file)
                raise
            self._size += len(data)
            if self._size >= LARGEST:
                self._close()

    def seal(self) -> bool:
        """Close the segment that is being written; return whether there was one."""
        with self._lock:
            if self._file is None:
                return False
            self._close()
            return True

    def waiting(self) -> list[Path]:
        """Return the segments there are, those that others are writing too. Raises OSError."""
        try:
            return sorted(path for path in self.directory.iterdir() if path.suffix == SUFFIX)
        except FileNotFoundError:
            return []

    def replay(self, segment: Path, deliver: Deliver) -> int:
        """Hand a segment's lines over and remove it; return how many had to be set aside.

        Those are then in a file beside it, ending in ``.bad``. A segment that somebody else holds
        is left alone. Raises OSError, and what ``deliver`` raises: then the segment stays whole.
        """
        with _claimed(segment) as file:
            if file is None:
                return 0
            with _Aside(segment.with_suffix(".bad")) as aside:
                while lines := _some_lines(file):
                    aside.add(deliver(lines))
                segment.unlink()
            return aside.count

    def _open(self) -> int:
        """Return the segment to write to. Somebody may have removed it, or the directory."""
        if self._file is not None and os.fstat(self._file).st_nlink == 0:
            self._close()
        if self._file is None:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self.directory / f"{self._name}-{next(self._numbers):08}{SUFFIX}"
            self._file = _new_segment(path)
            self._size = 0
        return self._file

    def _close(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            os.close(file)

    def _take_back(self, file: int) -> None:
        """Cut off what was written of lines that did not fit."""
        with suppress(OSError):
            os.ftruncate(file, self._size)
        with suppress(OSError):
            self._close()


def _new_segment(path: Path) -> int:
    """Make a segment that has its lock before it has its name: nobody takes it for left behind."""
    nameless = path.with_suffix(".new")
    file = os.open(nameless, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        nameless.rename(path)
        _sync_directory(path.parent)
    except OSError:
        os.close(file)
        nameless.unlink(missing_ok=True)
        raise
    return file


def _sync_directory(directory: Path) -> None:
    """Make a new name in a directory survive a power cut."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write(file: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(file, left) :]
    os.fsync(file)


@contextmanager
def _claimed(segment: Path) -> Iterator[BinaryIO | None]:
    """Open a segment that nobody writes or delivers; None when somebody does, or it is gone."""
    try:
        file = open(os.open(segment, os.O_RDONLY | os.O_NOFOLLOW), "rb")  # noqa: SIM115
    except FileNotFoundError:
        yield None
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        yield file if os.fstat(file.fileno()).st_nlink else None


def _some_lines(file: BinaryIO) -> list[bytes]:
    """Return the next lines without their ends; what is too long for a line comes in pieces."""
    lines: list[bytes] = []
    while len(lines) < LINES_AT_ONCE and (line := file.readline(LONGEST_LINE)):
        lines.append(line.rstrip(b"\n"))
    return lines


class _Aside:
    """Where lines go that can never be delivered; the file is made for the first of them.

    A replay that fails begins anew, and with it this file.
    """

    def __init__(self, path: Path) -> None:
        self.count = 0
        self._path = path
        self._file: BinaryIO | None = None

    def __enter__(self) -> "_Aside":
        return self

    def add(self, lines: Sequence[bytes]) -> None:
        """Set lines aside."""
        if lines and self._file is None:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
            self._file = open(os.open(self._path, flags, 0o600), "wb")  # noqa: SIM115
        for line in lines:
            assert self._file is not None  # noqa: S101 - opened for the first line
            self._file.write(line + b"\n")
            self.count += 1
        if self._file is not None:
            self._file.flush()

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
