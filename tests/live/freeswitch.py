"""The switch itself: a FreeSWITCH process with a configuration of ours in a directory of its own.

Owns its ports, its life from start to stop, and what it says about its channels. Must not know
phones or calls.
"""

from __future__ import annotations

import contextlib
import random
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import gevent
from gevent.event import Event as Signal

from tests.live.configuration import FALLBACK, Ports, document
from tests.live.eventsocket import Event, EventSocket

START = 30.0
RTP_PORTS = 1000
CAUGHT_UP = "rig::caught-up"


def installed() -> bool:
    return shutil.which("freeswitch") is not None


class FreeSwitch:
    """A running FreeSWITCH; ``on_fallback`` is told each uuid that passed the ``socket`` action."""

    def __init__(self, on_fallback: Callable[[str], None]) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="fsctl-rig-")
        self.directory = Path(self._directory.name)
        self.password = secrets.token_hex(8)
        self._on_fallback = on_fallback
        self._channels: dict[str, None] = {}
        self._quiet = Signal()
        self._quiet.set()
        self._caught_up = Signal()
        rtp, self._rtp_guard = _rtp_range()
        self.ports = Ports(_free(socket.SOCK_STREAM), *_two_free_for_sip(), rtp)
        (self.directory / "freeswitch.xml").write_text(
            document(str(self.directory), self.ports, self.password)
        )
        # Spares FreeSWITCH the making of a key for TLS, which takes it a second or more.
        (self.directory / "wss.pem").touch()
        self._process = self._spawn()
        try:
            self._control = self._connect(None)
            self._events = self._connect(self._on_event)
            self._events.command(
                f"event json CHANNEL_CREATE CHANNEL_DESTROY CUSTOM {FALLBACK} {CAUGHT_UP}"
            )
            self._await_profiles()
            self._warm_up()
        except BaseException:
            self.stop()
            raise

    def api(self, line: str) -> str:
        """Run one api command in the switch; returns what it printed."""
        return self._control.api(line)

    def channels(self) -> list[str]:
        """Uuids of the channels that exist now."""
        self._catch_up()
        known = list(self._channels)
        return [uuid for uuid in known if self.api(f"uuid_exists {uuid}") == "true"]

    def hang_up_all(self, timeout: float = 15.0) -> None:
        """End every call and wait for the last channel to be gone; AssertionError if one stays.

        Said again each second: ``hupall`` misses a leg whose channel is just being made.
        """
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            self.api("hupall NORMAL_CLEARING")
            self._catch_up()
            if self._quiet.wait(1.0):
                return
        raise AssertionError(f"channels that would not end: {self.channels()}")

    def log(self) -> str:
        return (self.directory / "freeswitch.log").read_text(errors="replace")

    def log_of(self, uuid: str) -> str:
        """Return what the log says of a channel, and of those whose lines speak of it."""
        lines = [line for line in self.log().splitlines() if line.strip()]
        concerned = {uuid} | {line[:36] for line in lines if uuid in line and line[8:9] == "-"}
        return "\n".join(line for line in lines if line[:36] in concerned or uuid in line)

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> None:
        """Kill it: it takes up to ten seconds to leave by itself; its directory goes with it."""
        self._process.kill()
        self._process.wait()
        self._rtp_guard.close()
        self._directory.cleanup()

    def _spawn(self) -> subprocess.Popen[bytes]:
        places = []
        for option in ("-conf", "-log", "-db", "-run", "-certs", "-storage", "-cache", "-temp"):
            places += [option, str(self.directory)]
        return subprocess.Popen(
            ["freeswitch", "-nf", "-nc", "-np", "-nonat", "-nonatmap", *places],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _connect(self, on_event: Callable[[Event], None] | None) -> EventSocket:
        deadline = time.monotonic() + START
        while True:
            if self._process.poll() is not None:
                raise RuntimeError(f"FreeSWITCH ended with status {self._process.returncode}")
            with contextlib.suppress(ConnectionRefusedError):
                return EventSocket(self.ports.event_socket, self.password, on_event)
            if time.monotonic() > deadline:
                raise RuntimeError(f"FreeSWITCH was not up within {START:g} s")
            gevent.sleep(0.02)

    def _await_profiles(self) -> None:
        deadline = time.monotonic() + START
        for profile in ("internal", "external"):
            while "RUNNING" not in self.api("sofia status").partition(profile)[2]:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"FreeSWITCH did not start its SIP profile {profile}")
                gevent.sleep(0.02)

    def _warm_up(self) -> None:
        """Have mod_sofia start its presence thread: it holds up all events for 0.5 s to do so.

        Read in sofia_presence_event_handler: it happens at the switch's first presence event, which
        would otherwise be the first call of a test.
        """
        self._events.command("sendevent PRESENCE_PROBE")
        self._catch_up()

    def _catch_up(self) -> None:
        """Wait until every event fired so far has been delivered, by an event of our own."""
        self._caught_up.clear()
        self._events.command(f"sendevent CUSTOM\nEvent-Subclass: {CAUGHT_UP}")
        if not self._caught_up.wait(START):
            raise RuntimeError("FreeSWITCH passes no events on")

    def _on_event(self, event: Event) -> None:
        uuid = event.get("Unique-ID", "")
        match event["Event-Name"]:
            case "CHANNEL_CREATE":
                self._channels[uuid] = None
                self._quiet.clear()
            case "CHANNEL_DESTROY":
                self._channels.pop(uuid, None)
                if not self._channels:
                    self._quiet.set()
            case "CUSTOM" if event["Event-Subclass"] == CAUGHT_UP:
                self._caught_up.set()
            case "CUSTOM":
                self._on_fallback(uuid)


def _free(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _two_free_for_sip() -> tuple[int, int]:
    """Choose the ports of the profiles ``internal`` (UDP) and ``external`` (UDP and TCP)."""
    internal = _free(socket.SOCK_DGRAM)
    while True:
        external = _free(socket.SOCK_STREAM)
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe,
            contextlib.suppress(OSError),
        ):
            probe.bind(("127.0.0.1", external))
            if external != internal:
                return internal, external


def _rtp_range() -> tuple[tuple[int, int], socket.socket]:
    """Choose a range below the ephemeral ports; the guard keeps other rigs out of it."""
    starts = list(range(12000, 32000, RTP_PORTS))
    random.shuffle(starts)
    for start in starts:
        guard = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            guard.bind(("127.0.0.1", start))
        except OSError:
            guard.close()
            continue
        return (start + 2, start + RTP_PORTS - 2), guard
    raise RuntimeError("no free range of ports for voice on 127.0.0.1")
