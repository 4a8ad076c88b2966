"""What systemd is told of us: that we are ready, alive, stopping (sd_notify(3)).

The protocol is a datagram of a line or two to a socket that the environment names. The libraries
for it bind a C library or are not looked after, and all they would save is in here. Without systemd
nothing is sent, and nothing here fails: a service is not to end because nobody listens.
"""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress


class ServiceManager:
    """The manager that started this process, if one did.

    ``every`` is how often, in seconds, it is to hear that we are alive: half the time after which
    it would take us for frozen. None when it does not watch.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._place = environ.get("NOTIFY_SOCKET", "")
        self.every = _every(environ) if self._place else None

    def ready(self) -> None:
        """Say that calls can come."""
        self._say("READY=1")

    def alive(self) -> None:
        """Say that we are not frozen."""
        self._say("WATCHDOG=1")

    def stopping(self) -> None:
        """Say that we end as soon as no caller waits."""
        self._say("STOPPING=1\nSTATUS=Letting hunts end")

    def _say(self, text: str) -> None:
        if not self._place:
            return
        # A name that begins with "@" is in the abstract namespace, where it begins with a NUL.
        place = "\0" + self._place[1:] if self._place.startswith("@") else self._place
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.sendto(text.encode(), place)


def _every(environ: Mapping[str, str]) -> float | None:
    """Return half of WATCHDOG_USEC, unless it is meant for another process."""
    usec, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not (usec.isascii() and usec.isdigit()) or pid not in ("", str(os.getpid())):
        return None
    return int(usec) / 2_000_000 or None
