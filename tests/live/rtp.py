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
from collections.abc import Iterator

import gevent
from gevent import Greenlet
from gevent.event import Event

PACKET = 0.02
SAMPLES = 160
HEADER = struct.Struct("!BBHII")
PATTERN = 8
KEYS = 101
"""The payload type of keys that are pressed (RFC 4733)."""
KEY_PACKETS, KEY_ENDS = 5, 3
_KEY = struct.Struct("!BBH")
_FIRST, _END, _VOLUME = 0x80, 0x80, 10


class Voice:
    """One end of one call's audio: it always listens, and speaks between start and stop."""

    def __init__(self) -> None:
        self.pattern = secrets.token_bytes(PATTERN)
        self.heard: Counter[bytes] = Counter()
        self.first_heard: dict[bytes, float] = {}
        """When each pattern came first (``time.monotonic()``, seconds)."""
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
        self._keys: list[int] = []

    def press(self, digit: int) -> None:
        """Press a key for 100 ms, told within the stream (RFC 4733)."""
        self._keys.append(digit)

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
                    self.first_heard.setdefault(pattern, time.monotonic())
                    self.changed.set()
                else:
                    self._sound.set()

    def _speak(self) -> None:
        start = time.monotonic()
        for number, packet in enumerate(self._packets()):
            if self._to is None:
                return
            with contextlib.suppress(OSError):
                self._socket.sendto(packet, self._to)
            gevent.sleep(max(0.0, start + (number + 1) * PACKET - time.monotonic()))

    def _packets(self) -> Iterator[bytes]:
        """Yield the stream's packets, one for each 20 ms: the pattern, or a key that is pressed."""
        source = secrets.randbits(32)
        voice = self.pattern * (SAMPLES // PATTERN)
        number = 0
        while True:
            if self._keys:
                digit, began = self._keys.pop(0), number
                for sent in range(KEY_PACKETS + KEY_ENDS):
                    ends = _END if sent >= KEY_PACKETS else 0
                    told = _KEY.pack(digit, ends | _VOLUME, min(sent + 1, KEY_PACKETS) * SAMPLES)
                    kind = KEYS if sent else KEYS | _FIRST
                    yield _packet(kind, number, began, source, told)
                    number += 1
            yield _packet(0, number, number, source, voice)
            number += 1


def _packet(kind: int, number: int, at: int, source: int, payload: bytes) -> bytes:
    stamp = at * SAMPLES & 0xFFFFFFFF
    return HEADER.pack(0x80, kind, number & 0xFFFF, stamp, source) + payload


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
