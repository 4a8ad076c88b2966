"""The hunt on Genesis (asyncio)."""

import asyncio
import logging
import sys
import time
from typing import Any

from genesis import Outbound

from benchmarks.hunts.rivals.orders import EVENTS, MEMBERS, Book, originate

BOOK = Book(sys.argv[2])


async def hunt(session: Any) -> None:
    """Hunt, to the call's end."""
    began = time.time()
    uuid = session.uuid
    over = asyncio.Event()
    told = {"answered_by": "", "cause": ""}

    def bridged(event: Any) -> None:
        told["answered_by"] = event.get("Other-Leg-Unique-ID", "")

    def hung_up(event: Any) -> None:
        if event.get("Unique-ID") == uuid:
            told["cause"] = event.get("Hangup-Cause", "")
            over.set()

    session.on("CHANNEL_BRIDGE", bridged)
    session.on("CHANNEL_HANGUP_COMPLETE", hung_up)
    for command in (
        "linger 5",
        f"event plain {EVENTS}",
        f"filter Unique-ID {uuid}",
        f"filter variable_hunt_call {uuid}",
        f"filter Job-Owner-UUID {uuid}",
    ):
        await session.send(command)
    for member in MEMBERS:
        await session.send(originate(uuid, "+48600100200", member))
    await asyncio.wait_for(over.wait(), 60)
    BOOK.write(uuid, began, told["answered_by"], told["cause"])


async def main() -> None:
    """Serve."""
    await Outbound(hunt, "127.0.0.1", int(sys.argv[1]), events=False, linger=False).start()


logging.disable(logging.CRITICAL)
asyncio.run(main())
