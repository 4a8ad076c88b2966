"""How fsctl logs: one line a fact, for people or as JSON, each line of a call with its uuid.

The standard library's logging, since every library that we use logs with it: one handler serves
theirs and ours. What it lacks is little and in here: which call a line is about is a variable of
the greenlet that serves the call (PEP 567), looked at when a line is written and nowhere else.

Levels: an *error* costs a caller, a record or the service something now; a *warning* is wrong with
one call or one connection, and the rest goes on; *info* is what happened, two or three lines for a
call; *debug* says of every leg what became of it, and who called.
"""

import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TextIO

FORMATS = ("text", "json")
MOST_A_SECOND = 20
"""Lines of calls that a terminal gets in a second; nobody can read more."""

_call: ContextVar[str] = ContextVar("fsctl_call", default="")
_PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3}
"""Of syslog(3), as journald reads them at the beginning of a line (sd-daemon(3))."""
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def begin_call(uuid: str) -> None:
    """Let every further line that this greenlet logs be about a call."""
    _call.set(uuid)


@contextmanager
def about_call(uuid: str) -> Iterator[None]:
    """Let the lines that are logged inside be about a call."""
    token = _call.set(uuid)
    try:
        yield
    finally:
        _call.reset(token)


def configure(level: str, form: str, worker: int = 0, out: TextIO | None = None) -> None:
    """Log to ``out``, standard error by default, from this level on, as text or JSON.

    ``worker`` is the number of this process among several, 0 for the only one.
    """
    out = out or sys.stderr
    journal = to_journal(out)
    handler = LineHandler(out)
    handler.setFormatter(JsonLines(worker) if form == "json" else TextLines(worker, not journal))
    if journal:
        handler.setFormatter(Prioritised(handler.formatter))
    elif out.isatty():
        handler.addFilter(Readable())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


def to_journal(out: TextIO) -> bool:
    """Whether journald reads this stream: it has a clock, and knows levels (systemd.exec(5))."""
    try:
        status = os.fstat(out.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


class LineHandler(logging.StreamHandler[TextIO]):
    """Writes lines. Those for which there is no room are counted, and told of when there is."""

    def __init__(self, out: TextIO) -> None:
        super().__init__(out)
        self._lost = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, after one about those that were lost."""
        lost, self._lost = self._lost, 0
        if lost:
            with suppress(OSError):
                self.stream.write("\n")  # the last line may be torn
            super().emit(_warning(f"log: {lost} lines could not be written"))
            if self._lost:
                self._lost += lost
                return
        super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """Count a line for which there is no room."""
        if isinstance(sys.exc_info()[1], OSError):
            self._lost += 1
        else:
            super().handleError(record)


def _warning(text: str) -> logging.LogRecord:
    return logging.LogRecord(__name__, logging.WARNING, __file__, 0, text, (), None)


class TextLines(logging.Formatter):
    """Lines for people: time, level, worker, the call's uuid, what happened.

    A traceback's lines have the same head: whoever looks for a uuid finds them.
    """

    def __init__(self, worker: int = 0, timed: bool = True) -> None:
        super().__init__()
        self._worker = f"worker {worker}: " if worker else ""
        self._timed = timed

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of a record."""
        at = f"{self.formatTime(record)} " if self._timed else ""
        call = _call.get()
        head = f"{at}{record.levelname} {self._worker}{call + ' ' if call else ''}"
        lines = [record.getMessage()]
        if record.exc_info:
            lines += self.formatException(record.exc_info).splitlines()
        return "\n".join(head + _printable(line) for line in lines)


class JsonLines(logging.Formatter):
    """One JSON object a line, with what was given as ``extra`` under its own names."""

    def __init__(self, worker: int = 0) -> None:
        super().__init__()
        self._worker = worker

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record; its time is UTC, to the millisecond (ISO 8601)."""
        at = datetime.fromtimestamp(record.created, UTC)
        found: dict[str, object] = {
            "time": at.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if self._worker:
            found["worker"] = self._worker
        if call := _call.get():
            found["call"] = call
        for name, value in vars(record).items():
            if name not in _STANDARD:
                found[name] = value
        if record.exc_info:
            found["exception"] = self.formatException(record.exc_info)
        return json.dumps(found, default=str)


class Prioritised(logging.Formatter):
    """Tells journald the level of each line that another formatter writes."""

    def __init__(self, lines: logging.Formatter | None) -> None:
        super().__init__()
        self._lines = lines or logging.Formatter()

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of a record."""
        head = f"<{_PRIORITIES.get(record.levelno, 3)}>"
        return "\n".join(head + line for line in self._lines.format(record).split("\n"))


class Readable(logging.Filter):
    """Leaves out lines of calls that come faster than anybody reads, and says how many.

    For a terminal only: files and journals have every line. Warnings are never left out.
    """

    def __init__(
        self, most: int = MOST_A_SECOND, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._most = most
        self._clock = clock
        self._second = 0
        self._shown = self._left_out = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a line is shown."""
        if record.levelno >= logging.WARNING or not _call.get():
            return True
        second = int(self._clock())
        if second != self._second:
            if self._left_out:
                note = f" (before it {self._left_out} lines of calls were left out)"
                record.msg, record.args = record.getMessage() + note, ()
            self._second, self._shown, self._left_out = second, 0, 0
        self._shown += 1
        if self._shown > self._most:
            self._left_out += 1
            return False
        return True


def _printable(line: str) -> str:
    """Return a text that stays on its line, whatever strangers have put into it."""
    if line.isprintable():
        return line
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in line)
