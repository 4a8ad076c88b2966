"""The log that all telephones of the rig write into.

Owns the order of what was seen and the waiting for it. Must not know SIP.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from gevent.event import Event

from tests.scenarios.rig import Seen


class PhoneLog:
    """What the phones saw; implements ``tests.scenarios.rig.Log``."""

    def __init__(self) -> None:
        self._seen: list[Seen] = []
        self._more = Event()

    def record(self, who: str, what: str, at: float | None = None, **detail: object) -> None:
        """Add an entry; ``at`` is ``time.monotonic()`` of the moment itself, now if not given."""
        self._seen.append(Seen(time.monotonic() if at is None else at, who, what, detail))
        self._more.set()

    def clear(self) -> None:
        self._seen.clear()

    def all(self, who: str | None = None, what: str | None = None) -> list[Seen]:
        return sorted(
            (
                seen
                for seen in self._seen
                if (who is None or seen.who == who) and (what is None or seen.what == what)
            ),
            key=lambda seen: seen.at,
        )

    def wait(self, who: str, what: str, timeout: float = 10.0, count: int = 1) -> Seen:
        deadline = time.monotonic() + timeout
        while len(found := self.all(who, what)) < count:
            self._more.clear()
            if not self._more.wait(max(0.0, deadline - time.monotonic())):
                wanted = f"{what!r} of {who}" + (f" number {count}" if count > 1 else "")
                raise AssertionError(f"no {wanted} within {timeout:g} s; seen:\n{self}")
        return found[count - 1]

    def until(self, condition: Callable[[], bool], timeout: float) -> bool:
        """Wait until something that the phones may change is so; False when it is not in time."""
        deadline = time.monotonic() + timeout
        while not condition():
            self._more.clear()
            if not self._more.wait(max(0.0, deadline - time.monotonic())):
                return condition()
        return True

    def absent(self, who: str, what: str) -> None:
        if self.all(who, what):
            raise AssertionError(f"{who} should not have seen {what!r}; seen:\n{self}")

    def __str__(self) -> str:
        start = self.all()[0].at if self._seen else 0.0
        return "\n".join(
            f"  {seen.at - start:8.3f} s  {seen.who:12} {seen.what:9} {dict(seen.detail) or ''}"
            for seen in self.all()
        )
