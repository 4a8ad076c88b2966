"""What is sent to the switch so that a caller hears something, and what is left out."""

import math
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsctl.controller.arrival import Arrival
from fsctl.controller.showing import recording_of, shown_of
from fsctl.controller.sounds import ANNOUNCEMENT, MUSIC, RINGBACK, RINGING, Sounds, prompts_of
from fsctl.esl.events import event_of
from fsctl.esl.presentation import Caller
from fsctl.esl.quoting import folder_name
from fsctl.hunt.group import Group, Member

A = "11111111-1111-1111-1111-111111111111"
ARRIVAL = Arrival(A, "600", Caller("+48600100200", "Kowalski"), None, host="pbx.example")


def sounds(said: list[str], **settings: object) -> Sounds:
    return Sounds(Group("sales", **settings), A, said.append)


def test_a_group_without_sounds_costs_one_command() -> None:
    said: list[str] = []
    plain = sounds(said)
    plain.ring(0.0)
    assert said == [f"api uuid_ring_ready {A}"]
    assert (plain.greets, plain.loaded, plain.due) == (False, (), math.inf)


def test_a_sound_that_cannot_be_said_is_left_out() -> None:
    """A newer fsctl may know others, in the same database."""
    said: list[str] = []
    odd = sounds(said, music="${system(reboot)}", greeting="/a b.wav")
    odd.ring(0.0)
    assert said == [f"api uuid_ring_ready {A}"]
    assert not odd.greets


def test_the_announcement_comes_each_so_many_seconds() -> None:
    said: list[str] = []
    waiting = sounds(said, announcement="/a.wav", announce_every=10.0)
    waiting.ring(100.0)
    assert waiting.loaded == (MUSIC, RINGING, ANNOUNCEMENT)
    assert any(RINGBACK in command for command in said)
    said.clear()
    waiting.tick(109.0)
    assert not said
    waiting.tick(110.0)
    waiting.tick(111.0)
    assert len(said) == 1
    assert ANNOUNCEMENT in said[0]
    assert waiting.due == 120.0


@pytest.mark.parametrize(
    ("uuid", "state", "rings"),
    [(MUSIC, "early", True), (MUSIC, "hangup", False), ("other", "early", False)],
)
def test_music_that_has_ended_makes_room_for_ringing_once(
    uuid: str, state: str, rings: bool
) -> None:
    said: list[str] = []
    waiting = sounds(said, music="/a.wav")
    waiting.ring(0.0)
    said.clear()
    name = "CHANNEL_EXECUTE_COMPLETE"
    over = event_of({"Event-Name": name, "Application-UUID": uuid, "Answer-State": state})
    waiting.take_in(over)
    waiting.take_in(over)
    assert len(said) == rings


def test_only_who_must_is_asked() -> None:
    members = (Member("test002", confirm=True), Member("test006"))
    assert list(prompts_of(Group("sales", members=members))) == ["test002"]


def test_a_ring_that_cannot_be_said_is_left_out() -> None:
    plain = shown_of(Group("sales"), ARRIVAL).variables
    assert shown_of(Group("sales", alert_info="a b\n"), ARRIVAL).variables == plain
    assert "sip_h_Alert-Info" not in plain


@pytest.mark.parametrize(
    ("number", "host", "sent"),
    [
        ("*4#", "pbx.example", "<sip:*4%23@pbx.example>;reason=unconditional"),
        ("600", "a>;b", None),
        ("6 0", "pbx.example", None),
    ],
)
def test_a_diversion_names_only_what_is_a_number(number: str, host: str, sent: str | None) -> None:
    arrival = Arrival(A, number, Caller("1", "x"), None, host=host)
    shown = shown_of(Group("sales", diversion=True), arrival).variables
    assert shown.get("sip_h_Diversion") == sent


def test_a_recording_that_leads_elsewhere_is_none() -> None:
    assert recording_of(Group("sales"), ARRIVAL, "test002", 0.0) == ""
    assert recording_of(Group("s", recording="/a/../b.wav"), ARRIVAL, "test002", 0.0) == ""
    path = recording_of(Group("../x", recording="/r/{group}/{number}.wav"), ARRIVAL, "t", 0.0)
    assert re.fullmatch(r"/r/x-[0-9a-f]{8}/\+48600100200\.wav", path)


def folder(group: Group) -> str:
    recorded = replace(group, recording="/r/{group}/{uuid}.wav")
    return recording_of(recorded, ARRIVAL, "test002", 0.0).split("/")[2]


def test_groups_never_share_a_folder_of_recordings() -> None:
    names = ["Продажи", "Сервис", "Łódź", "Lodz", "łódź", "Sales Team", "Sales_Team", "a/b", "a.b"]
    groups = [Group(name) for name in names]
    groups += [Group("sales", domain=domain) for domain in ("", "a.example", "b.example")]
    folders = [folder(group) for group in groups]
    assert len(set(folders)) == len(groups)
    assert [name.rpartition("-")[0] for name in folders[:3]] == ["Prodazhi", "Servis", "Lodz"]
    assert folders[3] == "Lodz"
    assert folder(Group("Sales Team")) == "Sales_Team"
    assert folder(Group(folders[0])) != folders[0]


@given(st.text(max_size=64), st.text(max_size=64))
def test_a_folder_is_of_one_text_and_leads_nowhere(one: str, other: str) -> None:
    names = {folder_name(text) for text in (one, other)}
    assert len(names) == len({one, other})
    assert all(re.fullmatch(r"[A-Za-z0-9+@_.-]{1,90}", name) for name in names)
    assert not any(".." in name for name in names)


def test_a_recording_has_the_time_of_its_group() -> None:
    recorded = Group("sales", recording="/r/{date}/{time}.wav", time_zone="Asia/Tokyo")
    began = datetime(2026, 12, 31, 20, 30, 5, tzinfo=UTC).timestamp()
    assert recording_of(recorded, ARRIVAL, "test002", began) == "/r/2027-01-01/05-30-05.wav"
    for zone, path in (
        ("America/Los_Angeles", "/r/2026-12-31/12-30-05.wav"),
        ("of a newer fsctl", "/r/2026-12-31/20-30-05.wav"),
    ):
        there = replace(recorded, time_zone=zone)
        assert recording_of(there, ARRIVAL, "test002", began) == path
