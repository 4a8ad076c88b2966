"""A member signs on or off in a thread: no call waits for it, and a refusal can be relied on."""

from collections.abc import Callable
from threading import Event

import gevent
import pytest

from fsctl.controller.signing import AT_ONCE, Signing, TooLate
from fsctl.hunt.group import Group

GROUP = Group("sales")


class Database:
    """Signs a member on, when ``goes_on`` lets it, before its commit or while it commits."""

    def __init__(self, within: bool = False) -> None:
        self.goes_on, self.done = Event(), Event()
        self.within = within
        self.committed = 0
        self.too_late = 0

    def sign(self, _group: Group, _user: str, _actor: str, may_commit: Callable[[], None]) -> bool:
        try:
            if not self.within:
                self.goes_on.wait(10)
            may_commit()
            if self.within:
                self.goes_on.wait(10)
            self.committed += 1
        except TooLate:
            self.too_late += 1
            raise
        finally:
            self.done.set()
        return True


def test_it_is_done_and_told() -> None:
    database, told = Database(), []
    database.goes_on.set()
    signing = Signing(database.sign, lambda: told.append(True))
    assert signing.toggle(GROUP, "a", "telephone of a") is True
    assert (database.committed, told) == (1, [True])


def test_an_error_is_a_refusal() -> None:
    def broken(*_: object) -> bool:
        raise OSError("away")

    assert Signing(broken, lambda: pytest.fail("nothing changed")).toggle(GROUP, "a", "x") is None


def test_what_was_refused_is_never_done_later() -> None:
    database, turns = Database(), []
    others = gevent.spawn(lambda: [(turns.append(1), gevent.sleep(0.01)) for _ in range(5)])
    signing = Signing(database.sign, lambda: pytest.fail("nothing changed"), patience=0.1)
    assert signing.toggle(GROUP, "a", "x") is None
    others.join()
    assert len(turns) == 5
    database.goes_on.set()
    while not database.done.is_set():
        gevent.sleep(0.005)
    assert (database.committed, database.too_late) == (0, 1)


def test_what_is_being_committed_is_waited_for() -> None:
    database = Database(within=True)
    gevent.spawn_later(0.15, database.goes_on.set)
    assert Signing(database.sign, patience=0.05).toggle(GROUP, "a", "x") is True
    assert database.committed == 1


def test_not_more_than_so_many_at_once() -> None:
    database = Database()
    signing = Signing(database.sign, patience=5.0)
    waiting = [gevent.spawn(signing.toggle, GROUP, f"u{one}", "x") for one in range(AT_ONCE)]
    gevent.sleep(0.05)
    assert signing.toggle(GROUP, "late", "x") is None
    database.goes_on.set()
    assert [one.get(timeout=5) for one in waiting] == [True] * AT_ONCE
