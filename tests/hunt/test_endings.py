"""Endings as texts, and which of a group's counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsctl.hunt.endings import (
    RELEASE,
    Ending,
    Kind,
    Reason,
    ending_for,
    group_after,
    next_groups,
    read_ending,
    reason_of,
)
from fsctl.hunt.group import Group

WORDS = ["release", "Release USER_BUSY", "extension *99", "extension 500 default", "group A B"]
MORE = ["voicemail test002@example.com", "external +48501234567", "play a.wav", "play a.wav busy"]


@pytest.mark.parametrize("text", WORDS + MORE)
def test_an_ending_is_read_as_it_is_written(text: str) -> None:
    ending = read_ending(text)
    assert ending.kind.value == text.split(maxsplit=1)[0].lower()
    assert read_ending(str(ending)) == ending


NONE = ["", "leave", "extension", "extension a b c", "extension 5;0", "extension 500 a/b", "group"]
FORMS = ["external 600", "external 0048501234567", "voicemail a b", "release no!", "play"]
BYTES = ["play a b!", "voicemail ${x}", "extension 5'0", "extension 5^0"]


@pytest.mark.parametrize("text", NONE + FORMS + BYTES)
def test_what_is_none_says_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match=r"write|a cause is"):
        read_ending(text)


@given(st.text())
def test_any_text_is_an_ending_or_refused(text: str) -> None:
    try:
        ending = read_ending(text)
    except ValueError:
        return
    assert read_ending(str(ending)) == ending


@given(st.sampled_from(Reason), st.booleans(), st.booleans())
def test_a_reasons_own_ending_comes_before_the_general_one(
    reason: Reason, general: bool, own: bool
) -> None:
    group = Group(
        "a",
        ending="group General" if general else None,
        **({reason.value: "group Own"} if own else {}),
    )
    wanted = Ending(Kind.GROUP, "Own") if own else Ending(Kind.GROUP, "General")
    assert ending_for(group, reason) == (wanted if general or own else RELEASE)
    assert set(next_groups(group)) <= {"Own", "General"}


def test_an_ending_of_a_newer_fsctl_is_a_release() -> None:
    assert ending_for(Group("a", ending="teleport Mars"), Reason.BUSY) == RELEASE


def test_an_extension_is_no_group_of_that_name() -> None:
    group = Group(
        "a", when_busy="group 500", ending="extension 500", onward=(("500", Group("500")),)
    )
    assert group_after(group, ending_for(group, Reason.BUSY)) == Group("500")
    assert group_after(group, ending_for(group, Reason.CLOSED)) is None


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        ("NO_ANSWER", Reason.NO_ANSWER),
        ("USER_BUSY", Reason.BUSY),
        ("CALL_REJECTED", Reason.NO_ANSWER),
        ("USER_NOT_REGISTERED", Reason.UNREACHABLE),
        ("NORMAL_TEMPORARY_FAILURE", Reason.UNREACHABLE),
    ],
)
def test_what_a_hunt_came_to_is_a_reason(cause: str, reason: Reason) -> None:
    assert reason_of(cause) is reason
