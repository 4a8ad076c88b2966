"""The directory: copies that are fresh, and a database that fails without anybody noticing."""

import time
from collections.abc import Iterator
from threading import Event

import gevent
import pytest

from fsctl.controller.directory import AT_ONCE, GRACE, KNOWN, Directory, Source, Unavailable
from fsctl.hunt.group import Group


class Database:
    """A database that can be slow, gone, or changed."""

    def __init__(self) -> None:
        self.groups = {"600": Group("sales")}
        self.revision = 0
        self.loads = 0
        self.broken = False
        self.answers = Event()
        self.answers.set()

    def load(self, keys: tuple[str, ...]) -> Group | None:
        self._answer()
        self.loads += 1
        return next((self.groups[key] for key in keys if key in self.groups), None)

    def read_revision(self) -> int:
        self._answer()
        return self.revision

    def _answer(self) -> None:
        self.answers.wait(20)
        if self.broken:
            raise OSError("the database is gone")

    @property
    def source(self) -> Source:
        return Source(self.load, self.read_revision)


@pytest.fixture
def database() -> Iterator[Database]:
    database = Database()
    yield database
    database.answers.set()


@pytest.fixture
def directory(database: Database) -> Iterator[Directory]:
    directory = Directory(database.source, patience=0.2, poll=0.02)
    directory.start()
    # The first look rereads what was read before it.
    wait_until(lambda: directory._revision is not None)
    yield directory
    directory.stop()


def wait_until(condition, timeout: float = 5.0) -> None:
    until = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < until, "it did not come true"
        gevent.sleep(0.005)


def test_a_group_is_read_once(database: Database, directory: Directory) -> None:
    assert directory.find(("600",)) == Group("sales")
    assert directory.find(("600",)) == Group("sales")
    assert directory.find(("601",)) is None
    assert directory.find(("601",)) is None
    assert database.loads == 2
    assert directory.find(()) is None


def test_a_change_comes_into_force(database: Database, directory: Directory) -> None:
    directory.find(("600",))
    directory.find(("601",))
    database.groups = {"601": Group("sales")}
    database.revision += 1
    wait_until(lambda: directory.find(("600",)) is None)
    wait_until(lambda: directory.find(("601",)) == Group("sales"))


def test_calls_for_the_same_group_wait_for_one_load(
    database: Database, directory: Directory
) -> None:
    database.answers.clear()
    calls = [gevent.spawn(directory.find, ("600",)) for _ in range(50)]
    gevent.spawn_later(0.05, database.answers.set)
    gevent.joinall(calls, raise_error=True)
    assert database.loads == 1


def test_a_known_group_goes_on_without_the_database(
    database: Database, directory: Directory
) -> None:
    directory.find(("600",))
    database.broken = True
    wait_until(lambda: not directory.healthy)
    assert directory.find(("600",)) == Group("sales")
    with pytest.raises(Unavailable):
        directory.find(("601",))
    database.broken = False
    wait_until(lambda: directory.healthy)
    assert directory.find(("601",)) is None


def test_a_slow_database_costs_a_new_group_a_moment_and_a_known_one_nothing(
    database: Database, directory: Directory
) -> None:
    directory.find(("600",))
    database.answers.clear()
    began = time.monotonic()
    with pytest.raises(Unavailable):
        directory.find(("601",))
    assert time.monotonic() - began < 2
    began = time.monotonic()
    assert directory.find(("600",)) == Group("sales")
    with pytest.raises(Unavailable):  # by now it is known to be slow: no wait at all
        directory.find(("602",))
    assert time.monotonic() - began < 0.1


def test_a_call_never_waits_for_a_thread(database: Database, directory: Directory) -> None:
    database.answers.clear()
    calls = [gevent.spawn(directory.find, (str(number),)) for number in range(100)]
    gevent.joinall(calls, timeout=2)
    assert all(isinstance(call.exception, Unavailable) for call in calls)


def test_many_new_numbers_at_once_wait_their_turn(database: Database, directory: Directory) -> None:
    calls = [gevent.spawn(directory.find, (str(number),)) for number in range(100)]
    gevent.joinall(calls, timeout=2)
    assert [call.exception for call in calls] == [None] * 100
    assert directory.healthy


def test_misdialling_costs_no_memory(database: Database, directory: Directory) -> None:
    for number in range(KNOWN + 50):
        directory._remember((str(number),), None)
    assert len(directory._copies) == KNOWN


