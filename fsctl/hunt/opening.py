"""When a group is open: its weekly hours, single dates, and a moment until which it is closed.

All are texts in one form, as the group keeps them, and mean the wall clock of the group's time
zone. Pure: the time is passed in. What is read once is kept, since every call asks.

    hours   ``mon-fri 8:00-16:00, sat 9:00-12:00 13:00-15:00, sun 22:00-6:00``
    dates   ``2026-12-24 8:00-12:00, 2026-12-25``   (a date without hours is closed)

Hours that end before they begin go on into the next day, unless that one is a date of its own.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from fsctl.caches import cache_of_texts
from fsctl.hunt.clock import LONGEST_CACHED, first_moment, last_moment, zone
from fsctl.hunt.group import Group

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = 24 * 60
"""Minutes of a day."""
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
    if group.closed_until and now < _reopens(group, group.closed_until):
        return False
    if not (group.hours or group.dates):
        return True
    where = zone(group.time_zone)
    today = datetime.fromtimestamp(now, where).date()
    return any(
        start <= now < end
        for number in (0, -1, 1)
        for start, end in _intervals(group, today + timedelta(days=number), where)
    )


def opens_at(group: Group, now: float) -> float | None:
    """Return when a group that is closed will be open again, in seconds since 1970 UTC.

    None when that is not within ``FORESEEN`` days, or after ``LAST_YEAR``. An open group opens
    ``now``.
    """
    if is_open(group, now):
        return now
    where = zone(group.time_zone)
    since = now
    if group.closed_until:
        if datetime.fromisoformat(group.closed_until).year > LAST_YEAR:
            return None
        since = max(now, _reopens(group, group.closed_until))
    today = datetime.fromtimestamp(since, where).date()
    found: float | None = None
    for number in range(-1, FORESEEN + 1):
        last = found
        for start, end in _intervals(group, today + timedelta(days=number), where):
            if end > since:
                opens = max(start, since)
                found = opens if found is None else min(found, opens)
        if last is not None:  # where a clock is put back at midnight, a day begins before another
            return found
    return found


def _reopens(group: Group, closed_until: str) -> float:
    return last_moment(datetime.fromisoformat(closed_until), zone(group.time_zone))


def _intervals(group: Group, day: date, where: ZoneInfo) -> Iterator[tuple[float, float]]:
    """Yield from when to when the hours of a day last; each is whole, whatever the clock does.

    Hours that begin or end within an hour that the clock shows twice begin the first time and end
    the second.
    """
    midnight = datetime.combine(day, time())
    for start, end in _spans_of(group, day):
        cut = end > DAY and day + timedelta(days=1) in read_dates(group.dates)
        begins = first_moment(midnight + timedelta(minutes=start), where)
        ends = last_moment(midnight + timedelta(minutes=DAY if cut else end), where)
        if begins < ends:
            yield begins, ends


def _spans_of(group: Group, day: date) -> Spans:
    special = read_dates(group.dates).get(day)
    if special is not None:
        return special
    return read_hours(group.hours)[day.weekday()] if group.hours else ((0, DAY),)


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
