"""What the sockets of waiting calls cost a real FreeSWITCH for each further call.

``python -m benchmarks.subscriptions [WAITING] [CALLS]``: so many calls wait, each with a socket
that is subscribed to something; beside them others are bridged by the switch itself, one after the
other. Printed is the switch's processor time for one of those. All sockets change their
subscriptions together, in turns, so that each way is measured beside all the others.
"""

from __future__ import annotations

import statistics
import sys

import gevent
from gevent import socket

from benchmarks.latency import BRIDGE, USERS
from benchmarks.switch_load import ANSWERS, resting, serve
from fsctl.esl import commands
from fsctl.esl.codec import Decoder
from fsctl.esl.listener import bind, place_of
from tests.live.rig import FreeSwitchRig
from tests.scenarios.rig import Script

ROUNDS = 4
EVENTS = "event json " + " ".join(commands.EVENTS)
OWN_JOBS = "filter Job-Owner-UUID {}"
WAYS: dict[str, tuple[str, ...]] = {
    "nothing": (),
    "results of own jobs": ("event json BACKGROUND_JOB", OWN_JOBS),
    "seven events, a header that comes early": ("filter Unique-ID {}", EVENTS),
    "seven events, a header that is not there": (OWN_JOBS, EVENTS),
    "seven events, as fsctl does": (
        "filter Event-Name FSCTL",
        OWN_JOBS,
        "filter Unique-ID {}",
        f"filter variable_{commands.CALL_TAG} {{}}",
        EVENTS,
    ),
}
LAST = {"myevents": ("myevents json",)}
"""It cannot be taken back."""


class Waiter:
    """One waiting call's socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.uuid = ""
        sock.sendall(b"connect\n\n")
        gevent.spawn(self._read)

    def _read(self) -> None:
        decoder = Decoder()
        while data := self._sock.recv(65_536):
            for frame in decoder.feed(data):
                self.uuid = self.uuid or frame.headers.get("Unique-ID", "")

    def order(self, orders: tuple[str, ...]) -> None:
        """Be subscribed to this and to nothing else."""
        for order in ("noevents", "filter delete all", *orders):
            self._sock.sendall(order.format(self.uuid).encode() + b"\n\n")


def main(count: int, calls: int) -> None:
    """Measure, and print a line for each way."""
    listening = bind("127.0.0.1", 0)
    waiters: list[Waiter] = []

    def accept() -> None:
        server = socket.socket(fileno=listening.detach())
        while True:
            waiters.append(Waiter(server.accept()[0]))

    rig = FreeSwitchRig(place_of(listening))
    accepting = gevent.spawn(accept)
    try:
        for user in USERS:
            rig.phone(user)
        rig.phone(ANSWERS, Script(answer_after=0.05))
        while len(waiters) < count:
            before = len(waiters)
            rig.dial("700", who=f"waiting {before}")
            while len(waiters) == before:
                gevent.sleep(0.005)
        while not all(waiter.uuid for waiter in waiters):
            gevent.sleep(0.05)
        serve(rig, BRIDGE, 3, 0.0)
        found: dict[str, list[float]] = {}
        for ways in (*(ROUNDS * [WAYS]), *(ROUNDS * [LAST])):
            for name, orders in ways.items():
                for waiter in waiters:
                    waiter.order(orders)
                idle = resting(rig)
                found.setdefault(name, []).append(serve(rig, BRIDGE, calls, idle))
    finally:
        accepting.kill()
        rig.close()
    print(f"{count} sockets of waiting calls listen to     ms for a bridged call (lowest, highest)")
    for name, took in found.items():
        print(f"{name:<44}{statistics.median(took):8.1f} ({min(took):.1f}, {max(took):.1f})")


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[1:]]
    main(*(given + [200, 12][len(given) :]))
