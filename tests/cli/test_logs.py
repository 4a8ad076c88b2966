"""Lines of the log: one for a fact, each with its call, whoever reads them."""

import json
import logging
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import gevent
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsctl import logs

ROOT = Path(__file__).parents[2]


def record(message: str, level: int = logging.INFO, **extra: object) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": message, "levelno": level, "levelname": "INFO", **extra})


@given(st.text())
def test_a_text_of_a_stranger_stays_on_its_line(said: str) -> None:
    with logs.about_call("u1"):
        line = logs.TextLines(2).format(record(said))
        document = json.loads(logs.JsonLines(2).format(record(said)))
    assert line.isprintable()
    assert " INFO worker 2: u1 " in line + " "
    assert (document["message"], document["call"], document["worker"]) == (said, "u1", 2)


def failed() -> logging.LogRecord:
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        return record("a fault", exc_info=sys.exc_info())


def test_every_line_of_a_traceback_has_the_call() -> None:
    with logs.about_call("u1"):
        lines = logs.TextLines(timed=False).format(failed()).splitlines()
        document = json.loads(logs.JsonLines().format(failed()))
    assert lines[0] == "INFO u1 a fault"
    assert len(lines) > 3
    assert all(line.startswith("INFO u1 ") for line in lines)
    assert document["exception"].endswith("ValueError: first\nsecond")
    assert "worker" not in document


def test_json_has_facts_under_their_names() -> None:
    document = json.loads(logs.JsonLines().format(record("over", outcome="busy", wait_seconds=1.5)))
    assert (document["outcome"], document["wait_seconds"]) == ("busy", 1.5)
    assert datetime.fromisoformat(document["time"]).utcoffset() == timedelta(0)
    assert set(document) == {"time", "level", "logger", "message", "outcome", "wait_seconds"}


def test_each_greenlet_has_its_own_call() -> None:
    lines: list[str] = []

    def serve(uuid: str) -> None:
        logs.begin_call(uuid)
        gevent.sleep(0)
        lines.append(logs.TextLines(timed=False).format(record("hunts")))

    gevent.joinall([gevent.spawn(serve, uuid) for uuid in ("u1", "u2")], raise_error=True)
    assert lines == ["INFO u1 hunts", "INFO u2 hunts"]
    assert logs.TextLines(timed=False).format(record("starts")) == "INFO starts"


SCRIPT = """
import logging, os, sys
from fsctl import logs
if sys.argv[1] == "journal":
    status = os.fstat(2)
    os.environ["JOURNAL_STREAM"] = f"{status.st_dev}:{status.st_ino}"
logs.configure("info", sys.argv[2])
with logs.about_call("u1"):
    for number in range(int(sys.argv[3])):
        logging.info("line %d", number)
    logging.warning("warned")
logging.debug("not said")
"""


def logged(stderr: int, *words: str) -> None:
    subprocess.run([sys.executable, "-c", SCRIPT, *words], check=True, stderr=stderr, cwd=ROOT)


@pytest.mark.parametrize("form", ["text", "json"])
def test_journald_is_told_levels_and_knows_the_time(form: str) -> None:
    reader, writer = os.pipe()
    logged(writer, "journal", form, "1")
    os.close(writer)
    with os.fdopen(reader) as said:
        first, second = said.read().splitlines()
    assert first.startswith("<6>")
    assert second.startswith("<4>")
    if form == "text":
        assert (first, second) == ("<6>INFO u1 line 0", "<4>WARNING u1 warned")
    else:
        assert json.loads(second[3:])["level"] == "warning"


def test_a_terminal_is_not_drowned_and_a_file_has_everything(tmp_path: Path) -> None:
    lines = 3 * logs.MOST_A_SECOND
    with (tmp_path / "log").open("w+") as file:
        logged(file.fileno(), "", "text", str(lines))
        file.seek(0)
        assert len(file.readlines()) == lines + 1
    terminal, side = pty.openpty()
    logged(side, "", "text", str(lines))
    os.close(side)
    shown = "".join(_read_all(terminal)).splitlines()
    assert len(shown) <= 2 * logs.MOST_A_SECOND + 1  # the second may have changed meanwhile
    assert shown[-1].endswith("WARNING u1 warned")


def _read_all(terminal: int) -> Iterator[str]:
    with os.fdopen(terminal, "rb", buffering=0) as said, suppress(OSError):  # its end is an error
        while part := said.read(65536):
            yield part.decode()


def test_what_was_left_out_is_told() -> None:
    moment = [10.0]
    terminal = logs.Readable(2, lambda: moment[0])
    with logs.about_call("u1"):
        assert [terminal.filter(record("hunts")) for _ in range(5)] == [True, True, *[False] * 3]
        assert terminal.filter(record("lost", logging.WARNING))
        moment[0] = 11.0
        next_line = record("100%% of %s", args=("it",))
        assert terminal.filter(next_line)
    assert next_line.getMessage() == "100% of it (before it 3 lines of calls were left out)"
