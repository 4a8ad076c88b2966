"""The hunt on greenswitch as it comes, with its own server."""

from gevent import monkey

monkey.patch_all()

import logging  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from typing import Any  # noqa: E402

import gevent.event  # noqa: E402
import greenswitch  # noqa: E402

from benchmarks.hunts.rivals.orders import EVENTS, MEMBERS, Book, originate  # noqa: E402

BOOK = Book(sys.argv[2])


class Hunt:
    """One call."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.began = time.time()
        self.answered_by = ""
        self.over = gevent.event.Event()
        self.cause = ""

    def run(self) -> None:
        """Hunt, to the call's end."""
        session = self.session
        uuid = session.uuid
        session.register_handle("CHANNEL_BRIDGE", self.bridged)
        session.register_handle("CHANNEL_HANGUP_COMPLETE", self.hung_up)
        session.send("linger 5")
        session.send(f"event plain {EVENTS}")
        session.send(f"filter Unique-ID {uuid}")
        session.send(f"filter variable_hunt_call {uuid}")
        session.send(f"filter Job-Owner-UUID {uuid}")
        for member in MEMBERS:
            session.send(originate(uuid, session.caller_id_number, member))
        self.over.wait(60)
        BOOK.write(uuid, self.began, self.answered_by, self.cause)

    def bridged(self, event: Any) -> None:
        """Remember who has the caller."""
        self.answered_by = event.headers.get("Other-Leg-Unique-ID", "")

    def hung_up(self, event: Any) -> None:
        """End when the caller is gone."""
        if event.headers.get("Unique-ID") == self.session.uuid:
            self.cause = event.headers.get("Hangup-Cause", "")
            self.over.set()


logging.disable(logging.CRITICAL)
server = greenswitch.OutboundESLServer(
    "127.0.0.1", int(sys.argv[1]), application=Hunt, max_connections=100_000
)
server.listen()
