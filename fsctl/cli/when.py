"""Times as people type and read them: lengths of time, and moments in the local time zone."""

import re
import time
from datetime import datetime, timedelta

from fsctl.admin.errors import WrongValue

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"([0-9]{1,6}) ?([smhdw])")
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LONGEST = 100 * 366 * 86_400


def duration(text: str) -> int:
    """Read a length of time such as ``90d``; return seconds, at least 1."""
    match = _DURATION.fullmatch(text)
    length = int(match[1]) * _UNITS[match[2]] if match else 0
    if not 0 < length <= _LONGEST:
        raise WrongValue(
            f"{_shown(text)} is not a length of time: write a number with s, m, h, d or w, "
            "for example 90d"
        )
    return length


def moment(text: str, now: float, *, until: bool = False) -> float:
    """Read a moment; return epoch seconds.

    ``10:42`` is the last time that it was so late, ``2h`` is so long before ``now``, a day is its
    beginning, or with ``until`` its end. Without an offset the local time zone is meant.
    """
    text = text.strip()
    if _DURATION.fullmatch(text):
        return now - duration(text)
    try:
        if clock := _CLOCK.fullmatch(text):
            return _last_time(now, *(int(part or 0) for part in clock.groups()))
        if text.casefold() in ("today", "yesterday"):
            today = datetime.fromtimestamp(now).astimezone()
            text = str(today.date() - timedelta(days=text.casefold() == "yesterday"))
        found = datetime.fromisoformat(text)
        if until and _DAY.fullmatch(text):
            found += timedelta(days=1)
        return found.timestamp()
    except (ValueError, OverflowError, OSError):
        raise WrongValue(
            f"{_shown(text)} is not a time: write for example 2h (ago), 10:42, today, 2024-05-14 "
            "or 2024-05-14T10:42"
        ) from None


def _last_time(now: float, hour: int, minute: int, second: int) -> float:
    """Return when clocks here last showed this time."""
    today = datetime.fromtimestamp(now)
    found = today.replace(hour=hour, minute=minute, second=second, microsecond=0)
    if found.timestamp() > now:
        found -= timedelta(days=1)
    return found.timestamp()


def _shown(text: str) -> str:
    return ascii(text if len(text) <= 40 else text[:40] + "...")


def local(moment: float) -> str:
    """Write a moment in the local time zone, to the second."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))


def iso(moment: float) -> str:
    """Write a moment as ISO 8601 in the local time zone, with its offset, to the millisecond."""
    return datetime.fromtimestamp(moment).astimezone().isoformat(timespec="milliseconds")
