"""When a group is open, at every minute that hypothesis can think of."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsctl.hunt.admission import Admitted, Refusal, admit
from fsctl.hunt.group import Group, Member
from fsctl.hunt.opening import (
    DAY,
    DAYS,
    Spans,
    is_open,
    opens_at,
    read_dates,
    read_hours,
    write_dates,
    write_hours,
    zone,
)

OFFICE = Group("office", members=(Member("a"),), hours="mon-fri 8:00-16:00, sat 9:00-12:00")


def open_at(group: Group, text: str) -> bool:
    wall = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(group.time_zone))
    return is_open(group, wall.timestamp())


@pytest.mark.parametrize(
    ("text", "open_"),
    [
        ("2026-11-23 07:59", False), ("2026-11-23 08:00", True), ("2026-11-23 15:59", True),
        ("2026-11-23 16:00", False), ("2026-11-27 12:00", True), ("2026-11-28 12:00", False),
        ("2026-11-28 09:00", True), ("2026-11-29 10:00", False),
    ],
)  # fmt: skip
def test_weekly_hours(text: str, open_: bool) -> None:
    assert open_at(OFFICE, text) is open_


def test_without_hours_a_group_is_always_open() -> None:
    assert open_at(Group("g"), "2026-11-29 03:00")
    assert open_at(Group("g", dates="2026-12-25"), "2026-12-24 23:59")
    assert not open_at(Group("g", dates="2026-12-25"), "2026-12-25 00:00")


def test_a_date_has_its_own_hours() -> None:
    group = replace(
        OFFICE, dates="2026-12-24 8:00-12:00, 2026-12-25 closed, 2026-12-27 10:00-11:00"
    )
    assert open_at(group, "2026-12-24 11:59")
    assert not open_at(group, "2026-12-24 12:00")
    assert not open_at(group, "2026-12-25 10:00")
    assert open_at(group, "2026-12-27 10:30")


def test_hours_go_on_into_the_next_day_unless_that_has_its_own() -> None:
    group = Group("night", hours="fri-sun 22:00-6:00", dates="2026-12-26")
    assert open_at(group, "2026-11-27 23:00")
    assert open_at(group, "2026-11-30 05:59")  # a Monday
    assert not open_at(group, "2026-11-30 06:00")
    assert open_at(group, "2026-12-25 23:59")
    assert not open_at(group, "2026-12-26 00:00")
    late = Group("late", hours="mon 8:00-16:00", dates="2026-12-31 20:00-2:00")
    assert open_at(late, "2027-01-01 01:59")


def test_closed_until_a_moment() -> None:
    group = replace(OFFICE, closed_until="2026-11-23 10:30")
    assert not open_at(group, "2026-11-23 10:29")
    assert open_at(group, "2026-11-23 10:30")


@pytest.mark.parametrize(
    ("changes", "now", "opens"),
    [
        ({}, "2026-11-23 08:00", "2026-11-23 08:00"),
        ({}, "2026-11-23 07:59", "2026-11-23 08:00"),
        ({}, "2026-11-27 16:00", "2026-11-28 09:00"),
        ({"dates": "2026-12-24 closed, 2026-12-25 10:00-11:00"}, "2026-12-24 01:00",
         "2026-12-25 10:00"),
        ({"closed_until": "2026-11-23 10:30"}, "2026-11-20 20:00", "2026-11-23 10:30"),
        ({"closed_until": "2028-11-19 10:30"}, "2026-11-20 20:00", "2028-11-20 08:00"),
        ({"hours": "fri-sun 22:00-6:00", "dates": "2026-12-27 closed"}, "2026-12-27 01:00",
         "2027-01-01 22:00"),
        ({"hours": "", "dates": "2026-12-25"}, "2026-12-25 12:00", "2026-12-26 00:00"),
        # What begins in an hour that the clock shows twice begins the first time, and goes on.
        ({"hours": "sun 2:30-4:00"}, "2026-10-25 02:10+02:00", "2026-10-25 02:30+02:00"),
        ({"hours": "sun 2:30-4:00"}, "2026-10-25 02:10+01:00", "2026-10-25 02:10+01:00"),
        # What begins in an hour that the clock skips begins when it does.
        ({"hours": "sun 2:30-4:00"}, "2026-03-29 01:00+01:00", "2026-03-29 03:00+02:00"),
        ({"hours": "", "closed_until": "2026-03-29 02:30"}, "2026-03-29 01:00+01:00",
         "2026-03-29 03:00+02:00"),
        ({"hours": "", "closed_until": "2026-10-25 02:30"}, "2026-10-25 02:10+02:00",
         "2026-10-25 02:30+01:00"),
    ],
)  # fmt: skip
def test_when_it_opens(changes: dict[str, str], now: str, opens: str) -> None:
    group = replace(OFFICE, **changes)  # type: ignore[arg-type]
    assert opens_at(group, moment(now)) == moment(opens)


def test_one_that_never_opens() -> None:
    group = replace(OFFICE, hours="mon 8:00-9:00")
    closed = ", ".join(str(date(2026, 11, 23) + timedelta(days=7 * week)) for week in range(60))
    assert opens_at(replace(group, dates=closed), moment("2026-11-22 12:00")) is None


def moment(text: str) -> float:
    read = datetime.fromisoformat(text)
    return (read if read.tzinfo else read.replace(tzinfo=ZoneInfo("Europe/Warsaw"))).timestamp()


def test_hours_are_those_of_the_time_zone_whatever_its_clock_does() -> None:
    for month, hour in ((1, 7), (7, 6)):  # Warsaw is an hour or two before UTC
        opens = datetime(2026, month, 7, hour, tzinfo=UTC).timestamp()
        assert is_open(OFFICE, opens)
        assert not is_open(OFFICE, opens - 1)
    assert not is_open(
        replace(OFFICE, time_zone="America/New_York"),
        datetime(2026, 1, 7, 8, tzinfo=UTC).timestamp(),
    )


def test_a_closed_group_is_refused_and_a_disabled_one_is_disabled() -> None:
    night = datetime(2026, 11, 23, 1, tzinfo=UTC).timestamp()
    assert admit(OFFICE, now=night) is Refusal.CLOSED
    assert admit(replace(OFFICE, enabled=False), now=night) is Refusal.DISABLED
    assert isinstance(admit(OFFICE, now=night + 12 * 3600), Admitted)
    assert isinstance(admit(OFFICE), Admitted)


@pytest.mark.parametrize(
    "text",
    ["mon", "8:00-16:00", "monday 8:00-9:00", "fri-mon 8:00-9:00", "mon 8-16", "mon 8:60-9:00",
     "mon 24:00-1:00", "mon 9:00-9:00", "mon 8:00-24:01", "mon 8:00-10:00 9:00-11:00",
     "mon 8:00-9:00, mon 8:30-10:00", "mon \u0668:00-9:00"],
)  # fmt: skip
def test_what_are_no_hours_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"days|hours"):
        read_hours(text)


@pytest.mark.parametrize(
    "text", ["soon", "2026-13-01", "2026-12-24 8-12", "2026-12-24, 2026-12-24"]
)
def test_what_are_no_dates_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"dates|hours|twice"):
        read_dates(text)


@pytest.mark.parametrize("name", ["", "Mars", "../etc/passwd", "/etc/passwd", "a\0b", "Europe"])
def test_what_is_no_time_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="time zone"):
        zone(name)


@st.composite
def spans(draw: st.DrawFn) -> Spans:
    ends = sorted(draw(st.sets(st.integers(0, DAY), max_size=4)))
    return tuple(zip(ends[::2], ends[1::2], strict=False))


weeks = st.lists(spans(), min_size=7, max_size=7).map(tuple)
dates = st.dictionaries(st.dates(date(2000, 1, 1), date(2100, 1, 1)), spans(), max_size=5)


@given(weeks, dates)
def test_what_is_written_is_read_as_it_was(
    week: tuple[Spans, ...], some: dict[date, Spans]
) -> None:
    assert read_hours(write_hours(week)) == week
    assert dict(read_dates(write_dates(some))) == some


@given(weeks, dates, st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 31)))
def test_it_is_open_when_the_hours_of_the_day_say(
    week: tuple[Spans, ...], some: dict[date, Spans], moment: datetime
) -> None:
    """Nothing here goes on into the next day, so one day alone decides."""
    group = Group("g", hours=write_hours(week), dates=write_dates(some), time_zone="UTC")
    today = some.get(moment.date(), week[moment.weekday()])
    minute = moment.hour * 60 + moment.minute
    expected = any(start <= minute < end for start, end in today)
    always = not group.hours and moment.date() not in some
    assert is_open(group, moment.replace(tzinfo=UTC).timestamp()) == (expected or always)


@given(st.sampled_from(DAYS), st.integers(1, 1439), st.integers(0, 2 * DAY - 1))
def test_over_midnight_it_is_the_same_as_two_days(day: str, turn: int, minute: int) -> None:
    clock = f"{turn // 60}:{turn % 60:02}"
    group = Group("g", hours=f"{day} {clock}-0:00", time_zone="UTC")
    whole = Group("g", hours=f"{day} {clock}-24:00", time_zone="UTC")
    monday = datetime(2026, 11, 23, tzinfo=UTC) + timedelta(days=DAYS.index(day), minutes=minute)
    assert is_open(group, monday.timestamp()) == is_open(whole, monday.timestamp())


@given(weeks, dates, st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 31)), st.floats(0, 1))
def test_before_it_opens_it_is_closed(
    week: tuple[Spans, ...], some: dict[date, Spans], wall: datetime, part: float
) -> None:
    group = Group("g", hours=write_hours(week), dates=write_dates(some), time_zone="UTC")
    now = wall.replace(tzinfo=UTC).timestamp()
    opens = opens_at(group, now)
    if opens is None:
        assert not is_open(group, now + part * 300 * 86_400)
    else:
        assert is_open(group, opens)
        between = now + part * (opens - now)
        assert between >= opens or not is_open(group, between)
