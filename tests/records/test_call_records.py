"""What a record may hold, and that it survives the disk."""

import math

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from fsctl.hunt import events as ev
from fsctl.hunt.group import Group, Member
from fsctl.hunt.machine import Hunt
from fsctl.hunt.schedule import Ring, Schedule
from fsctl.hunt.simulation import Phones, simulate
from fsctl.store.call_records import (
    MOST_ATTEMPTS,
    Attempt,
    CallOutcome,
    CallRecord,
    Version,
    attempts_of,
    call_outcome,
    cleaned,
    decode,
    encode,
    group_of,
    group_text,
)
from tests.records.samples import ANSWERED, GROUP

TEXT = st.text(st.characters(), max_size=400)
TIME = st.floats(allow_nan=True, allow_infinity=True)
MOMENT = st.none() | TIME

ATTEMPT = st.builds(
    Attempt, TEXT, TIME, MOMENT, MOMENT, MOMENT, MOMENT, TEXT, TEXT, st.none() | st.integers()
)
RECORD = st.builds(
    CallRecord,
    **dict.fromkeys(("uuid", "domain", "group", "number", "caller_number", "caller_name"), TEXT),
    **dict.fromkeys(("outcome", "cause", "group_as_it_was", "controller", "caller_user"), TEXT),
    **dict.fromkeys(("began", "wait_seconds", "ended"), TIME),
    answered_by=st.none() | TEXT,
    talk_seconds=MOMENT,
    attempts=st.lists(ATTEMPT, max_size=3).map(tuple),
)


@given(RECORD, st.integers(0, 4 * 10**12 - 1))
def test_whatever_strangers_send_survives_the_disk(record: CallRecord, stamp: int) -> None:
    version = Version(stamp, cleaned(record))
    line = encode(version)
    assert b"\n" not in line
    assert decode(line) == version


@given(RECORD)
def test_a_clean_record_can_be_printed_and_kept(record: CallRecord) -> None:
    clean = cleaned(record)
    assert cleaned(clean) == clean
    texts = [value for value in asdict(clean).values() if isinstance(value, str)]
    assert all(text.isprintable() for text in texts)
    assert len(clean.caller_name) <= 128
    assert math.isfinite(clean.wait_seconds)
    assert clean.wait_seconds >= 0


@given(st.binary())
def test_what_is_no_record_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says
        decode(line)


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("uuid", None), ("uuid", 3), ("began", "x"), ("began", None), ("began", True),
        ("attempts", 3), ("attempts", [3]), ("attempts", [{"member": "a"}]),
        ("attempts", [{"member": "a", "started": "0"}]), ("surprise", 1), ("talk_seconds", "1"),
        ("attempts", [{"member": "a", "started": 0}] * (MOST_ATTEMPTS + 1)),
    ],
)  # fmt: skip
def test_a_line_with_another_shape_is_refused(where: str, value: object) -> None:
    found = orjson.loads(encode(Version(1, ANSWERED)))
    found["record"][where] = value
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says
        decode(orjson.dumps(found))


@pytest.mark.parametrize("stamp", [-1, "1", None, True, 10**15])
def test_a_stamp_that_is_no_time_is_refused(stamp: object) -> None:
    found = orjson.loads(encode(Version(1, ANSWERED)))
    found["recorded_ms"] = stamp
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says
        decode(orjson.dumps(found))


def test_a_group_too_large_to_keep_is_left_out() -> None:
    assert cleaned(replace(ANSWERED, group_as_it_was="x" * 600_000)).group_as_it_was == ""


def test_a_group_is_read_as_it_was() -> None:
    assert group_of(group_text(GROUP)) == GROUP


def test_a_group_of_another_version_is_read_as_far_as_it_is_known() -> None:
    text = '{"name": "a", "colour": "red", "members": [{"user": "b", "hat": 1}]}'
    assert group_of(text) == Group("a", members=(Member("b"),))
    for nothing in ("", "{}", "[]", "3", '{"members": 3}', '{"members": []}', '{"members": [3]}'):
        assert group_of(nothing) is None


SCHEDULE = Schedule((Ring("a", 0.0, math.inf), Ring("b", 5.0, math.inf)), 20.0)


def hunted(*happenings: tuple[float, ev.Event | None]) -> Hunt:
    hunt = Hunt(SCHEDULE, 0.0)
    hunt.tick(0.0)
    for at, event in happenings:
        if event is None:
            hunt.tick(at)
        else:
            hunt.handle(event, at)
    return hunt


@pytest.mark.parametrize(
    ("happenings", "outcome"),
    [
        ([(1, ev.LegConnected(1))], CallOutcome.ANSWERED),
        ([(1, ev.CallerGone("ORIGINATOR_CANCEL"))], CallOutcome.GAVE_UP),
        ([(1, ev.CallerGone("NO_ANSWER"))], CallOutcome.GAVE_UP),
        ([(1, ev.CallerGone("NORMAL_CLEARING"))], CallOutcome.GAVE_UP),
        ([(20, None), (20.1, ev.CallerGone("NO_ANSWER"))], CallOutcome.NO_ANSWER),
        ([(1, ev.LegEnded(1, "USER_BUSY")), (2, ev.LegEnded(2, "USER_BUSY")),
          (2, ev.CallerGone("USER_BUSY"))], CallOutcome.BUSY),
        ([(1, ev.LegEnded(1, "X")), (2, ev.LegEnded(2, "Y")),
          (2, ev.CallerGone("NORMAL_TEMPORARY_FAILURE"))], CallOutcome.FAILED),
        ([], CallOutcome.HANDED_BACK),
    ],
)  # fmt: skip
def test_how_a_hunt_ended_for_its_caller(
    happenings: list[tuple[float, ev.Event | None]], outcome: CallOutcome
) -> None:
    assert call_outcome(hunted(*happenings)) is outcome


def test_the_legs_of_a_hunt_are_attempts() -> None:
    call = simulate(SCHEDULE, Phones(answers={"b": 7.0}))
    assert attempts_of(call.legs, {1: 487}) == (
        Attempt("a", 0.0, 0.0, None, None, 7.0, "cancelled", "LOSE_RACE", 487),
        Attempt("b", 5.0, 5.0, 7.0, 7.0, None, "answered"),
    )


def test_a_leg_not_seen_to_end_is_what_it_was_called_off_for() -> None:
    hunt = hunted((1.0, ev.CallerGone("ORIGINATOR_CANCEL")))
    [attempt] = attempts_of(hunt.legs.values())
    assert (attempt.outcome, attempt.cause, attempt.ended) == (
        "cancelled", "ORIGINATOR_CANCEL", None,
    )  # fmt: skip
