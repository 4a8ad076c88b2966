"""A controller and a Python switch in this process, and the strangers who come to it.

Groups live in a dictionary here: what databases do to calls is tested elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from ipaddress import ip_network

import gevent
from gevent import socket

from fsctl.controller.directory import Directory, Keys, Source
from fsctl.controller.server import Controller, Limits
from fsctl.esl.listener import Network, bind
from fsctl.hunt.group import Group, Member
from tests.scenarios.python_rig import PythonCall, PythonRig

LOOPBACK = (ip_network("127.0.0.0/8"),)
WAIT = 2.0


class House:
    """One controller with group 600 (``test002``), and a switch that hands it calls."""

    def __init__(
        self, limits: Limits | None = None, allowed: tuple[Network, ...] = LOOPBACK
    ) -> None:
        self.groups = {"600": Group("sales", members=(Member("test002"),), wait=WAIT)}
        sock = bind("127.0.0.1", 0)
        # A machine that is held up for a second says nothing of a dictionary.
        directory = Directory(Source(self.load, lambda: 1), patience=10.0)
        self.controller = Controller(sock, allowed, directory, lambda number: (number,), limits)
        self.controller.start()
        self.rig = PythonRig(self.controller.address)

    def load(self, keys: Keys) -> Group | None:
        """Look a group up, as a database would."""
        return next((self.groups[key] for key in keys if key in self.groups), None)

    def follow(self, source: Source) -> Directory:
        """Have the controller read its groups from another source."""
        self.controller.directory.stop()
        self.controller.directory = directory = Directory(source)
        directory.start()
        return directory

    def knock(self) -> socket.socket:
        """Connect as a stranger would."""
        host, _, port = self.controller.address.rpartition(":")
        return socket.create_connection((host, int(port)))

    def dial(self, number: str, who: str, controllers: str | None = None) -> PythonCall:
        """Place a call from a dialplan that sets ``socket_resume``, as the README has it."""
        call = self.rig.dial(number, who=who, controllers=controllers)
        call._placed._channel.set("socket_resume", "true")
        return call

    def rings(self, who: str) -> float:
        """Place a call and return after how many seconds its member's phone rings."""
        before = len(self.rig.log.all("test002", "invite"))
        call = self.rig.dial("600", who=who)
        calling = self.rig.log.wait(who, "calling").at
        rung = self.rig.log.wait("test002", "invite", count=before + 1).at
        call.hang_up()
        self.rig.log.wait("test002", "cancel", count=before + 1)
        return rung - calling

    def close(self) -> None:
        self.rig.close()
        self.controller.stop()


def until_closed(sock: socket.socket, timeout: float) -> float:
    """Return after how many seconds the other side closes; AssertionError if it does not."""
    began = time.monotonic()
    sock.settimeout(timeout)
    try:
        while sock.recv(65536):
            left = began + timeout - time.monotonic()
            assert left > 0, "the connection goes on"
            sock.settimeout(left)
    except ConnectionError:
        pass
    except TimeoutError:
        raise AssertionError("the connection goes on") from None
    return time.monotonic() - began


def pour(sock: socket.socket, pieces: Iterator[bytes], pause: float = 0.0) -> int:
    """Send pieces until there are no more or nobody takes them; returns the bytes sent."""
    sent = 0
    with suppress(OSError):
        for piece in pieces:
            sock.sendall(piece)
            sent += len(piece)
            gevent.sleep(pause)
    return sent


def wait_until(condition: Callable[[], bool], timeout: float = 5.0) -> None:
    until = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < until, "it did not come true"
        gevent.sleep(0.005)
