"""Which connections of an HTTP server stay. Without I/O but the closing of those that go.

A connection that waits for its client (half a head, half a body, an answer that is not taken) may
go at any time; those whose request is being answered stay. So whatever strangers hold open makes
room for the next who comes.
"""

import socket as plain
from collections import Counter, OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

Network = IPv4Network | IPv6Network
HOUSEHOLD = 64
"""Bits of an IPv6 address that tell one customer's network from another's (RFC 6177)."""


def origin_of(address: str) -> str:
    """Return whose connections count together: an IPv4 address, or an IPv6 network."""
    peer = ip_address(address.partition("%")[0])
    peer = getattr(peer, "ipv4_mapped", None) or peer
    if peer.version == 4:
        return str(peer)
    return str(ip_network((int(peer), HOUSEHOLD), strict=False))


def is_in(address: str, networks: Sequence[Network]) -> bool:
    """Whether an address belongs to one of these networks."""
    peer = ip_address(address.partition("%")[0])
    peer = getattr(peer, "ipv4_mapped", None) or peer
    return any(peer in network for network in networks)


class Connection:
    """A connection that was accepted."""

    __slots__ = ("counted", "origin", "sock", "trusted")

    def __init__(self, sock: Any, origin: str, trusted: bool) -> None:
        self.sock = sock
        self.origin = origin
        self.trusted = trusted
        self.counted = False
        """Whether it counts among those of its address."""


class Room:
    """Holds ``most`` connections, and ``of_one`` of each address.

    Those of ``trusted`` networks (a proxy's, for example) are not counted by address.
    """

    def __init__(self, most: int, of_one: int, trusted: Sequence[Network] = ()) -> None:
        self._most = most
        self._of_one = of_one
        self._trusted = tuple(trusted)
        self._open: set[Connection] = set()
        self._waiting: OrderedDict[Connection, None] = OrderedDict()
        self._of: Counter[str] = Counter()

    def __len__(self) -> int:
        """Count the connections."""
        return len(self._open)

    def admit(self, sock: Any, address: str) -> Connection | None:
        """Take a new connection, in the place of one that waits if need be; None: no room."""
        origin = origin_of(address)
        trusted = is_in(address, self._trusted)
        if not trusted and self._of[origin] >= self._of_one and not self._evict(origin):
            return None
        if len(self._open) >= self._most and not self._evict():
            return None
        connection = Connection(sock, origin, trusted)
        self._open.add(connection)
        self.wait(connection)
        return connection

    def wait(self, connection: Connection) -> None:
        """Note that it is the client's turn."""
        if connection in self._open:
            self._waiting[connection] = None
            self._count(connection, not connection.trusted)

    def work(self, connection: Connection) -> None:
        """Note that it is our turn: until ``wait`` the connection stays."""
        self._waiting.pop(connection, None)

    def vouch(self, connection: Connection) -> None:
        """Note that a user has it until ``wait``: it is none of those of its address."""
        self._count(connection, False)

    def leave(self, connection: Connection) -> None:
        """Forget a connection that is over."""
        if connection not in self._open:
            return
        self._open.discard(connection)
        self._waiting.pop(connection, None)
        self._count(connection, False)

    def _count(self, connection: Connection, counted: bool) -> None:
        self._of[connection.origin] += counted - connection.counted
        connection.counted = counted
        if not self._of[connection.origin]:
            del self._of[connection.origin]

    def _evict(self, origin: str | None = None) -> bool:
        """End the connection that has waited for longest; False: none waits."""
        found = next((one for one in self._waiting if origin in (None, one.origin)), None)
        if found is None:
            return False
        self.leave(found)
        with suppress(OSError):
            found.sock.shutdown(plain.SHUT_RDWR)  # its reader sees the end
        return True
