"""Slows down whoever guesses passwords, without locking anybody out of their own account.

Failures within ``WINDOW`` seconds are counted

- for one name from one network: ``MOST_PAIR``;
- from one network, for any name: ``MOST_NETWORK``;
- for one name from anywhere. Beyond ``MANY`` each network has one attempt for that name instead of
  five, and beyond ``MOST_NAME`` none at all.

A browser in which the user signed in before (``fsctl.admin.signed_in`` knows it by a cookie) is
counted by itself: what strangers do counts for nothing there. So somebody who guesses from
elsewhere, from any number of addresses, keeps no user out of the browser that they use.

Somebody who has IPv6 has at least a /64 of it, so a network is a /64, or one address of IPv4. Names
are compared as the store compares them. Counts are kept in memory, a bounded number of each kind. A
panel that starts anew begins at zero; a stranger cannot make it start.
"""

import threading
from collections import OrderedDict, deque
from ipaddress import IPv6Address, ip_address, ip_network
from itertools import islice

from fsctl.store.limits import LONGEST_NAME
from fsctl.store.tables import name_key

WINDOW = 900.0
MOST_PAIR = 5
MOST_NETWORK = 30
MOST_BROWSER = 5
MOST_ACCOUNT = 10
"""Wrong current passwords, when somebody who is signed in changes their own."""
MANY = 200
MOST_NAME = 2_000
REMEMBERED = 20_000
"""Counts of each kind; beyond that the one not seen for the longest is forgotten."""
_PREFIX = 64
_LONGEST = 4 * LONGEST_NAME
"""Characters: composing (NFC) makes a name that was longer no user's."""


class Throttle:
    """Counts failed sign-ins. Times are the caller's seconds.

    Every attempt counts as a failure from ``admit`` on, before it is one: of many at once none
    slips through. ``succeeded`` takes that back.
    """

    def __init__(self) -> None:
        self._pairs = _Counts(MOST_PAIR)
        self._networks = _Counts(MOST_NETWORK)
        self._names = _Counts(MOST_NAME)
        self._browsers = _Counts(MOST_BROWSER)
        self._accounts = _Counts(MOST_ACCOUNT)
        self._lock = threading.Lock()

    def admit(self, name: str, address: str, now: float, browser: str | None = None) -> float:
        """Return for how many seconds no password is looked at; 0: this one may be.

        ``browser`` names a browser in which this very user has signed in before.
        """
        name, network = _key(name), network_of(address)
        with self._lock:
            if browser and self._browsers.take(browser, now) == 0:
                return 0.0
            return self._admit_stranger(name, network, now)

    def _admit_stranger(self, name: str, network: str, now: float) -> float:
        pair = f"{network} {name}"
        most = MOST_PAIR if self._names.number(name, now) < MANY else 1
        wait = max(
            self._pairs.wait(pair, now, most),
            self._networks.wait(network, now),
            self._names.wait(name, now),
        )
        if wait == 0:
            self._pairs.take(pair, now)
            self._networks.take(network, now)
            self._names.take(name, now)
        return wait

    def succeeded(self, name: str, address: str, browser: str | None = None) -> None:
        """Take back what ``admit`` counted, and forget the slips of this name from there."""
        name, network = _key(name), network_of(address)
        with self._lock:
            if browser and self._browsers.forget(browser):
                return
            self._pairs.forget(f"{network} {name}")
            self._networks.take_back(network)
            self._names.take_back(name)

    def admit_own(self, user_id: int, now: float) -> float:
        """Return the same for somebody who is signed in and gives their own password."""
        with self._lock:
            return self._accounts.take(str(user_id), now)

    def own_succeeded(self, user_id: int) -> None:
        """Forget the slips of somebody who is signed in."""
        with self._lock:
            self._accounts.forget(str(user_id))


class _Counts:
    """Failures by key, ``most`` of each within the window; a full one makes its key wait."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def number(self, key: str, now: float) -> int:
        """Return how many there are within the window."""
        times = self._times.get(key)
        while times and times[0] + WINDOW <= now:
            times.popleft()
        return len(times or ())

    def wait(self, key: str, now: float, most: int | None = None) -> float:
        """Return how long it takes until there are fewer than ``most``."""
        over = self.number(key, now) - (most or self._most)
        return self._times[key][over] + WINDOW - now if over >= 0 else 0.0

    def take(self, key: str, now: float) -> float:
        """Count one, if there is no wait; return the wait."""
        wait = self.wait(key, now)
        if wait == 0:
            self._times.setdefault(key, deque()).append(now)
            self._times.move_to_end(key)
            self._clean(now)
        return wait

    def _clean(self, now: float) -> None:
        """Forget what is over, and what is too much."""
        for key, times in list(islice(self._times.items(), 2)):
            if not times or times[-1] + WINDOW <= now or len(self._times) > REMEMBERED:
                del self._times[key]

    def take_back(self, key: str) -> None:
        """Take the last one back."""
        if times := self._times.get(key):
            times.pop()

    def forget(self, key: str) -> bool:
        """Forget all of a key; whether there was anything."""
        return self._times.pop(key, None) is not None


def network_of(address: str) -> str:
    """Return the network that an address belongs to: of IPv6 a /64, of IPv4 the address itself.

    Addresses of IPv6 that stand for one of IPv4 (mapped, 6to4, Teredo, NAT64) are that one. What is
    no address is all one network.
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return "?"
    if isinstance(found, IPv6Address):
        embedded = _embedded(found)
        if embedded is None:
            return str(ip_network((int(found), _PREFIX), strict=False))
        return embedded
    return str(found)


_NAT64 = ip_network("64:ff9b::/96")


def _embedded(address: IPv6Address) -> str | None:
    if address.ipv4_mapped or address.sixtofour:
        return str(address.ipv4_mapped or address.sixtofour)
    if address.teredo:
        return str(address.teredo[1])
    return str(ip_address(int(address) & 0xFFFFFFFF)) if address in _NAT64 else None


def _key(name: str) -> str:
    """Return what tells one name from another; what is too long for any user's is all one."""
    return name_key(name) if len(name) <= _LONGEST else ""
