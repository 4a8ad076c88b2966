"""What a leg's cause means, and what the caller is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsctl.hunt.group import Group, Member, same_user
from fsctl.hunt.outcomes import Outcome, outcome_of, release_cause
from fsctl.hunt.strategies import delayed


@pytest.mark.parametrize(
    ("causes", "told"),
    [
        (["USER_BUSY", "USER_BUSY"], "USER_BUSY"),
        (["USER_NOT_REGISTERED", "USER_NOT_REGISTERED"], "USER_NOT_REGISTERED"),
        (["SUBSCRIBER_ABSENT"], "SUBSCRIBER_ABSENT"),
        (["USER_NOT_REGISTERED", "SUBSCRIBER_ABSENT"], "USER_NOT_REGISTERED"),
        (["USER_BUSY", "USER_NOT_REGISTERED"], "USER_BUSY"),
        (["USER_BUSY", "CALL_REJECTED"], "USER_BUSY"),
        (["CALL_REJECTED", "USER_NOT_REGISTERED"], "CALL_REJECTED"),
        (["NO_ANSWER", "USER_BUSY", "CALL_REJECTED"], "NO_ANSWER"),
        (["INCOMPATIBLE_DESTINATION"], "NORMAL_TEMPORARY_FAILURE"),
        (["INCOMPATIBLE_DESTINATION", "USER_NOT_REGISTERED"], "USER_NOT_REGISTERED"),
        (["LOSE_RACE"], "NO_ANSWER"),
        ([], "NO_ANSWER"),
    ],
)
def test_release_cause(causes: list[str], told: str) -> None:
    assert release_cause(causes) == told


@given(st.lists(st.sampled_from(["USER_BUSY", "NO_ANSWER", "CALL_REJECTED", "GATEWAY_DOWN", "?"])))
def test_release_cause_does_not_depend_on_the_order(causes: list[str]) -> None:
    assert release_cause(causes) == release_cause(reversed(causes))


@given(st.text())
def test_a_cause_never_heard_of_is_a_failure(cause: str) -> None:
    assert outcome_of("X-" + cause) is Outcome.FAILED


def test_delayed_rings_who_can_ring() -> None:
    group = Group(
        "sales",
        members=(
            Member("late", 30.0),
            Member("second", 6.0),
            Member("off", 1.0, enabled=False),
            Member("first", 0.0),
            Member("me", 2.0),
        ),
    )
    schedule = delayed(group, "ME@pbx.example")
    assert [(ring.member, ring.start) for ring in schedule.rings] == [
        ("first", 0.0),
        ("second", 6.0),
    ]
    assert schedule.wait == 30.0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("test002", "test002", True),
        ("test002", "TEST002@pbx.example", True),
        ("test002@a.example", "test002@b.example", False),
        ("test002", "test0022", False),
    ],
)
def test_same_user(one: str, other: str, same: bool) -> None:
    assert same_user(one, other) is same
    assert same_user(other, one) is same
