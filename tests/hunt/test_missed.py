"""Which calls are missed, and by whom."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsctl.hunt.admission import Admitted, Refusal, admit
from fsctl.hunt.course import steps
from fsctl.hunt.endings import Kind
from fsctl.hunt.group import Group, Member
from fsctl.hunt.missed import EVERY, OUTCOMES, After, after, read_outcomes, told, told_of
from fsctl.hunt.simulation import BUSY, Phones
from fsctl.store.call_records import CallOutcome

SALES = Group("Sales", members=(Member("test002"),), missed_mail="a@example.net,b@example.net")


def test_the_outcomes_are_those_of_records() -> None:
    others = {
        CallOutcome.ANSWERED,
        CallOutcome.HANDED_BACK,
        CallOutcome.SWITCH_LOST,
        CallOutcome.INTERRUPTED,
        CallOutcome.NO_SUCH_NUMBER,
    }
    assert set(OUTCOMES) == {one.value for one in CallOutcome} - {one.value for one in others}


@pytest.mark.parametrize("refusal", Refusal)
def test_a_refusal_is_in_records_under_its_name(refusal: Refusal) -> None:
    assert CallOutcome(refusal.outcome) is CallOutcome[refusal.name]


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_each_is_told_of_unless_others_are_wanted(outcome: str) -> None:
    assert told(SALES, outcome) == ("a@example.net", "b@example.net")
    others = ", ".join(one for one in OUTCOMES if one != outcome)
    assert told(replace(SALES, missed_when=others), outcome) == ()
    assert told(replace(SALES, missed_when=outcome), outcome)
    assert told(replace(SALES, missed_mail=""), outcome) == ()


@pytest.mark.parametrize("outcome", ["answered", "handed back", "no such number", "new"])
def test_what_is_not_missed_is_told_to_nobody(outcome: str) -> None:
    assert told(SALES, outcome) == ()


@given(st.sets(st.sampled_from(OUTCOMES), min_size=1))
def test_outcomes_have_one_form(some: set[str]) -> None:
    text = read_outcomes(" ,".join(one.upper() for one in some))
    assert set(text.split(", ")) == some
    assert read_outcomes(text) == text


def test_all_and_nothing_and_nonsense() -> None:
    assert read_outcomes("") == read_outcomes(" ALL ") == EVERY
    for wrong in ("answered", "all, busy", "busy; closed"):
        with pytest.raises(ValueError, match="write all, or some"):
            read_outcomes(wrong)


def test_the_longest_list_has_room() -> None:
    assert len(read_outcomes(",".join(OUTCOMES))) <= 200


@pytest.mark.parametrize(
    ("onward", "found"),
    [
        ("", After.OVER),
        ("release USER_BUSY", After.OVER),
        ("voicemail test002", After.OVER),
        ("play sorry.wav", After.OVER),
        ("group Support", After.HUNTS_ON),
        ("extension 500 sales", After.MAY_COME_BACK),
        ("external +48501234567", After.MAY_COME_BACK),
        ("teleport Mars", After.MAY_COME_BACK),
    ],
)
def test_what_may_come_after(onward: str, found: After) -> None:
    assert after(onward) is found


def test_every_ending_is_thought_of() -> None:
    assert len(Kind) == 6, "say in after() what may come after the new one"


def decide(group: Group) -> Admitted | Refusal:
    return admit(group)


def test_who_would_hear_of_a_call() -> None:
    support = replace(SALES, name="Support", missed_mail="c@example.net,a@example.net")
    first = replace(SALES, ending="group Support", onward=(("Support", support),))
    course = list(steps(first, Phones(), decide))
    assert told_of(course) == ["a@example.net", "b@example.net", "c@example.net"]
    assert told_of(steps(first, Phones(answers={"test002": 31.0}), decide)) == []
    closed = replace(first, enabled=False, missed_when="no answer")
    assert told_of(steps(closed, Phones(hang_up=5.0), decide)) == ["c@example.net", "a@example.net"]


@pytest.mark.parametrize("wanted", [None, *OUTCOMES])
@pytest.mark.parametrize(
    ("phones", "refusal", "outcome"),
    [
        (Phones(refuses={"test002": BUSY}), None, "waited too long"),
        (Phones(refuses={"test002": BUSY}, hang_up=3.0), None, "caller gave up"),
        (Phones(busy_until={"test002": 4.0}), None, "no answer"),
        (Phones(busy_until={"test002": 4.0}, answers={"test002": 5.0}), None, "answered"),
        (Phones(), Refusal.FULL, "too many callers"),
    ],
)
def test_a_line_is_told_of_as_it_went(
    phones: Phones, refusal: Refusal | None, outcome: str, wanted: str | None
) -> None:
    group = replace(SALES, line=3, line_wait=20.0, wait=10.0, missed_when=wanted or EVERY)
    course = list(steps(group, phones, lambda one: refusal or decide(one)))
    hears = outcome != "answered" and wanted in (None, outcome)
    assert bool(told_of(course)) is hears
