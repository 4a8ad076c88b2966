"""``fsctl simulate`` with a line: the caller is alone there, and so always the first."""

import json

import pytest

from tests.cli.conftest import Run


@pytest.fixture
def line(example: Run) -> Run:
    """A group of two, with a line."""
    for command in (
        "group add Desk --wait 10 --line 2 --line-wait 60 --line-retry 20 --max-callers 1",
        "group set Desk --when-line-over voicemail*test002",
        "member add Desk test002",
        "member add Desk test006",
    ):
        assert example(*(word.replace("*", " ") for word in command.split())).exit_code == 0
    return example


BUSY = ("simulate", "Desk", "--busy", "test002")


def test_a_member_hangs_up(line: Run) -> None:
    said = line(*BUSY, "--busy", "test006@45.5", "--answer", "test006@47").stdout
    assert "All are busy after 0 s: the caller stands in line." in said
    assert "the caller waits 45.5 s, tries 2 times in vain." in said
    assert "test006 has the caller after 1.5 s." in said
    assert "Telephones ring for 1 at once; others wait in line." in said


def test_the_wait_ends(line: Run) -> None:
    said = line(*BUSY, "--busy", "test006").stdout
    assert "the caller waits 60 s, tries 2 times in vain." in said
    assert "The caller goes on then to voicemail test002." in said


def test_the_caller_gives_up(line: Run) -> None:
    said = line(*BUSY, "--busy", "test006", "--hang-up", "12").stdout
    assert "the caller waits 12 s." in said
    assert "The caller gives up in line." in said


def test_as_json(line: Run) -> None:
    found = json.loads(line(*BUSY, "--busy", "test006@5", "--json").stdout)
    assert (found["stands"], found["ending"], found["in_line"]) == (True, None, None)
    [then] = found["onward"]
    assert (then["group"], then["in_line"], then["tries"]) == ("Desk", 5.0, 0)


def test_who_is_busy_until_when_is_one_clear_line(line: Run) -> None:
    wrong = line("simulate", "Desk", "--busy", "nobody@5")
    assert wrong.exit_code == 1
    assert "nobody is not a member of Desk" in wrong.output
