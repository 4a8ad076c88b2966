"""Numbers compared, numbers hidden."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsctl.store.call_keys import caller_key, mask_name, mask_number


def test_every_way_of_writing_a_number_is_the_same_caller() -> None:
    ways = ("+48601234567", "0048 601-234-567", "48601234567", "601 234 567", "(0)601.234.567")
    assert {caller_key(way) for way in ways} == {"601234567"}


def test_callers_without_a_number_are_known_by_their_text() -> None:
    assert caller_key(" Anonymous ") == caller_key("anonymous") == "anonymous"
    assert caller_key("١٢٣") == "١٢٣"  # digits, but none of a telephone
    assert caller_key("") == ""
    assert caller_key("1001") == "1001"


@pytest.mark.parametrize(
    ("number", "hidden", "shown"),
    [
        ("+48601234567", 4, "+4860123****"), ("601-234-567", 4, "601-23*-***"), ("12", 4, "**"),
        ("600", 0, "600"), ("", 4, ""), ("alice", 2, "ali**"), ("+", 3, "+"),
    ],
)  # fmt: skip
def test_the_last_digits_are_hidden(number: str, hidden: int, shown: str) -> None:
    assert mask_number(number, hidden) == shown


@given(st.text(max_size=64), st.integers(0, 20))
def test_just_so_many_are_hidden(number: str, hidden: int) -> None:
    shown = mask_number(number, hidden)
    assert len(shown) == len(number)
    changed = [old for old, new in zip(number, shown, strict=True) if old != new]
    assert len(changed) == min(hidden, sum(char.isalnum() for char in number))
    if changed:
        first = next(
            i for i, (old, new) in enumerate(zip(number, shown, strict=True)) if old != new
        )
        assert not any(char.isalnum() for char in shown[first:])


def test_a_name_is_hidden_with_the_number() -> None:
    assert (mask_name("Jan", 4), mask_name("", 4), mask_name("Jan", 0)) == ("***", "", "Jan")
