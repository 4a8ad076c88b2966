"""Wall clocks: from what the clocks of a time zone show to moments, and back. Pure.

A moment is seconds since 1970 UTC. A clock that is put back shows an hour twice; one that is put
forward skips an hour, and what it skips is the moment in which it does.
"""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fsctl.caches import cache_of_texts

LONGEST_CACHED = 8_000
"""Characters of a name that is cached: those of a group are no longer."""


@cache_of_texts(1_000, LONGEST_CACHED)
def zone(name: str) -> ZoneInfo:
    """Return a time zone by its name in the IANA's database. Raises ValueError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("write a time zone's name, for example Europe/Warsaw") from None


def wall_clock(moment: float, name: str) -> datetime:
    """Return what the clocks of a zone show at a moment; of UTC where nobody knows the zone."""
    try:
        where: tzinfo = zone(name)
    except ValueError:
        where = UTC
    return datetime.fromtimestamp(moment, where).replace(tzinfo=None)


def first_moment(wall: datetime, where: ZoneInfo) -> float:
    """Return when the clocks of a zone show a time, or a later one, for the first time."""
    first = wall.replace(tzinfo=where, fold=0).timestamp()
    second = wall.replace(tzinfo=where, fold=1).timestamp()
    return first if first <= second else _leap(int(second), int(first), where)


def last_moment(wall: datetime, where: ZoneInfo) -> float:
    """Return from when on the clocks of a zone show no time before this one."""
    first = wall.replace(tzinfo=where, fold=0).timestamp()
    second = wall.replace(tzinfo=where, fold=1).timestamp()
    return second if first <= second else _leap(int(second), int(first), where)


def _leap(before: int, after: int, where: ZoneInfo) -> float:
    """Return the moment, between these two, in which the clocks were put forward."""
    offset = datetime.fromtimestamp(before, where).utcoffset()
    while after - before > 1:
        between = (before + after) // 2
        if datetime.fromtimestamp(between, where).utcoffset() == offset:
            before = between
        else:
            after = between
    return float(after)
