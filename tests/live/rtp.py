"""Voice that can be told apart: each end of each call speaks a pattern of its own.

Owns RTP (RFC 3550) as far as a PCMU stream needs it: 160 octets each 20 ms, the pattern repeated.
The switch passes PCMU through untouched between two ends that both speak it, so the pattern arrives
octet for octet and proves who is heard. Must not know SIP.
"""

from __future__ import annotations

import contextlib
import secrets
import socket
import struct
import time
from collections import Counter

import gevent
from gevent import Greenlet
from gevent.event import Event

PACKET = 0.02
SAMPLES = 160
HEADER = struct.Struct("!BBHII")
PATTERN = 8


class Voice:
    """One end of one call's audio: it always listens, and speaks between start and stop."""

    def __init__(self) -> None:
        self.pattern = secrets.token_bytes(PATTERN)
        self.heard: Counter[bytes] = Counter()
        self.changed = Event()
        self._sound = Event()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]
        self._watcher = gevent.get_hub().loop.io(self._socket.fileno(), 1)
        self._watcher.start(self._listen)
        self._speaker: Greenlet[..., None] | None = None
        self._to: tuple[str, int] | None = None

    def hears_sound(self, timeout: float) -> bool:
        """Whether a sound of the switch comes, neither a voice nor silence."""
        self._sound.clear()
        return self._sound.wait(timeout)

    def start(self, to: tuple[str, int] | None) -> None:
        """Speak to this address from now on; a second call moves the stream there."""
        self._to = to or self._to
        if self._speaker is None and self._to is not None:
            self._speaker = gevent.spawn(self._speak)

    def close(self) -> None:
        if self._speaker is not None:
            self._speaker.kill(block=False)
        self._watcher.stop()
        self._watcher.close()
        self._socket.close()

    def _listen(self) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionError):
            while True:
                payload = self._socket.recv(2048)[HEADER.size :]
                pattern = payload[:PATTERN]
                if payload == pattern * (len(payload) // PATTERN):
                    self.heard[pattern] += 1
                    self.changed.set()
                else:
                    self._sound.set()

    def _speak(self) -> None:
        payload = self.pattern * (SAMPLES // PATTERN)
        source = secrets.randbits(32)
        start = time.monotonic()
        number = 0
        while self._to is not None:
            header = HEADER.pack(0x80, 0, number & 0xFFFF, number * SAMPLES & 0xFFFFFFFF, source)
            with contextlib.suppress(OSError):
                self._socket.sendto(header + payload, self._to)
            number += 1
            gevent.sleep(max(0.0, start + number * PACKET - time.monotonic()))


def both_ways(one: Voice, other: Voice, timeout: float) -> bool:
    """Whether each of the two hears the other from now on, waiting up to ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    before = one.heard[other.pattern], other.heard[one.pattern]
    while one.heard[other.pattern] == before[0] or other.heard[one.pattern] == before[1]:
        waiting = one if one.heard[other.pattern] == before[0] else other
        waiting.changed.clear()
        if not waiting.changed.wait(max(0.0, deadline - time.monotonic())):
            return False
    return True
