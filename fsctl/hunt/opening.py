"""When a group is open: its weekly hours, single dates, and a moment until which it is closed.

All are texts in one form, as the group keeps them, and mean the wall clock of the group's time
zone. Pure: the time is passed in. What is read once is kept, since every call asks.

    hours   ``mon-fri 8:00-16:00, sat 9:00-12:00 13:00-15:00, sun 22:00-6:00``
    dates   ``2026-12-24 8:00-12:00, 2026-12-25``   (a date without hours is closed)

Hours that end before they begin go on into the next day, unless that one is a date of its own.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fsctl.caches import cache_of_texts
from fsctl.hunt.group import Group

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = 24 * 60
"""Minutes of a day."""
LONGEST_CACHED = 8_000
"""Characters of a text whose meaning is cached: those of a group are no longer."""
FORESEEN = 366
"""Days, from now or from the end of ``closed_until``, in which an opening is looked for."""
LAST_YEAR = 2999
"""Up to its end every wall clock can be converted to seconds since 1970, in every time zone."""

Span = tuple[int, int]
"""From one minute of the day to another; beyond ``DAY`` in the next one."""
Spans = tuple[Span, ...]

_SPAN = re.compile(r"([0-9]{1,2}):([0-9]{2})-([0-9]{1,2}):([0-9]{2})")
_DAYS = re.compile(r"([a-z]{3})(?:-([a-z]{3}))?")


def is_open(group: Group, now: float) -> bool:
    """Whether a group takes calls at this moment (seconds since 1970 UTC)."""
    if not (group.hours or group.dates or group.closed_until):
        return True
    wall = datetime.fromtimestamp(now, zone(group.time_zone)).replace(tzinfo=None)
    if group.closed_until and wall < datetime.fromisoformat(group.closed_until):
        return False
    minute = wall.hour * 60 + wall.minute
    today = wall.date()
    if any(start <= minute < end for start, end in _spans_of(group, today)):
        return True
    before = _spans_of(group, today - timedelta(days=1))
    return today not in read_dates(group.dates) and any(minute < end - DAY for _, end in before)


def opens_at(group: Group, now: float) -> float | None:
    """Return when a group that is closed will be open again, in seconds since 1970 UTC.

    None when that is not within ``FORESEEN`` days, or after ``LAST_YEAR``. An open group opens
    ``now``. What would open within an hour that the clock skips may be told up to an hour late.
    """
    if is_open(group, now):
        return now
    where = zone(group.time_zone)
    begin = datetime.fromtimestamp(now, where).replace(tzinfo=None)
    moments: list[datetime] = []
    if group.closed_until:
        until = datetime.fromisoformat(group.closed_until)
        begin = max(begin, until)
        moments.append(until)
    if begin.year > LAST_YEAR:
        return None
    for number in range(FORESEEN + 1):
        day = begin.date() + timedelta(days=number)
        midnight = datetime.combine(day, time())
        # At midnight as well: hours may have gone on since the day before.
        moments += [
            midnight,
            *(midnight + timedelta(minutes=at) for at, _ in _spans_of(group, day)),
        ]
        found = sorted(
            moment.replace(tzinfo=where, fold=fold).timestamp()
            for moment in moments
            for fold in (0, 1)  # an hour that the clock has twice
        )
        opening = next((at for at in found if at > now and is_open(group, at)), None)
        if opening is not None:
            return opening
        moments.clear()
    return None


def _spans_of(group: Group, day: date) -> Spans:
    special = read_dates(group.dates).get(day)
    if special is not None:
        return special
    return read_hours(group.hours)[day.weekday()] if group.hours else ((0, DAY),)


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


@cache_of_texts(1_000, LONGEST_CACHED)
def read_hours(text: str) -> tuple[Spans, ...]:
    """Return what is open on each day of the week, Monday first. Raises ValueError."""
    week: list[list[Span]] = [[] for _ in DAYS]
    for part in _parts(text):
        days, *spans = part.lower().split()
        if not spans:
            raise ValueError("write days with their hours, for example mon-fri 8:00-16:00")
        for day in _days(days):
            week[day] += [_span(span) for span in spans]
    return tuple(_apart(spans) for spans in week)


@cache_of_texts(1_000, LONGEST_CACHED)
def read_dates(text: str) -> Mapping[date, Spans]:
    """Return what is open on single dates; nothing: closed. Raises ValueError."""
    found: dict[date, Spans] = {}
    for part in _parts(text):
        day, *spans = part.lower().split()
        try:
            when = date.fromisoformat(day)
        except ValueError:
            raise ValueError("write dates as 2026-12-24, with hours or closed") from None
        if when in found:
            raise ValueError(f"{when} is there twice")
        spans = [] if spans == ["closed"] else spans
        found[when] = _apart([_span(span) for span in spans])
    return found


def write_hours(week: tuple[Spans, ...]) -> str:
    """Return the week in the one form; days in a row with the same hours are written together."""
    parts: list[str] = []
    day = 0
    while day < len(DAYS):
        last = day
        while last + 1 < len(DAYS) and week[last + 1] == week[day]:
            last += 1
        if week[day]:
            days = DAYS[day] if last == day else f"{DAYS[day]}-{DAYS[last]}"
            parts.append(f"{days} {_write_spans(week[day])}")
        day = last + 1
    return ", ".join(parts)


def write_dates(dates: Mapping[date, Spans]) -> str:
    """Return single dates in the one form, in their order."""
    return ", ".join(f"{day} {_write_spans(dates[day])}".rstrip() for day in sorted(dates))


def _parts(text: str) -> list[str]:
    return [part for part in (one.strip() for one in re.split("[,;]", text)) if part]


def _days(text: str) -> range:
    match = _DAYS.fullmatch(text)
    first = match[1] if match else ""
    last = match[2] or first if match else ""
    if first not in DAYS or last not in DAYS or DAYS.index(first) > DAYS.index(last):
        raise ValueError(f"days are written as {', '.join(DAYS)}, or mon-fri")
    return range(DAYS.index(first), DAYS.index(last) + 1)


def _span(text: str) -> Span:
    match = _SPAN.fullmatch(text)
    hours = [int(part) for part in match.groups()] if match else [99] * 4
    start, end = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
    if max(hours[1], hours[3]) > 59 or start >= DAY or end > DAY or start == end:
        raise ValueError("hours are written as 8:00-16:00")
    return start, end if end > start else end + DAY


def _apart(spans: list[Span]) -> Spans:
    ordered = tuple(sorted(spans))
    for (_, end), (start, _) in pairwise(ordered):
        if start < end:
            raise ValueError("the hours of a day overlap")
    return ordered


def _write_spans(spans: Spans) -> str:
    return " ".join(
        f"{_clock(start)}-{_clock(end if end <= DAY else end - DAY)}" for start, end in spans
    )


def _clock(minute: int) -> str:
    return f"{minute // 60}:{minute % 60:02}"
