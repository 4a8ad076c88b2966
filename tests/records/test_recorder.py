"""The recorder: behind the calls, through whatever fails."""

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, text

from fsctl.controller import recorder as recorder_module
from fsctl.controller.recorder import Recorder
from fsctl.store.call_queries import CallFilter, list_calls
from fsctl.store.call_records import CallRecord
from fsctl.store.engine import make_engine, writing
from fsctl.store.errors import StoreError
from tests.records.samples import ANSWERED, call

Make = Callable[..., Recorder]


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def recording(spool: Path) -> Iterator[Make]:
    """Start recorders that look again soon."""
    started: list[Recorder] = []

    def make(engine: Engine, place: Path = spool) -> Recorder:
        recorder = Recorder(engine, place, pace=0.02, retry=0.05)
        recorder.start()
        started.append(recorder)
        return recorder

    yield make
    for recorder in started:
        recorder.stop(5.0)


def stored(engine: Engine) -> list[CallRecord]:
    return [one.record for one in list_calls(engine, CallFilter(hidden=0), None)][::-1]


def wait_until(condition: Callable[[], object], timeout: float = 20.0) -> None:
    until = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < until, "it did not come true"
        time.sleep(0.01)


def lines_in(spool: Path) -> list[bytes]:
    files = sorted(spool.glob("*.jsonl"))
    return [line for file in files for line in file.read_bytes().splitlines()]


def take_away(engine: Engine) -> None:
    with writing(engine) as session:
        session.execute(text("ALTER TABLE call_record RENAME TO call_record_away"))


def bring_back(engine: Engine) -> None:
    with writing(engine) as session:
        session.execute(text("ALTER TABLE call_record_away RENAME TO call_record"))


def test_a_record_is_in_the_database_within_a_second(engine: Engine, spool: Path) -> None:
    recorder = Recorder(engine, spool)
    recorder.start()
    began = time.monotonic()
    recorder.put(ANSWERED)
    wait_until(lambda: stored(engine) == [ANSWERED])
    assert time.monotonic() - began < 1.0
    assert recorder.stop(5.0)
    assert list(spool.iterdir()) == []


def test_a_later_version_takes_the_place_of_the_first(engine: Engine, recording: Make) -> None:
    recorder = recording(engine)
    recorder.put(replace(ANSWERED, talk_seconds=None))
    wait_until(lambda: stored(engine))
    recorder.put(ANSWERED)
    wait_until(lambda: stored(engine) == [ANSWERED])


def test_stopping_writes_what_is_left(engine: Engine, spool: Path) -> None:
    recorder = Recorder(engine, spool, pace=60.0)
    recorder.start()
    records = [call(number) for number in range(1500)]
    for record in records:
        recorder.put(record)
    assert recorder.stop(30.0)
    assert stored(engine) == records


