"""What strategies remember, in a controller: its own calls at once, others' soon."""

import gevent
import pytest

from fsctl.controller.memories import Memories
from fsctl.hunt.group import Group
from fsctl.hunt.memory import NOTHING, Memory, Served
from fsctl.store.memory import GroupKey, News, key_of

GROUP = Group("Sales", strategy="round-robin")
KEY = key_of("Sales", "")


def test_its_own_calls_count_at_once() -> None:
    memories = Memories()
    assert memories.of(GROUP) == NOTHING
    memories.answered(GROUP, "a", 10.0)
    memories.answered(GROUP, "a", 10.0)
    memories.answered(GROUP, "b", 11.0)
    memories.answered(GROUP, "b", 12.0)
    memories.over(GROUP, "b", 20.0)
    assert memories.of(GROUP) == Memory((Served("a", 10.0, 10.0, 1), Served("b", 12.0, 20.0, 2)))
    assert memories.of(Group("sales", strategy="fewest-calls")).last == "b"


def test_a_group_that_looks_at_no_past_call_has_no_memory() -> None:
    memories = Memories()
    plain = Group("Sales")
    memories.answered(plain, "a", 10.0)
    memories.over(plain, "a", 20.0)
    assert memories.of(plain) == memories.of(GROUP) == NOTHING


def test_what_the_database_knows_already_counts_once() -> None:
    memories = Memories()
    memories.learn({KEY: Memory((Served("a", 5.0, 6.0, 7),))})
    memories.answered(GROUP, "a", 10.0)
    assert memories.of(GROUP).of("a") == Served("a", 10.0, 10.0, 8)
    memories.learn({KEY: Memory((Served("a", 5.0, 6.0, 7),))})
    assert memories.of(GROUP).of("a") == Served("a", 10.0, 10.0, 8)
    memories.learn({KEY: Memory((Served("a", 10.0, 10.0, 8),))})
    memories.answered(GROUP, "a", 10.0)  # the call's later record
    memories.over(GROUP, "a", 30.0)
    assert memories.of(GROUP).of("a") == Served("a", 10.0, 30.0, 8)


def test_a_member_whom_the_database_forgot_is_forgotten() -> None:
    memories = Memories()
    memories.learn({KEY: Memory((Served("a", 5.0, 6.0, 7), Served("b", 4.0, 6.0, 7)))})
    memories.learn({KEY: Memory((Served("b", 4.0, 6.0, 7),))})
    assert memories.of(GROUP).last == "b"


class Database:
    """Tells news once, and fails when told to."""

    def __init__(self) -> None:
        self.news: dict[GroupKey, tuple[Served, ...]] = {}
        self.asked: list[int] = []
        self.away = False

    def __call__(self, since: int) -> News:
        self.asked.append(since)
        if self.away:
            raise OSError("away")
        return News(since + 1, self.news)


def wait_for(condition: object) -> None:
    assert callable(condition)
    with gevent.Timeout(5):
        while not condition():
            gevent.sleep(0.005)


@pytest.fixture
def followed() -> tuple[Memories, Database]:
    database = Database()
    memories = Memories(database, poll=0.01)
    memories.start()
    yield memories, database
    memories.stop()


def test_what_others_write_is_followed(followed: tuple[Memories, Database]) -> None:
    memories, database = followed
    gevent.sleep(0.05)
    assert database.asked == []  # nothing is asked as long as no group looks back
    memories.learn({KEY: Memory((Served("a", 5.0, 6.0, 7),))})
    database.news = {KEY: (Served("b", 9.0, 9.0, 1),), ("", "other"): (Served("x", 1.0, 1.0, 1),)}
    wait_for(lambda: memories.of(GROUP).last == "b")
    assert memories.of(GROUP).of("a") == Served("a", 5.0, 6.0, 7)
    assert memories.of(Group("other", strategy="round-robin")) == NOTHING
    wait_for(lambda: len(database.asked) > 3)
    assert database.asked[1] == database.asked[0] + 1


def test_without_the_database_it_goes_on(followed: tuple[Memories, Database]) -> None:
    memories, database = followed
    database.away = True
    memories.learn({KEY: Memory((Served("a", 5.0, 6.0, 7),))})
    wait_for(lambda: len(database.asked) > 2)
    memories.answered(GROUP, "b", 10.0)
    assert memories.of(GROUP).last == "b"
    database.away = False
    database.news = {KEY: (Served("c", 11.0, 11.0, 1),)}
    wait_for(lambda: memories.of(GROUP).last == "c")
