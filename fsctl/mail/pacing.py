"""How many mails an address gets: a flood of calls does not flood a mailbox. Pure.

In ten minutes an address has ten mails at most. What comes beyond waits until ten minutes after the
last of them, and then comes as one mail with a line for each call.
"""

from dataclasses import dataclass

MOST = 10
"""Mails in a window."""
WINDOW_MS = 600_000


@dataclass(frozen=True, slots=True)
class Pace:
    """What to do with the calls that an address is to hear of: ``held_until`` is milliseconds since
    1970 UTC, None for now; ``together``: in one mail, not in one each."""

    held_until: int | None = None
    together: bool = False


def pace(calls: int, sent: int, last_ms: int) -> Pace:
    """Return what to do with so many calls.

    ``sent`` is how many mails the address had in the window that ends now, ``last_ms`` when the
    last of them came.
    """
    if sent + calls <= MOST:
        return Pace()
    if sent < MOST:
        return Pace(together=True)
    return Pace(held_until=last_ms + WINDOW_MS)


def next_try_ms(tries: int) -> int:
    """Return milliseconds until a mail is tried again that was put off so often: 1 min to 1 h."""
    return min(60_000 << min(tries, 6), 3_600_000)
