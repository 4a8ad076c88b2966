"""Times as people type them."""

import time
from collections.abc import Iterator
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsctl.admin.errors import WrongValue
from fsctl.cli.when import duration, iso, local, moment

NOON = 1_715_680_800.0  # 2024-05-14 12:00:00 in Warsaw


@pytest.fixture(autouse=True)
def warsaw(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Warsaw")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@given(st.integers(1, 5_000), st.sampled_from("smhdw"))
def test_a_length_is_a_number_and_a_unit(number: int, unit: str) -> None:
    each = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}[unit]
    assert duration(f"{number}{unit}") == number * each
    assert moment(f"{number}{unit}", NOON) == NOON - number * each


@given(st.text(max_size=12))
def test_any_text_is_a_time_or_one_line(text: str) -> None:
    for read in (duration, lambda one: moment(one, NOON)):
        refused = ""
        try:
            read(text)
        except WrongValue as error:
            refused = str(error)
        assert refused.isprintable()


@pytest.mark.parametrize(
    "text", ["", "0d", "-1d", "1", "d", "1y", "1.5h", "999999w", "1d1h", "\u0661d"]
)
def test_what_is_no_length_is_one_line(text: str) -> None:
    with pytest.raises(WrongValue, match=r"is not a length of time: .* for example 90d$"):
        duration(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("10:42", "2024-05-14T10:42:00"), ("9:05:07", "2024-05-14T09:05:07"),
        ("12:00", "2024-05-14T12:00:00"), ("12:01", "2024-05-13T12:01:00"),
        ("today", "2024-05-14T00:00:00"), ("Yesterday", "2024-05-13T00:00:00"),
        ("2024-05-01", "2024-05-01T00:00:00"), ("2024-05-01 10:42", "2024-05-01T10:42:00"),
        ("2024-05-01T10:42+02:00", "2024-05-01T10:42:00"),
        ("2024-05-01T08:42Z", "2024-05-01T10:42:00"), (" 2h ", "2024-05-14T10:00:00"),
    ],
)  # fmt: skip
def test_moments(text: str, found: str) -> None:
    assert moment(text, NOON) == datetime.fromisoformat(found).timestamp()


def test_until_a_day_is_until_its_end() -> None:
    assert moment("today", NOON, until=True) == NOON + 12 * 3600
    assert moment("2024-05-13", NOON, until=True) == NOON - 12 * 3600
    assert moment("10:42", NOON, until=True) == moment("10:42", NOON)


@pytest.mark.parametrize("text", ["", "25:00", "10:60", "2024-13-01", "soon", "0001-01-01", "\x1b"])
def test_what_is_no_moment_is_one_line(text: str) -> None:
    with pytest.raises(WrongValue, match=r"is not a time: write for example"):
        moment(text, NOON)


def test_times_are_shown_in_the_local_zone() -> None:
    assert local(NOON + 0.9) == "2024-05-14 12:00:00"
    assert iso(NOON + 0.25) == "2024-05-14T12:00:00.250+02:00"
