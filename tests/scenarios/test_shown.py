"""What a member's telephone shows of a call, as the telephone itself reads it."""

from __future__ import annotations

import pytest

from tests.scenarios.conftest import MakeGroup
from tests.scenarios.rig import Rig


@pytest.mark.parametrize(
    ("settings", "name", "number"),
    [
        ({}, "Kowalski", "+48600100200"),
        ({"caller_name": "[Sales] {name}"}, "[Sales] Kowalski", "+48600100200"),
        ({"caller_name": "(1] {number}, {group}"}, "(1] +48600100200, group N", "+48600100200"),
        ({"caller_name": "Sales", "caller_number": "{dialled}"}, "Sales", "N"),
        ({"caller_name": "a/b:c=d|e"}, "a b c d e", "+48600100200"),
    ],
    ids=["as it is", "a prefix", "a text of both and the group", "replaced", "cleaned"],
)
def test_a_caller_is_shown_as_the_group_says(
    rig: Rig, group: MakeGroup, settings: dict[str, object], name: str, number: str
) -> None:
    rig.phone("test002")
    called = group({"test002": 0.0}, **settings)
    rig.dial(called)
    seen = rig.log.wait("test002", "invite").detail
    assert seen["name"] == name.replace("N", called)
    assert seen["number"] == number.replace("N", called)


def test_a_stranger_cannot_write_what_an_administrator_may(rig: Rig, group: MakeGroup) -> None:
    rig.phone("test002")
    rig.dial(group({"test002": 0.0}, caller_name="[x] {name}"), caller_name="[boss] {group}")
    assert rig.log.wait("test002", "invite").detail["name"] == "[x] boss group"


def test_a_hidden_caller_stays_hidden(rig: Rig, group: MakeGroup) -> None:
    rig.phone("test002")
    rig.phone("test006")
    rig.dial(group({"test002": 0.0}, caller_name="[Sales] {name}, {number}"), hidden=True)
    seen = rig.log.wait("test002", "invite").detail
    assert (seen["name"], seen["number"]) == ("[Sales] Anonymous, anonymous", "anonymous")
    assert seen["hidden"] is True
    rig.dial(group({"test006": 0.0}), who="open")
    assert rig.log.wait("test006", "invite").detail["hidden"] is False


@pytest.mark.parametrize(
    ("alert_info", "sent"),
    [
        (None, ""),
        ("Bellcore-dr3", "<Bellcore-dr3>"),
        (
            "<http://example.com/ring>;info=alert-group",
            "<http://example.com/ring>;info=alert-group",
        ),
    ],
)
def test_a_distinctive_ring(rig: Rig, group: MakeGroup, alert_info: str | None, sent: str) -> None:
    rig.phone("test002")
    rig.dial(group({"test002": 0.0}, alert_info=alert_info))
    assert rig.log.wait("test002", "invite").detail["alert_info"] == sent


def test_the_number_that_was_dialled_is_shown_as_diverting(rig: Rig, group: MakeGroup) -> None:
    rig.phone("test002")
    called = group({"test002": 0.0}, diversion=True)
    rig.dial(called)
    sent = str(rig.log.wait("test002", "invite").detail["diversion"])
    assert sent.startswith(f"<sip:{called}@")
    assert sent.endswith(">;reason=unconditional")
