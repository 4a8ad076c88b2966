"""The spool: lines on disk that survive their writer, and leave when they are delivered."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from fsctl.controller import spool as spool_module
from fsctl.controller.spool import Spool


class Receiver:
    """Takes lines, or refuses all of them, or some of them for ever."""

    def __init__(self, *, bad: bytes | None = None) -> None:
        self.lines: list[bytes] = []
        self.away = False
        self._bad = bad

    def __call__(self, lines: Sequence[bytes]) -> list[bytes]:
        if self.away:
            raise ConnectionError("away")
        self.lines += [line for line in lines if line != self._bad]
        return [line for line in lines if line == self._bad]

    def take_all(self, spool: Spool) -> int:
        return sum(spool.replay(segment, self) for segment in spool.waiting())


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "spool"


def test_lines_are_private_and_leave_when_they_are_delivered(place: Path) -> None:
    spool, receiver = Spool(place, "one"), Receiver()
    assert spool.waiting() == []
    spool.append([b"a", b"b"])
    spool.append([b"c"])
    [segment] = spool.waiting()
    assert (place.stat().st_mode & 0o777, segment.stat().st_mode & 0o777) == (0o700, 0o600)
    assert spool.seal()
    assert not spool.seal()
    assert receiver.take_all(spool) == 0
    assert receiver.lines == [b"a", b"b", b"c"]
    assert list(place.iterdir()) == []


def test_what_is_being_written_is_left_alone(place: Path) -> None:
    writer, reader, receiver = Spool(place, "one"), Spool(place, "two"), Receiver()
    writer.append([b"a"])
    receiver.take_all(reader)
    receiver.take_all(writer)
    assert receiver.lines == []
    writer.seal()
    receiver.take_all(reader)
    assert receiver.lines == [b"a"]


def test_what_is_being_delivered_is_left_alone(place: Path) -> None:
    spool, other, receiver = Spool(place, "one"), Spool(place, "two"), Receiver()
    spool.append([b"a"])
    spool.seal()

    def deliver(lines: Sequence[bytes]) -> list[bytes]:
        receiver.take_all(other)
        return []

    [segment] = spool.waiting()
    spool.replay(segment, deliver)
    assert receiver.lines == []
    assert spool.replay(segment, receiver) == 0  # gone: that is no trouble


def test_a_delivery_that_fails_leaves_the_segment_whole(place: Path) -> None:
    spool, receiver = Spool(place, "one"), Receiver()
    spool.append([b"a"])
    spool.seal()
    receiver.away = True
    with pytest.raises(ConnectionError):
        receiver.take_all(spool)
    receiver.away = False
    receiver.take_all(spool)
    assert receiver.lines == [b"a"]


def test_what_can_never_be_delivered_is_set_aside_once(place: Path) -> None:
    spool, receiver = Spool(place, "one"), Receiver(bad=b"nonsense")
    spool.append([b"a", b"nonsense", b"b"])
    spool.seal()
    receiver.away = True
    with pytest.raises(ConnectionError):
        receiver.take_all(spool)
    receiver.away = False
    assert receiver.take_all(spool) == 1
    assert receiver.lines == [b"a", b"b"]
    [aside] = place.iterdir()
    assert (aside.suffix, aside.read_bytes()) == (".bad", b"nonsense\n")
    assert aside.stat().st_mode & 0o777 == 0o600
    assert spool.waiting() == []


def test_a_large_segment_is_sealed_and_comes_in_order(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool_module, "LARGEST", 10)
    monkeypatch.setattr(spool_module, "LINES_AT_ONCE", 2)
    spool, receiver = Spool(place, "one"), Receiver()
    lines = [str(number).encode() for number in range(100, 120)]
    for line in lines:
        spool.append([line])
    assert len(spool.waiting()) > 3
    spool.seal()
    receiver.take_all(spool)
    assert receiver.lines == lines


def test_a_line_without_end_does_not_fill_the_memory(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool_module, "LONGEST_LINE", 4)
    spool, receiver = Spool(place, "one"), Receiver()
    spool.append([b"a" * 10])
    spool.seal()
    receiver.take_all(spool)
    assert receiver.lines == [b"aaaa", b"aaaa", b"aa"]


def test_a_disk_that_fills_up_in_a_line_leaves_none_of_it(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool, receiver = Spool(place, "one"), Receiver()
    spool.append([b"before"])
    real = os.write

    def some(file: int, data: memoryview) -> int:
        if len(data) <= 4:
            raise OSError(28, "No space left on device")
        return real(file, data[: len(data) - 4])

    monkeypatch.setattr(spool_module.os, "write", some)
    with pytest.raises(OSError, match="No space"):
        spool.append([b"during"])
    monkeypatch.undo()
    spool.append([b"after"])
    spool.seal()
    receiver.take_all(spool)
    assert receiver.lines == [b"before", b"after"]


def test_a_spool_that_was_removed_is_made_again(place: Path) -> None:
    spool, receiver = Spool(place, "one"), Receiver()
    spool.append([b"lost"])
    for path in place.iterdir():
        path.unlink()
    place.rmdir()
    spool.append([b"kept"])
    spool.seal()
    receiver.take_all(spool)
    assert receiver.lines == [b"kept"]


def test_a_place_that_cannot_be_a_spool_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="Not a directory"):
        Spool(tmp_path / "file" / "spool", "one").append([b"a"])


def test_a_link_is_not_followed(place: Path, tmp_path: Path) -> None:
    place.mkdir(parents=True)
    (tmp_path / "secret").write_text("x")
    (place / "trap.jsonl").symlink_to(tmp_path / "secret")
    spool = Spool(place, "one")
    with pytest.raises(OSError, match="symbolic"):
        Receiver().take_all(spool)
