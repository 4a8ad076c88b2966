"""The listening socket that FreeSWITCH's ``socket`` application connects to.

greenswitch's own server is not used: it looks for connections every 100 ms and keeps a backlog of
100 (design of this project). gevent's ``StreamServer`` accepts at once, and gets a socket of ours.

Nobody is turned away by closing alone: a FreeSWITCH whose connection merely closes leaves its
caller parked with nobody (tried). It is told to go on in its dialplan first.
"""

import ctypes
import errno
import logging
import math
import os
import random
import resource
import socket as plain
import struct
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any

import gevent
from gevent.server import StreamServer

from fsctl.caches import cache_of_texts
from fsctl.esl import commands

BACKLOG = 4096
"""Connections that may wait to be accepted; the kernel caps it (net.core.somaxconn)."""
LONGEST_ADDRESS = 64
"""Characters of an IP address with a zone (``fe80::1%eth0``)."""
MAX_CONNECTIONS = 20_000
"""Connections that are kept at once: each is a call, or somebody who has not said what it is."""
SPARE_FILES = 64
"""Files that connections leave to the rest of the program: its database, its logs."""
KEEPALIVE = {
    plain.TCP_KEEPIDLE: 60,  # seconds of silence
    plain.TCP_KEEPINTVL: 15,
    plain.TCP_KEEPCNT: 4,
}
"""When a switch that vanished during a long conversation counts as gone."""
HANDSHAKE = 0.02
"""Seconds for connections that are half made when we stop to become whole."""
SAY_AGAIN = 60.0
"""Seconds until it is logged again that there is no room."""
_ATTACH_FILTER = 26
"""SO_ATTACH_FILTER of Linux (socket(7)); Python has no name for it."""
_NO_SYN = struct.pack(
    "HBBI" * 4,
    *(0x30, 0, 0, 13),  # load the byte with the flags of the TCP header
    *(0x45, 0, 1, 0x02),  # SYN?
    *(0x06, 0, 0, 0),  # drop it
    *(0x06, 0, 0, 0xFFFF_FFFF),  # keep anything else
)
_DECLINE = "".join(order + "\n\n" for order in commands.DECLINE).encode()
_NO_FILES = (errno.EMFILE, errno.ENFILE)

log = logging.getLogger(__name__)

Network = IPv4Network | IPv6Network
Handler = Callable[[plain.socket, object, float, float], None]
"""Given a greeted connection, its address, when it came and until when it has to say what it is."""


def bind(host: str, port: int) -> plain.socket:
    """Return a listening TCP socket. Raises OSError.

    A plain one: several processes may share it, and gevent's own would begin a hub before the fork.
    """
    family = plain.AF_INET6 if ":" in host else plain.AF_INET
    sock = plain.socket(family, plain.SOCK_STREAM)
    try:
        sock.setsockopt(plain.SOL_SOCKET, plain.SO_REUSEADDR, 1)
        _tune(sock)
        sock.bind((host, port))
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)
    return sock


def place_of(sock: plain.socket) -> str:
    """Return where a socket listens, as HOST:PORT."""
    host, port = sock.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def decline(sock: plain.socket) -> None:
    """Give a caller for whom nothing was begun back to the dialplan, and close; waits for nothing.

    Only for a connection that was sent little before: the few bytes fit its buffer.
    """
    with suppress(OSError):
        sock.settimeout(0)
        sock.send(_DECLINE)
    sock.close()


