"""Who is in a conversation, kept up to date beside the calls: no call waits for it.

How it works. A greenlet for each switch that ``esl_url`` names is connected to its event socket,
learns who talks when it connects, and follows the events from then on. Every ``PULSE`` seconds it
asks for a sign of life. What a switch has told counts while it is connected and has given one; of a
switch that is away, or slow, nobody is known to talk, and everybody is rung.
"""

import logging
import time
from collections.abc import Callable, Iterable

import gevent

from fsctl.esl import questions
from fsctl.esl.address import SwitchAddress
from fsctl.esl.conversations import Conversations
from fsctl.esl.errors import EventSocketError
from fsctl.esl.inbound import SwitchConnection

PULSE = 2.0
"""Seconds between two signs of life."""
ANSWER = 5.0
"""Seconds that one may take."""
FRESH = PULSE + ANSWER + 1.0
"""Seconds after the last one for which what was told counts."""
RETRY = 2.0
"""Seconds between two attempts at a switch that is away."""

log = logging.getLogger(__name__)


class Presence:
    """Who is in a conversation on any of these switches."""

    def __init__(self, switches: Iterable[SwitchAddress] = ()) -> None:
        self._followers = [_Follower(address, self._freed) for address in switches]
        self.on_free: Callable[[str], None] | None = None
        """What is told of each user who has hung up: ``NAME@DOMAIN``, or ``NAME``."""
        self._greenlets: list[gevent.Greenlet[..., None]] = []

    def start(self) -> None:
        """Begin to follow."""
        self._greenlets = [gevent.spawn(one.run) for one in self._followers]

    def stop(self) -> None:
        """Stop following."""
        gevent.killall(self._greenlets)

    def _freed(self, user: str) -> None:
        if self.on_free and not self.talks(user):
            self.on_free(user)

    def talks(self, user: str) -> bool:
        """Whether a user (``NAME@DOMAIN``, or ``NAME`` of any domain) is known to be talking."""
        return any(user in one.talking for one in self._followers if one.fresh)


class _Follower:
    """Follows one switch."""

    def __init__(self, address: SwitchAddress, freed: Callable[[str], None]) -> None:
        self.talking = Conversations()
        self._address = address
        self._freed = freed
        self._seen: float | None = None
        self._away = False

    @property
    def fresh(self) -> bool:
        """Whether what is known is of now."""
        return self._seen is not None and time.monotonic() - self._seen < FRESH

    def run(self) -> None:
        """Follow for good, whatever happens to the connection."""
        while True:
            try:
                with SwitchConnection(self._address, answer_time=ANSWER) as switch:
                    self._follow(switch)
            except (EventSocketError, OSError) as error:
                self._seen = None
                if not self._away:
                    log.warning("nobody is known to be on the phone: %s", error)
                self._away = True
            except Exception:
                self._seen = None
                log.exception("nobody is known to be on the phone: a fault of ours")
            gevent.sleep(RETRY)

    def _follow(self, switch: SwitchConnection) -> None:
        talking = Conversations()
        talking.begin(switch)
        self.talking = talking
        self._seen = time.monotonic()
        self._away = False
        log.info("%s tells who is on the phone", self._address)
        while True:
            self._seen = time.monotonic()
            until = self._seen + PULSE
            while event := switch.next_event(until):
                if user := talking.take_in(event):
                    self._freed(user)
                if time.monotonic() >= until:
                    break
            switch.api(questions.CLOCK)
