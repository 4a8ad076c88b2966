"""Whole calls over a socket pair, with frames of any kind: each comes to an orderly end.

``tests/fuzz`` has the long run; this is its short form, and hypothesis beside it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fsctl.esl.codec import parse_headers
from fsctl.esl.commands import CALL_TAG, EVENTS, LEG_TAG
from tests.fuzz.conversations import conversations, framed, job_uuid
from tests.fuzz.mutator import NASTY, STRAY
from tests.fuzz.run import Run
from tests.fuzz.targets import Calls

KNOWN = next(one for one in conversations() if one.name == "answered-json")
CALLER = parse_headers(KNOWN.connected.removesuffix(b"\n\n"))["Unique-ID"]
LEG = "58f33c1f-3277-4713-85ce-76b401c83ee5"
odd = st.one_of(st.text(max_size=20), st.none(), st.integers(), st.lists(st.text(max_size=3)))
uuids = st.one_of(st.sampled_from([CALLER, LEG, ""]), st.text(max_size=8))
events = st.fixed_dictionaries(
    {"Event-Name": st.sampled_from(EVENTS), f"variable_{CALL_TAG}": st.just(CALLER)},
    optional={
        "Unique-ID": uuids,
        "Other-Leg-Unique-ID": uuids,
        f"variable_{LEG_TAG}": st.one_of(
            st.sampled_from([job_uuid(1), job_uuid(2), "9" * 5000, "²"]), odd
        ),
        "Job-UUID": st.sampled_from([job_uuid(1), job_uuid(2), "x"]),
        "Hangup-Cause": st.one_of(st.sampled_from(["NO_ANSWER", "LOSE_RACE"]), odd),
        "_body": st.one_of(st.sampled_from(["+OK " + LEG, "-ERR USER_BUSY\n", "+OK"]), odd),
    },
).map(lambda event: framed(b"text/event-json", json.dumps(event).encode()))
frames = st.one_of(
    events,
    events,
    st.sampled_from([frame for one in conversations() for frame in one.events]),
    st.sampled_from(STRAY),
    st.sampled_from(NASTY),
    st.binary(max_size=40),
)


@pytest.fixture(scope="module")
def calls() -> Iterator[Calls]:
    calls = Calls()
    yield calls
    calls.close()


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(frames, max_size=25), st.integers(0, 1000))
def test_a_call_ends_in_order_whatever_it_hears(calls: Calls, told: list[bytes], seed: int) -> None:
    calls.run(random.Random(seed), KNOWN.connected, told)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(NASTY), st.binary(max_size=80)), max_size=8))
def test_so_does_one_whose_beginning_is_odd(calls: Calls, pieces: list[bytes]) -> None:
    head, _, _ = KNOWN.connected.partition(b"Unique-ID: ")
    calls.run(random.Random(1), head + b"Unique-ID: " + b"".join(pieces) + b"\n\n", [])


def test_the_first_rounds_of_the_long_run() -> None:
    run = Run(seed=2)
    try:
        for number in range(250):
            run.round(number)
    finally:
        run.calls.close()
    assert run.findings == 0
    assert run.frames > 3000


@pytest.mark.parametrize("channel", ["a b", "", "x\ny", "${x}", "-1"])
def test_a_channel_whose_name_fits_no_command_is_no_fault_of_ours(
    calls: Calls, channel: str
) -> None:
    """Found by hand: the cancel of such a leg gave the whole call back as a fault of ours."""

    def told(name: str, uuid: str, leg: str) -> bytes:
        event = {"Event-Name": name, "Unique-ID": uuid}
        tags = {f"variable_{LEG_TAG}": leg, f"variable_{CALL_TAG}": CALLER}
        return framed(b"text/event-json", json.dumps(event | tags).encode())

    frames = [
        told("CHANNEL_CREATE", channel, job_uuid(2)),
        told("CHANNEL_BRIDGE", LEG, job_uuid(1)),
    ]
    calls.run(random.Random(3), KNOWN.connected, frames)
