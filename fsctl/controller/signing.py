"""Members who sign on and off by telephone: written by the controller, in a thread.

A call waits for it, for a moment only, and no other call does. Whoever hears that it was refused
can rely on it: what was not being committed by then never will be, and what is being committed is
waited for. (A database that dies within a commit leaves anybody in doubt.)
"""

import logging
import threading
from collections.abc import Callable
from typing import Any

from gevent.threadpool import ThreadPool

from fsctl.hunt.group import Group

PATIENCE = 2.0
"""Seconds that a member waits for the database at most."""
LAST_WORD = 2.0
"""Seconds more for a commit that has begun, which nobody can take back."""
AT_ONCE = 4
"""Changes under way at once; one more is refused."""

log = logging.getLogger(__name__)

Sign = Callable[[Group, str, str, Callable[[], None]], bool]
"""Signs a member on who is off, and off who is on; returns whether they are on now. Called in a
thread with the group, the member, who does it, and what is asked just before it counts (which
raises when it must not). May block, or raise anything."""


class TooLate(Exception):
    """Nobody waits for this change any more."""


class Signing:
    """Changes of members by their telephones."""

    def __init__(
        self,
        sign: Sign,
        changed: Callable[[], None] = lambda: None,
        patience: float = PATIENCE,
    ) -> None:
        """``changed`` is called when something was changed."""
        self._sign = sign
        self._changed = changed
        self._patience = patience
        self._pool = ThreadPool(AT_ONCE)

    def toggle(self, group: Group, user: str, actor: str) -> bool | None:
        """Return whether the member is signed on now; None when nothing was changed."""
        if len(self._pool) >= AT_ONCE:
            log.warning("%s is not signed on or off: too many do so at once", user)
            return None
        attempt = _Attempt()
        answer = self._pool.spawn(_sealed, self._sign, group, user, actor, attempt.commits)
        answer.wait(self._patience)
        if not answer.ready() and not attempt.give_up():
            answer.wait(LAST_WORD)
        if not answer.ready():
            log.error("%s is not signed on or off: the database does not answer", user)
            return None
        found = answer.get()
        if isinstance(found, Exception):
            log.error("%s is not signed on or off: %s", user, found)
            return None
        self._changed()
        return bool(found)


class _Attempt:
    """A change, and whether somebody still waits for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._given_up = self._committing = False

    def commits(self) -> None:
        """Note in the thread that the change counts from now on. Raises TooLate."""
        with self._lock:
            if self._given_up:
                raise TooLate("the database took too long")
            self._committing = True

    def give_up(self) -> bool:
        """Wait no longer; False when the change counts already."""
        with self._lock:
            self._given_up = not self._committing
            return self._given_up


def _sealed(sign: Callable[..., Any], *args: object) -> Any:
    """Return the answer or the error in its place: gevent writes out each that a thread raises."""
    try:
        return sign(*args)
    except Exception as error:
        return error
