"""Counters of ``limit:hash``: atomic claims, held by channels (mod_hash.c); and channels at most.

Owns who holds what. A claim ends with its channel or when it is released.
"""

from fsctl.demo.channel import Channel
from fsctl.demo.clock import epoch


class Limits:
    """Usage by ``realm_id``."""

    def __init__(self) -> None:
        self._usage: dict[str, int] = {}

    def claim(self, channel: Channel, realm: str, name: str, most: int) -> bool:
        """Count the channel in; False, uncounted, where that would pass ``most`` (-1: no bound).

        A channel counts once however often it claims.
        """
        key = f"{realm}_{name}"
        step = 0 if key in channel.limits else 1
        usage = self._usage.get(key, 0) + step
        if 0 <= most < usage:
            return False
        self._usage[key] = usage
        channel.limits.add(key)
        for variable, value in (("limit_usage", usage), ("limit_rate", 0)):
            channel.set(variable, str(value))
            channel.set(f"{variable}_{key}", str(value))
        channel.set("limit_backend", "hash")
        return True

    def release(self, channel: Channel, key: str | None = None) -> None:
        """Give up one claim, or every claim, of a channel."""
        for held in [key] if key else list(channel.limits):
            if held in channel.limits:
                channel.limits.discard(held)
                self._usage[held] -= 1
                if not self._usage[held]:
                    del self._usage[held]

    def usage(self, realm: str, name: str) -> int:
        """Return how many channels hold a claim now."""
        return self._usage.get(f"{realm}_{name}", 0)


class Throttle:
    """How many channels the switch has at most, and makes in a second (switch_core_session.c)."""

    def __init__(self) -> None:
        self.most = self.rate = 10_000
        self._second = 0
        self._left = self.rate

    def admits(self, channels: int) -> bool:
        """Whether one more may be made beside those that there are. The last of a second's count
        is never given out."""
        if epoch() != self._second:
            self._second, self._left = epoch(), self.rate
        self._left -= 1
        return self._left > 0 and channels < self.most
