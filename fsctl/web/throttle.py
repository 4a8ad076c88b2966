"""Slows down whoever guesses passwords.

Owns how many failures there may be within ``WINDOW`` seconds: few for one name from one address,
more from one address for any name, many for one name from anywhere, so that nobody is locked out of
their own account by a stranger elsewhere. Kept in memory: a panel that starts anew begins at zero,
as nobody can make it do.
"""

import threading
from collections import OrderedDict, deque

WINDOW = 900.0
MOST_PAIR = 5
MOST_ADDRESS = 30
MOST_NAME = 200
REMEMBERED = 20_000
"""Keys; beyond that the one not seen for the longest is forgotten."""

Key = tuple[str, str]


class Throttle:
    """Counts failed sign-ins. Times are the caller's seconds."""

    def __init__(self) -> None:
        self._failures: OrderedDict[Key, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def admit(self, name: str, address: str, now: float) -> float:
        """Return for how many seconds no password is looked at; 0: this one may be.

        It counts as a failure from then on, before it is one: of many at once none slips through.
        """
        with self._lock:
            wait = max(self._wait(key, most, now) for key, most in _keys(name, address))
            if wait == 0:
                self._count(name, address, now)
            return wait

    def succeeded(self, name: str, address: str) -> None:
        """Take back what ``admit`` counted, and forget the slips of this name from this address."""
        with self._lock:
            pair, *others = [key for key, _ in _keys(name, address)]
            self._failures.pop(pair, None)
            for key in others:
                if times := self._failures.get(key):
                    times.pop()

    def _count(self, name: str, address: str, now: float) -> None:
        for key, most in _keys(name, address):
            self._failures.setdefault(key, deque(maxlen=most)).append(now)
            self._failures.move_to_end(key)
        while len(self._failures) > REMEMBERED:
            self._failures.popitem(last=False)

    def _wait(self, key: Key, most: int, now: float) -> float:
        times = self._failures.get(key)
        if times is None or len(times) < most:
            return 0.0
        return max(0.0, times[0] + WINDOW - now)


def _keys(name: str, address: str) -> list[tuple[Key, int]]:
    name = name.casefold()[:64]
    return [((name, address), MOST_PAIR), (("", address), MOST_ADDRESS), ((name, ""), MOST_NAME)]
