"""What goes with a call: whatever strangers choose, a leg gets values, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsctl.demo.originate import read_dial_string
from fsctl.demo.quoting import separate
from fsctl.esl.carried import HOPS, MOST, MOST_TEXT, Carrying, Route, hops_of, read_route
from fsctl.esl.commands import LegOrder, Originates
from fsctl.esl.presentation import Shown
from fsctl.esl.quoting import clean

UUID = "4aac82dd-d39b-4959-a0c6-3f3ce36ef29d"
ORDER = LegOrder("58f33c1f3277", "test002", 24.0)
nasty = st.text(st.sampled_from("ab ,'\"\\{}[]<>$|^:_;=/\n\r\u2028%0A\x00&@") | st.characters())
names = st.text(st.sampled_from("abX-_.,= {}[]\\':\n"), max_size=12)


def command(carrying: Carrying, channel: dict[str, str], hops: int = 1) -> str:
    carried = carrying.read(channel).of_leg(Route(hops, ("0123abcd",)))
    return Originates(UUID, Shown.of("100", clean("A")), carried).command(ORDER)


def variables(said: str) -> dict[str, str]:
    """Return the variables of a leg as FreeSWITCH reads them."""
    line, job = said.split("\n")
    assert job == "Job-UUID: 58f33c1f3277"
    arguments = separate(line.removeprefix("bgapi originate "), " ", 10)
    assert len(arguments) == 3
    dial = read_dial_string(arguments[0])
    assert dial.alternatives == [[({}, "user/test002")]]
    return dial.variables


OURS = variables(command(Carrying(()), {}))


@given(st.lists(st.tuples(names, nasty), max_size=6), st.lists(st.tuples(names, nasty), max_size=6))
def test_a_leg_gets_values_as_they_were_or_not_at_all(
    exported: list[tuple[str, str]], headers: list[tuple[str, str]]
) -> None:
    channel = {
        **{f"variable_{name}": value for name, value in exported},
        **{f"variable_sip_h_X-{name}": value for name, value in headers},
        "variable_export_vars": ",".join(name for name, _ in exported),
    }
    found = variables(command(Carrying(("*",)), channel))
    for name, value in found.items():
        if name not in OURS:
            assert value == channel[f"variable_{name}"].strip(" ")
    assert OURS.keys() <= found.keys()
    changed = {name for name in OURS if found[name] != OURS[name]}
    assert changed <= {"export_vars"}


@given(st.lists(st.integers(1, 200), max_size=60))
def test_all_together_are_bounded(lengths: list[int]) -> None:
    channel = {f"variable_sip_h_X-H{at}": "v" * length for at, length in enumerate(lengths)}
    read = Carrying().read(channel).variables
    assert len(read) <= MOST
    assert sum(len(name) + len(value) for name, value in read.items()) <= MOST_TEXT


def test_an_exported_variable_is_exported_further_but_for_a_remote_one() -> None:
    """A colon in a name is no end of it: the block is read as the switch wrote it."""
    block = b"variable_nolocal:far: a%2Cb\nvariable_nolocal:off: 1%0Ax\n"
    channel = {
        "variable_export_vars": "near,nolocal:far,_nolocal_away,nolocal:off,unset",
        "variable_near": "1",
        "variable__nolocal_away": "2",
    }
    carried = Carrying().read(channel, block)
    assert carried.variables == {"near": "1", "far": "a\\,b", "away": "2"}
    assert carried.exported == ("near",)
    assert carried.of_leg(Route(3))[HOPS] == "3"


@pytest.mark.parametrize(
    "name",
    [
        *("fsctl_call", "FSCTL_HUNT", "origination_uuid", "originate_timeout", "api_on_answer"),
        *("execute_on_media", "group_confirm_file", "hangup_after_bridge", "leg_timeout"),
        *("return_ring_ready", "call_timeout", "fail_on_single_reject", "exec_after_bridge_app"),
        *("monitor_early_media_fail", "ring_ready", "transfer_after_bridge", "sip_h_X-Fsctl-Leg"),
        *("max_forwards", "sip_h_X-Fsctl-Hops", "export_vars", "socket_resume"),
    ],
)
def test_what_is_ours_is_not_carried(name: str) -> None:
    channel = {"variable_export_vars": name, f"variable_{name}": "1"}
    assert Carrying(("*",)).read(channel).variables == {}


@pytest.mark.parametrize(
    ("headers", "carried"),
    [
        ((), set()),
        (("X-*",), {"X-One", "X-Two"}),
        (("x-o*", "P-Charge"), {"X-One", "P-Charge"}),
        (("X",), set()),
        (("*",), {"X-One", "X-Two", "P-Charge"}),
    ],
)
def test_headers_by_their_names(headers: tuple[str, ...], carried: set[str]) -> None:
    channel = {f"variable_sip_h_{name}": "1" for name in ("X-One", "X-Two", "P-Charge")}
    read = Carrying(headers).read(channel).variables
    assert read == {f"sip_h_{name}": "1" for name in carried}


def test_a_dialplan_may_keep_headers_back() -> None:
    channel = {
        "variable_sip_copy_custom_headers": "false",
        "variable_export_vars": "sip_h_X-One",
        "variable_sip_h_X-One": "1",
        "variable_sip_h_X-Two": "2",
    }
    assert Carrying().read(channel).variables == {"sip_h_X-One": "1"}


@pytest.mark.parametrize("name", ["X-Fsctl-Hops", "x-fsctl-hops", "X-FSCTL-HOPS"])
def test_the_groups_that_there_were(name: str) -> None:
    assert hops_of({f"variable_sip_h_{name}": "3", "variable_sip_h_X-Other": "1"}) == "3"
    assert hops_of({"variable_sip_h_X-Other": "1"}) == ""


@given(st.integers(0, 999), st.lists(st.from_regex("[0-9a-f]{8}", fullmatch=True), max_size=8))
def test_a_route_is_read_as_it_was_written(hops: int, marks: list[str]) -> None:
    route = Route(hops, tuple(marks))
    assert read_route(route.text) == route


@given(st.text() | st.text("0123456789-abcdef"))
def test_any_text_is_a_route(text: str) -> None:
    route = read_route(text)
    assert 0 <= route.hops < 1000
    assert len(route.hunting) <= 8


def test_what_is_no_route() -> None:
    assert (
        read_route("") == read_route("-3") == read_route("5;x") == read_route("\u0663") == Route()
    )
    assert read_route("2-xyz-0123abcd-0123ABCD").hunting == ("0123abcd",)
