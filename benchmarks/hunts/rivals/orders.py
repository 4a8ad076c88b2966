"""What the rivals in Python have in common: the legs' orders, and the record."""

import sqlite3
import time

MEMBERS = ("test002", "test006", "test007")
EVENTS = (
    "CHANNEL_CREATE CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_ANSWER CHANNEL_BRIDGE"
    " CHANNEL_HANGUP_COMPLETE BACKGROUND_JOB"
)


def originate(caller: str, number: str, member: str) -> str:
    """Return the order of a leg that claims the caller within the switch."""
    claim = (
        f"limit:hash hunt {caller} 1 !LOSE_RACE,unset:hunt_call,"
        f"set:x=${{hupall(LOSE_RACE hunt_call {caller})}},intercept:{caller}"
    )
    return (
        f"bgapi originate {{hunt_call={caller},originate_timeout=30,ignore_early_media=true,"
        f"hangup_after_bridge=true,intercept_unbridged_only=true,"
        f"origination_caller_id_number={number}}}user/{member} '{claim}' inline"
    )


class Book:
    """The records, as one line each."""

    def __init__(self, path: str) -> None:
        self._file = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._file.execute("PRAGMA journal_mode=WAL")
        self._file.execute("PRAGMA synchronous=NORMAL")
        self._file.execute("CREATE TABLE call (uuid, began, ended, answered_by, cause)")

    def write(self, uuid: str, began: float, answered_by: str, cause: str) -> None:
        """Write one call down."""
        row = (uuid, began, time.time(), answered_by, cause)
        self._file.execute("INSERT INTO call VALUES (?, ?, ?, ?, ?)", row)