def test_a_database_that_was_away_gets_every_record_once(
    engine: Engine, recording: Make, spool: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    recorder = recording(engine)
    recorder.put(call(0))
    wait_until(lambda: stored(engine))
    take_away(engine)
    records = [call(number) for number in range(300)]
    for record in records[1:]:
        recorder.put(record)
    wait_until(lambda: not recorder.healthy and len(lines_in(spool)) == 299)
    recorder.put(records[0])
    wait_until(lambda: len(lines_in(spool)) == 300)
    bring_back(engine)
    wait_until(lambda: stored(engine) == records)
    wait_until(lambda: recorder.healthy)
    levels = [record.levelname for record in caplog.records if "records of calls" in record.message]
    assert levels == ["ERROR", "INFO"]


def test_the_next_controller_takes_up_what_is_left(
    engine: Engine, recording: Make, spool: Path
) -> None:
    take_away(engine)
    recorder = recording(engine)
    recorder.put(ANSWERED)
    assert not recorder.stop(5.0)
    assert len(lines_in(spool)) == 1
    bring_back(engine)
    recording(engine)
    wait_until(lambda: stored(engine) == [ANSWERED])


def test_a_record_that_comes_while_it_stops_is_kept(
    engine: Engine, recording: Make, spool: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = recording(engine)
    recorder.stop(5.0)
    recorder.put(ANSWERED)  # a conversation ends while the threads are waited for
    recorder.stop(5.0)
    assert len(lines_in(spool)) == 1
    assert "lost" not in caplog.text
    recording(engine)
    wait_until(lambda: stored(engine) == [ANSWERED])


def test_a_line_that_is_no_record_is_set_aside(
    engine: Engine, recording: Make, spool: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder(make_engine("sqlite:////nonexistent/fsctl.db"), spool, pace=0.0)
    recorder.start()
    recorder.put(call(1))
    recorder.stop(5.0)
    [segment] = spool.glob("*.jsonl")
    good = segment.read_bytes()
    segment.write_bytes(b"\xff\0nonsense\n" + good + b"{}\n" + good[:-20])
    recording(engine)
    wait_until(lambda: stored(engine) == [call(1)])
    wait_until(lambda: not list(spool.glob("*.jsonl")))
    [aside] = spool.glob("*.bad")
    assert aside.read_bytes() == b"\xff\0nonsense\n{}\n" + good[:-20] + b"\n"
    wait_until(lambda: any(one.message.startswith("3 lines of ") for one in caplog.records))


def test_a_record_that_the_database_refuses_holds_up_no_other(
    engine: Engine, recording: Make, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writing(engine) as session:
        forbid = "CREATE UNIQUE INDEX one_of_these ON call_record (caller_name)"
        session.execute(text(forbid))
    records = [call(number, caller_name=str(number % 9)) for number in range(10)]
    recorder = recording(engine)
    for record in records:
        recorder.put(record)
    wait_until(lambda: stored(engine) == records[:9])
    wait_until(lambda: len(list(spool.glob("*.bad"))) == 1)
    recorder.put(call(20, caller_name="x"))
    wait_until(lambda: len(stored(engine)) == 10)


def test_a_spool_that_cannot_be_written_is_passed_by(
    engine: Engine, recording: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    recorder = recording(engine, tmp_path / "file" / "spool")
    for number in range(50):
        recorder.put(call(number))
        if number % 10 == 0:
            wait_until(lambda count=number: len(stored(engine)) == count + 1)
    wait_until(lambda: len(stored(engine)) == 50)
    assert not recorder.healthy
    assert [record.levelname for record in caplog.records].count("ERROR") == 1


def test_without_disk_and_database_the_newest_are_kept(
    engine: Engine, recording: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "MOST", 20)
    (tmp_path / "file").write_text("")
    take_away(engine)
    recorder = recording(engine, tmp_path / "file" / "spool")
    for number in range(100):
        recorder.put(call(number))
    wait_until(lambda: not recorder.healthy)
    assert recorder.lost >= 80 - 20
    bring_back(engine)
    wait_until(lambda: stored(engine))
    recorder.put(call(100))
    wait_until(lambda: stored(engine)[-1] == call(100))
    assert stored(engine) == [call(number) for number in range(recorder.lost, 101)]


def test_what_is_no_record_at_all_is_logged_and_left_out(
    engine: Engine, recording: Make, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = recording(engine)
    recorder.put(replace(ANSWERED, uuid=None))  # type: ignore[arg-type]
    recorder.put(ANSWERED)
    wait_until(lambda: stored(engine) == [ANSWERED])
    assert "cannot be kept" in caplog.text


def test_a_database_that_hangs_delays_neither_calls_nor_the_disk(
    sqlite_url: str, recording: Make, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = threading.Event()
    monkeypatch.setattr(recorder_module, "write_calls", lambda *_: answers.wait(20))
    recorder = recording(make_engine(sqlite_url))
    recorder.put(call(0))
    wait_until(lambda: lines_in(spool))
    began = time.monotonic()
    for number in range(1, 1000):
        recorder.put(call(number))
    assert time.monotonic() - began < 1.0
    wait_until(lambda: len(lines_in(spool)) == 1000)
    assert not recorder.stop(0.1)
    answers.set()


def test_two_controllers_share_a_spool(engine: Engine, recording: Make) -> None:
    records = [call(number) for number in range(200)]
    recorders = [recording(engine), recording(engine)]
    for number, record in enumerate(records):
        recorders[number % 2].put(record)
    for recorder in recorders:
        recorder.stop(20.0)
    assert stored(engine) == records


@pytest.mark.parametrize("away", [True, False])
def test_kill_9_loses_at_most_the_last_second(
    sqlite_url: str, tables: None, recording: Make, spool: Path, away: bool
) -> None:
    url = "sqlite:////nonexistent/fsctl.db" if away else sqlite_url
    command = [sys.executable, "-m", "tests.records.killed", url, str(spool)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        put = [process.stdout.readline().split() for _ in range(150)]
        process.kill()
        put += [line.split() for line in process.stdout.read().splitlines()]
    killed = float(put[-1][1])
    safe = [int(number) for number, at in put if float(at) < killed - 1.0]
    assert len(safe) > 20
    engine = make_engine(sqlite_url)
    recording(engine)
    wait_until(lambda: set(map(call, safe)) <= set(stored(engine)))
    found = stored(engine)
    assert len({record.uuid for record in found}) == len(found)


@pytest.mark.postgresql
def test_a_postgresql_that_restarts_gets_every_record(
    postgresql_url: str, tables: None, recording: Make, spool: Path
) -> None:
    engine = make_engine(postgresql_url)
    recorder = recording(engine)
    recorder.put(call(0))
    wait_until(lambda: stored(engine))
    admin = make_engine(postgresql_url.rsplit("/", 1)[0] + "/postgres")
    name = engine.url.database
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
        kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
        connection.execute(text(kill), {"name": name})
        recorder.put(call(1))
        wait_until(lambda: not recorder.healthy)
        with pytest.raises(StoreError):
            stored(engine)
        connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true"))
    wait_until(lambda: recorder.healthy)
    wait_until(lambda: stored(engine) == [call(0), call(1)])
    admin.dispose()
