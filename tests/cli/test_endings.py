"""``fsctl simulate`` follows a call to where it goes."""

import json

import pytest

from tests.cli.conftest import Run


@pytest.fixture
def groups(example: Run) -> Run:
    """Two groups: what nobody takes of the first goes on to the second."""
    for command in (
        "group add Desk --wait 10 --when-closed extension*99",
        "group add Support --wait 10 --ending voicemail*test006 --when-disabled play*sorry.wav",
        "group set Desk --when-no-answer group*support --when-unreachable release*USER_BUSY",
        "member add Desk test002",
        "member add Support test006 --delay 2",
    ):
        assert example(*(word.replace("*", " ") for word in command.split())).exit_code == 0
    return example


def test_from_group_to_group(groups: Run) -> None:
    said = groups("simulate", "Desk", "--answer", "test006@14").stdout
    assert "The caller goes on after 10 s to group support." in said
    assert 'In group "Support":' in said
    assert "test006 has the caller after 4 s." in said
    said = groups("simulate", "Desk").stdout
    assert "The caller goes on after 10 s to voicemail test006." in said


def test_as_json(groups: Run) -> None:
    found = json.loads(groups("simulate", "Desk", "--json").stdout)
    assert found["ending"] == "group support"
    assert [(one["group"], one["ending"]) for one in found["onward"]] == [
        ("Support", "voicemail test006")
    ]


def test_who_hears_of_a_missed_call(groups: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, addresses in (("Desk", "a@example.net"), ("Support", "b@example.net,a@example.net")):
        assert groups("group", "set", name, "--missed-mail", addresses).exit_code == 0
    said = groups("simulate", "Desk").stdout.splitlines()[-1]
    assert said == (
        "a@example.net, b@example.net hear of the missed call by mail, "
        "if the setting smtp_url named a mail server."
    )
    monkeypatch.setenv("FSCTL_SMTP_URL", "smtp://mail.example.net")
    said = groups("simulate", "Desk", "--hang-up", "2").stdout.splitlines()[-1]
    assert said == "a@example.net hears of the missed call by mail."
    found = json.loads(groups("simulate", "Desk", "--json").stdout)
    assert found["missed_mail"] == ["a@example.net", "b@example.net"]
    assert "by mail" not in groups("simulate", "Desk", "--answer", "test006@14").stdout


def test_for_each_reason(groups: Run) -> None:
    said = groups("simulate", "Desk", "--offline", "test002").stdout
    assert "The caller is released after 0 s with USER_BUSY." in said
    assert groups("group", "disable", "Support").exit_code == 0
    said = groups("simulate", "Desk").stdout
    assert "The caller goes on at once to play sorry.wav." in said
    assert groups("group", "set", "Desk", "--closed-until", "2999-01-01").exit_code == 0
    assert "The caller goes on at once to extension 99." in groups("simulate", "Desk").stdout
    assert groups("member", "disable", "Desk", "test002").exit_code == 0
    for settings in (("--closed-until", "none"), ("--when-no-members", "play none.wav NO_ANSWER")):
        assert groups("group", "set", "Desk", *settings).exit_code == 0
    said = groups("simulate", "Desk").stdout
    assert "The caller goes on at once to play none.wav NO_ANSWER." in said