class Journal(Database):
    """A database that reads many groups together and knows which have changed."""

    def __init__(self) -> None:
        super().__init__()
        self.groups = {str(number): Group(f"group {number}") for number in range(1000)}
        self.changes: dict[int, frozenset[str] | None] = {}
        self.readings: list[int] = []
        self.reading = Event()

    def load_many(self, wanted):
        self._answer()
        found = {keys: self.load(keys) for keys in wanted}
        self.readings.append(len(wanted))
        self.reading.set()
        return found

    def changed(self, since: int, until: int) -> frozenset[str] | None:
        found = [self.changes[revision] for revision in range(since + 1, until + 1)]
        return None if None in found else frozenset().union(*found)

    def change(self, number: str, name: str, *, known: bool = True) -> None:
        self.groups[number] = Group(name)
        self.changes[self.revision + 1] = frozenset({number}) if known else None
        self.revision += 1

    @property
    def source(self) -> Source:
        return Source(self.load, self.read_revision, self.load_many, self.changed)


@pytest.fixture
def journal() -> Iterator[Journal]:
    journal = Journal()
    yield journal
    journal.answers.set()


@pytest.fixture
def informed(journal: Journal) -> Iterator[Directory]:
    directory = Directory(journal.source, patience=5.0, poll=0.02)
    directory.start()
    wait_until(lambda: directory._revision is not None)
    yield directory
    directory.stop()


def find_all(directory: Directory) -> None:
    calls = [gevent.spawn(directory.find, (str(number),)) for number in range(1000)]
    gevent.joinall(calls, raise_error=True)


def test_new_numbers_are_read_together(journal: Journal, informed: Directory) -> None:
    find_all(informed)
    assert len(journal.readings) <= 1000 / AT_ONCE + 4
    assert journal.loads == 1000


def test_a_change_costs_the_reading_of_what_changed(journal: Journal, informed: Directory) -> None:
    find_all(informed)
    before = journal.loads
    journal.change("7", "new")
    wait_until(lambda: informed.find(("7",)) == Group("new"))
    assert journal.loads == before + 1
    assert not informed._stale


def test_after_an_unknown_change_everything_is_read_together(
    journal: Journal, informed: Directory
) -> None:
    find_all(informed)
    informed.find(("500",))
    journal.readings.clear()
    journal.groups["500"] = journal.groups["3"] = Group("new")
    journal.change("7", "new", known=False)
    wait_until(lambda: informed.find(("7",)) == Group("new"))
    wait_until(lambda: not informed._stale)
    assert informed.find(("3",)) == informed.find(("500",)) == Group("new")
    assert sum(journal.readings) == 1000
    assert max(journal.readings) == AT_ONCE


def test_a_domain_is_no_part_of_a_number(journal: Journal, informed: Directory) -> None:
    assert informed.find(("7@a.example", "7")) == Group("group 7")
    journal.change("7", "new")
    wait_until(lambda: informed.find(("7@a.example", "7")) == Group("new"))


def test_what_was_read_while_it_changed_is_read_again(journal: Journal) -> None:
    directory = Directory(journal.source, patience=5.0, poll=0.02)
    directory.start()
    wait_until(lambda: directory._revision == 0)
    old = journal.groups["7"]
    go_on = Event()

    def read_slowly(keys: tuple[str, ...]) -> Group:
        go_on.wait(20)
        return old

    journal.load = read_slowly  # type: ignore[method-assign]
    call = gevent.spawn(directory.find, ("7",))
    wait_until(lambda: directory._loading)
    journal.change("7", "new")
    wait_until(lambda: directory._revision == 1)
    del journal.load  # type: ignore[method-assign]
    go_on.set()
    assert call.get(timeout=5) == old
    wait_until(lambda: directory.find(("7",)) == Group("new"))
    directory.stop()


def test_a_copy_that_is_stale_for_long_is_read_by_the_call(
    journal: Journal, informed: Directory
) -> None:
    informed.find(("7",))
    informed.stop()
    journal.groups["7"] = Group("new")
    informed._stale[("7",)] = time.monotonic() - GRACE / 2
    assert informed.find(("7",)) == Group("group 7")
    informed._stale[("7",)] = time.monotonic() - GRACE * 2
    assert informed.find(("7",)) == Group("new")
    assert not informed._stale


def test_a_stale_copy_serves_on_without_the_database(journal: Journal, informed: Directory) -> None:
    informed.find(("7",))
    informed.stop()
    journal.broken = True
    informed._stale[("7",)] = time.monotonic() - GRACE * 2
    assert informed.find(("7",)) == Group("group 7")
    assert not informed.healthy


def test_a_database_that_is_gone_is_one_line(
    database: Database, directory: Directory, capfd: pytest.CaptureFixture[str]
) -> None:
    database.broken = True
    wait_until(lambda: not directory.healthy)
    with pytest.raises(Unavailable):
        directory.find(("1",))
    assert "Traceback" not in capfd.readouterr().err


def test_who_knows_of_a_change_need_not_wait_for_the_next_look(database: Database) -> None:
    directory = Directory(database.source, poll=30.0)
    directory.start()
    wait_until(lambda: directory.known)
    assert directory.find(("600",)) == Group("sales")
    database.groups["600"] = Group("changed")
    database.revision += 1
    directory.look_now()
    wait_until(lambda: directory.find(("600",)) == Group("changed"))
    directory.stop()
