"""Opening hours where clocks are put forward and back, in every time zone that does so."""

from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsctl.hunt.clock import first_moment, last_moment, zone
from fsctl.hunt.group import Group
from fsctl.hunt.opening import DAYS, is_open, opens_at

MINUTE, HOUR = 60, 3600
ODD = ["Europe/Warsaw", "America/St_Johns", "America/Havana", "America/Santiago", "Africa/Cairo",
       "Africa/Casablanca", "Asia/Beirut", "Australia/Lord_Howe", "Pacific/Apia",
       "America/Asuncion",
       "Antarctica/Troll", "Pacific/Chatham", "Asia/Tehran", "Europe/London"]  # fmt: skip
ZONES = st.sampled_from(ODD) | st.sampled_from(sorted(available_timezones() - {"localtime"}))


@cache
def changes(name: str) -> list[int]:
    """Return the moments of this century in which a zone's clocks were or will be changed."""
    where = zone(name)

    def offset(moment: int) -> timedelta | None:
        return datetime.fromtimestamp(moment, where).utcoffset()

    found = []
    step = 7 * 24 * HOUR
    for start in range(946_684_800, 2_208_988_800, step):
        before, after = start, start + step
        if offset(before) == offset(after):
            continue
        while after - before > 1:
            between = (before + after) // 2
            before, after = (
                (between, after) if offset(between) == offset(start) else (before, between)
            )
        found.append(after)
    return found


@st.composite
def places(draw: st.DrawFn) -> tuple[str, int]:
    """A zone and a moment, where it can be one near which its clocks are changed."""
    name = draw(ZONES)
    near = draw(st.sampled_from(changes(name) or [1_792_890_000]))
    return name, near - near % MINUTE + MINUTE * draw(st.integers(-180, 180))


def shown(moment: float, name: str) -> datetime:
    return datetime.fromtimestamp(moment, zone(name)).replace(tzinfo=None)


@given(places())
def test_first_and_last_moment_of_what_a_clock_shows(place: tuple[str, int]) -> None:
    name, near = place
    wall, where = shown(near, name).replace(second=0), zone(name)
    first, last = first_moment(wall, where), last_moment(wall, where)
    assert first <= near <= last + MINUTE
    assert shown(first, name) == shown(last, name) == wall
    assert shown(first - 1, name) < wall
    assert all(shown(last + HOUR * hours / 4, name) >= wall for hours in range(20))


@given(places(), st.integers(-300, 300))
def test_a_group_that_is_closed_until_a_moment_opens_once(
    place: tuple[str, int], minutes: int
) -> None:
    name, near = place
    # Perhaps a time that no clock of the zone ever shows.
    until = (shown(near, name) + timedelta(minutes=minutes)).replace(second=0)
    group = Group("g", closed_until=until.isoformat(" ", "minutes"), time_zone=name)
    begin, end = near - 40 * HOUR, near + 40 * HOUR
    opens = opens_at(group, begin)
    assert opens is not None
    assert begin < opens < end
    for moment in [opens - 1, opens, *range(begin, end, HOUR // 2)]:
        assert is_open(group, moment) == (moment >= opens)
        assert opens_at(group, moment) == max(opens, moment)
    skipped = shown(opens - 1, name) < until < shown(opens, name)
    assert skipped or shown(opens, name) == until


@settings(max_examples=40)
@given(places(), st.integers(0, 1439), st.integers(1, 1439))
def test_the_hours_of_a_day_are_one_piece(place: tuple[str, int], start: int, length: int) -> None:
    name, near = place
    day = DAYS[shown(near, name).weekday()]
    clocks = [f"{minute // 60}:{minute % 60:02}" for minute in (start, (start + length) % 1440)]
    group = Group("g", hours=f"{day} {clocks[0]}-{clocks[1]}", time_zone=name)
    begin = near - near % MINUTE - 26 * HOUR
    open_ = [is_open(group, begin + MINUTE * 3 * at) for at in range(20 * 52)]
    turns = sum(one != other for one, other in pairwise(open_))
    assert turns <= 2
    opens = opens_at(group, begin)
    if opens is not None and opens > begin:
        assert not is_open(group, opens - 1)
        assert is_open(group, opens)
        before = [at for at in range(20 * 52) if begin + MINUTE * 3 * at < opens]
        assert not any(open_[at] for at in before)


@pytest.mark.parametrize(
    ("until", "opens"),
    [
        ("2026-10-25 02:30", "2026-10-25 01:30+00:00"),
        ("2026-10-25 01:59", "2026-10-24 23:59+00:00"),
        ("2026-03-29 02:30", "2026-03-29 01:00+00:00"),
        ("2026-12-28 07:30", "2026-12-28 06:30+00:00"),
    ],
)
def test_in_warsaw(until: str, opens: str) -> None:
    group = Group("g", closed_until=until)
    wanted = datetime.fromisoformat(opens).timestamp()
    begin = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    assert opens_at(group, begin) == wanted
    assert is_open(group, wanted)
    assert not is_open(group, wanted - 1)


def test_far_away_it_is_closed() -> None:
    for name in ("America/Los_Angeles", "Pacific/Kiritimati"):
        group = Group("g", closed_until="9999-12-31 23:59", time_zone=name)
        assert not is_open(group, 1_800_000_000.0)
        assert opens_at(group, 1_800_000_000.0) is None