class Listener(StreamServer):
    """Accepts connections from the networks that are allowed, greets them, and hands on who speaks.

    ``greeting`` is what is said to each at once. When an answer begins to come, or after
    ``patience`` seconds without one (half of it at least: thousands that came together must not end
    in one instant), ``handler`` runs in a greenlet of its own and reports with ``proven`` when the
    connection turns out to be a call. So one that stays silent costs hardly more than its socket,
    and five thousand that come in a second keep no caller waiting. At most ``most`` are kept, and
    fewer when the process may not open as many files. When a connection comes beyond that, the one
    that has been silent for longest goes; when all are calls, the new one.
    """

    max_accept = 16  # at a time, for others to have their turn, and well below SPARE_FILES

    def __init__(
        self,
        sock: plain.socket,
        allowed: Sequence[Network],
        handler: Handler,
        most: int = MAX_CONNECTIONS,
        greeting: bytes = b"",
        patience: float = 10.0,
    ) -> None:
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._most = max(1, min(most, files - SPARE_FILES))
        self._allowed = tuple(allowed)
        self._handler = handler
        self._may_connect = cache_of_texts(1_000, LONGEST_ADDRESS)(self._is_allowed)
        self._open: set[plain.socket] = set()
        self._silent: OrderedDict[plain.socket, _Silent] = OrderedDict()
        self._greeting = greeting
        self._patience = patience
        self._spare = os.open(os.devnull, os.O_RDONLY)
        self._said_full = -math.inf
        super().__init__(sock, self.do_handle)

    @property
    def place(self) -> str:
        """Where it listens, as HOST:PORT."""
        return place_of(self.socket)

    def proven(self, sock: plain.socket) -> None:
        """Take a connection for a call: it stays until its handler is done."""
        self._silent.pop(sock, None)

    def drain(self) -> None:
        """Take the connections that wait to be accepted, and then no more.

        One that still waits when the socket closes is reset, and its caller gets nobody.
        """
        self.stop_accepting()
        _drop_new(self.socket)
        gevent.sleep(HANDSHAKE)
        for _ in range(BACKLOG):
            arrived = self.do_read()
            if arrived is None:
                break
            self.do_handle(*arrived)
        self.close()
        for silent in list(self._silent.values()):
            silent.speak()
        gevent.sleep(0)  # each has a greenlet now; let them begin

    def do_read(self) -> Any:
        """Accept one connection and return its socket and address, None when there is none.

        Out of files, gevent waits up to a second, with the callers of all connections that come
        meanwhile. The spare file lets each be accepted and declined instead.
        """
        try:
            return self._accept()
        except (BlockingIOError, ConnectionAbortedError):
            return None
        except OSError as error:
            if error.errno not in _NO_FILES:
                raise
            self._say_full(os.strerror(error.errno))
            os.close(self._spare)
            try:
                with suppress(BlockingIOError, ConnectionAbortedError):
                    decline(self._accept()[0])
            finally:
                self._spare = os.open(os.devnull, os.O_RDONLY)
            return None

    def _accept(self) -> tuple[plain.socket, tuple[str, int]]:
        """Return a connection. Its socket is a plain one: gevent's has watchers that none needs."""
        sock: Any = self.socket
        fd, address = sock._accept()
        return plain.socket(sock.family, sock.type, sock.proto, fileno=fd), address

    def do_handle(self, *arrived: Any) -> None:
        """Greet a connection. It has no greenlet until it says something."""
        sock, address = arrived
        if not self._may_connect(address[0]) or not self._has_room():
            decline(sock)
            return
        try:
            sock.setblocking(False)
            sock.send(self._greeting)
        except OSError:
            sock.close()
            return
        self._open.add(sock)
        patience = self._patience * random.uniform(0.5, 1.0)  # noqa: S311
        self._silent[sock] = _Silent(sock, address, patience, self._serve, self._forget)

    def _forget(self, silent: "_Silent") -> None:
        self._open.discard(silent.sock)
        self._silent.pop(silent.sock, None)

    def _serve(self, silent: "_Silent") -> None:
        try:
            self._handler(silent.sock, silent.address, silent.came, silent.until)
        finally:
            self._forget(silent)
            silent.sock.close()

    def _has_room(self) -> bool:
        """Whether one more may stay, if need be in the place of one that has said nothing yet."""
        if len(self._open) < self._most:
            return True
        self._say_full(f"{self._most} connections are open")
        if not self._silent:
            return False
        sock, oldest = self._silent.popitem(last=False)
        self._open.discard(sock)
        with suppress(OSError):
            sock.send(_DECLINE)
        oldest.end()
        return True

    def _say_full(self, why: str) -> None:
        now = time.monotonic()
        if now - self._said_full > SAY_AGAIN:
            self._said_full = now
            log.error("%s: silent ones make room, or else the dialplan has new calls back", why)

    def _is_allowed(self, host: str) -> bool:
        """Decide on an address, and say so; asked once for each as long as not many come."""
        peer = ip_address(host.partition("%")[0])
        mapped = getattr(peer, "ipv4_mapped", None) or peer
        if any(mapped in network for network in self._allowed):
            return True
        log.warning("%s may not connect: it is in none of the allowed networks", host)
        return False


class _Silent:
    """A connection that was greeted and has not proven to be a call."""

    __slots__ = (
        "_forget",
        "_greenlet",
        "_reads",
        "_serve",
        "_timer",
        "address",
        "came",
        "sock",
        "until",
    )

    def __init__(
        self,
        sock: plain.socket,
        address: object,
        patience: float,
        serve: Callable[["_Silent"], None],
        forget: Callable[["_Silent"], None],
    ) -> None:
        loop = gevent.get_hub().loop
        self.sock = sock
        self.address = address
        self.came = time.monotonic()
        self.until = self.came + patience
        self._serve = serve
        self._forget = forget
        self._greenlet: gevent.Greenlet[..., None] | None = None
        self._reads = loop.io(sock.fileno(), 1)
        self._timer = loop.timer(patience)
        self._reads.start(self._stir)
        self._timer.start(self.speak)

    def _stir(self) -> None:
        """See whether it says something, or leaves as it came."""
        try:
            left = not self.sock.recv(1, plain.MSG_PEEK)
        except BlockingIOError:
            return
        except OSError:
            left = True
        if left:
            self.end()
            self._forget(self)
        else:
            self.speak()

    def speak(self) -> None:
        """Be served, in a greenlet: it says something, or has been silent for too long."""
        if self._greenlet is None:
            self._reads.close()
            self._timer.close()
            self._greenlet = gevent.spawn(self._serve, self)

    def end(self) -> None:
        """Close the connection, whoever serves it."""
        if self._greenlet is None:
            self._reads.close()
            self._timer.close()
            self.sock.close()
        else:
            self._greenlet.kill(block=False)


def _drop_new(sock: plain.socket) -> None:
    """Have the kernel leave new attempts to connect unanswered, where it can.

    The other side repeats them after a second, finds the socket closed and goes to its next host.
    Between our last look at the queue and the closing it would have been connected, and reset.
    """
    program = ctypes.create_string_buffer(_NO_SYN, len(_NO_SYN))
    with suppress(OSError):
        place = struct.pack("HP", len(_NO_SYN) // 8, ctypes.addressof(program))
        sock.setsockopt(plain.SOL_SOCKET, _ATTACH_FILTER, place)


def _tune(sock: plain.socket) -> None:
    """Send small commands at once, since the first INVITE waits for them; notice a dead peer.

    What a listening socket has of this its connections have too (tcp(7) of Linux).
    """
    with suppress(OSError):  # gone already: its reader will see
        sock.setsockopt(plain.IPPROTO_TCP, plain.TCP_NODELAY, 1)
        sock.setsockopt(plain.SOL_SOCKET, plain.SO_KEEPALIVE, 1)
        for option, value in KEEPALIVE.items():
            sock.setsockopt(plain.IPPROTO_TCP, option, value)
