"""``fsctl calls`` and ``fsctl stats``."""

import csv
import dataclasses
import json
import time

import pytest
from msgspec.structs import replace

from fsctl.admin.call_file import COLUMNS
from fsctl.hunt.group import Member
from fsctl.store.call_records import Attempt, CallRecord, Version, group_text
from fsctl.store.call_writing import write_calls
from fsctl.store.engine import make_engine
from tests.records.conftest import Run
from tests.records.samples import ANSWERED, ATTEMPTS, BEGAN, GROUP, call

GAVE_UP = replace(
    call(60),
    uuid="77777777-0000-4000-8000-000000000001",
    outcome="caller gave up",
    cause="ORIGINATOR_CANCEL",
    caller_number="anonymous",
    caller_name="=cmd|'/c calc'!A1",
    answered_by=None,
    talk_seconds=None,
    wait_seconds=3.0,
    attempts=(Attempt("test002", 0.0, 0.1, None, None, 3.01, "cancelled", "ORIGINATOR_CANCEL"),),
)


@pytest.fixture
def calls(fsctl: Run, database_url: str) -> Run:
    write_calls(make_engine(database_url), [Version(1, ANSWERED), Version(1, GAVE_UP)])
    return fsctl


def test_why_did_my_phone_not_ring_at_10_42(calls: Run) -> None:
    listed = calls(
        "calls", "list", "--member", "test007", "--since", "2024-05-14T10:42",
        "--until", "2024-05-14T10:43",
    )  # fmt: skip
    heads, line = listed.stdout.splitlines()
    assert heads.split()[-1] == "test007"
    assert line.endswith(
        "not rung; its turn (at 10 s) had not come when the call was over: "
        "answered by test006 after 7.25 s, then 63 s of talk"
    )
    number = line.split()[0]
    assert calls("calls", "show", number).stdout.splitlines() == [
        f"Call:       {number}, 5f3c0d1e-0000-4000-8000-000000000001",
        "Group:      Sales",
        "Number:     600",
        'Caller:     +48 601 234 567 "Jan Żółw"',
        "Began:      2024-05-14 10:42:07",
        "Ended:      2024-05-14 10:43:17",
        "Outcome:    answered by test006 after 7.25 s, then 63 s of talk",
        "Controller: pbx1/123",
        "",
        "         0 s            7.5 s          15 s           22.5 s         30 s",
        "test002  ===============                                                "
        "from 0 s to 7.3 s: stopped, another member was first",
        "test006              ==*                                                "
        "from 6 s: answered at 7.25 s, has the caller",
        "",
        "test002: called at 0 s, rang for 7.2 s; stopped because test006 was first "
        "(LOSE_RACE, SIP 487).",
        "test006: called at 6 s, rang for 1.05 s; picked up and got the caller.",
        "test007: not rung; its turn (at 10 s) had not come when the call was over: "
        "answered by test006 after 7.25 s, then 63 s of talk.",
        "test008: not rung; the member was disabled.",
        "test009: not rung; its delay of 45 s was beyond the group's wait time of 30 s.",
    ]


def silent(record: CallRecord, calls: Run, url: str) -> list[str]:
    write_calls(make_engine(url), [Version(2, record)])
    shown = json.loads(calls("calls", "show", record.uuid, "--json").stdout)
    return [one["summary"] for one in shown[0]["not_rung"]]


def test_why_members_were_not_rung(calls: Run, database_url: str) -> None:
    group = dataclasses.replace(
        GROUP, members=(Member("test001@a.example"), Member("test002", enabled=False))
    )
    own = replace(ANSWERED, group_as_it_was=group_text(group), attempts=())
    assert silent(own, calls, database_url) == [
        "test001@a.example: not rung; it was the caller's own phone.",
        "test002: not rung; the member was disabled.",
    ]
    disabled = replace(own, outcome="disabled", caller_user="")
    assert silent(disabled, calls, database_url) == [
        "test001@a.example: not rung; the group was disabled.",
        "test002: not rung; the group was disabled.",
    ]


@pytest.mark.parametrize(
    ("attempt", "words"),
    [
        (Attempt("a", 0.0, None, None, None, 0.1, "unreachable", "USER_NOT_REGISTERED"),
         "a: called at 0 s, no ringing was reported; its phone was not registered "
         "(USER_NOT_REGISTERED)."),
        (Attempt("a", 0.0, None, None, None, 0.1, "unreachable", "GATEWAY_DOWN"),
         "a: called at 0 s, no ringing was reported; it could not be reached (GATEWAY_DOWN)."),
        (Attempt("a", 0.0, None, None, None, 0.1, "busy", "USER_BUSY", 486),
         "a: called at 0 s, no ringing was reported; its phone was busy (USER_BUSY, SIP 486)."),
        (Attempt("a", 1.0, 1.5, None, None, None, "cancelled", "ORIGINATOR_CANCEL"),
         "a: called at 1 s, rang for 5.75 s; stopped because the caller gave up "
         "(ORIGINATOR_CANCEL)."),
        (Attempt("a", 1.0, 1.5, 2.0, None, 3.0, "failed", "NORMAL_CLEARING"),
         "a: called at 1 s, rang for 1.5 s; picked up, but was gone before the caller was there "
         "(NORMAL_CLEARING)."),
    ],
)  # fmt: skip
def test_what_became_of_a_leg(calls: Run, database_url: str, attempt: Attempt, words: str) -> None:
    write_calls(make_engine(database_url), [Version(2, replace(ANSWERED, attempts=(attempt,)))])
    assert words in calls("calls", "show", ANSWERED.uuid).stdout.splitlines()


def test_the_list_is_a_table(calls: Run) -> None:
    lines = calls("calls", "list").stdout.splitlines()
    assert [line.split("  ")[1].strip() for line in lines] == [
        "BEGAN", "2024-05-14 10:43:07", "2024-05-14 10:42:07",
    ]  # fmt: skip
    assert "caller gave up" in lines[1]
    assert len(calls("calls", "list", "--limit", "1").stdout.splitlines()) == 2
    answered = calls("calls", "list", "--outcome", "answered", "--caller", "0048601234567")
    assert len(answered.stdout.splitlines()) == 2


def test_the_list_as_json_is_what_show_says(calls: Run) -> None:
    listed = json.loads(calls("calls", "list", "--json").stdout)
    assert listed[1]["began"] == "2024-05-14T10:42:07.250+02:00"
    assert listed[1]["group_as_it_was"]["members"][0]["user"] == "test002"
    for one in listed:
        assert json.loads(calls("calls", "show", str(one["id"]), "--json").stdout) == [one]
    assert json.loads(calls("calls", "list", "--group", "x", "--json").stdout) == []


def test_the_list_as_csv_runs_in_no_spreadsheet(calls: Run) -> None:
    heads, gave_up, answered = csv.reader(calls("calls", "list", "--csv").stdout.splitlines())
    assert tuple(heads) == COLUMNS
    assert gave_up[8] == "'=cmd|'/c calc'!A1"
    assert answered[7:10] == ["'+48 601 234 567", "Jan Żółw", "answered"]
    none = calls("calls", "list", "--csv", "--group", "x").stdout
    assert list(csv.reader(none.splitlines())) == [heads]
    polish = calls("calls", "list", "--csv", "--separator", "semicolon", "--bom").stdout
    assert polish.startswith('\ufeff"id";"uuid";')
    assert '"7,25"' in polish


@pytest.mark.parametrize("how", ["flag", "setting"])
def test_callers_can_be_masked(calls: Run, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    if how == "setting":
        monkeypatch.setenv("FSCTL_MASK_NUMBERS", "4")
    mask = ("--mask",) if how == "flag" else ()
    for args in (("list",), ("list", "--json"), ("list", "--csv"), ("show", ANSWERED.uuid),
                 ("show", ANSWERED.uuid, "--json"), ("list", "--caller", "601234567")):  # fmt: skip
        shown = calls("calls", *args, *mask).stdout
        assert "+48 601 23* ***" in shown
        assert "Jan" not in shown
        assert "test001" not in shown.replace("test001@", "")


def test_what_is_hidden_is_not_found_by_trying(calls: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = ("601 234 567", "601 234 000", "+48 601 23* ***")

    def found() -> list[int]:
        args = ("calls", "list", "--json", "--caller")
        return [len(json.loads(calls(*args, one).stdout)) for one in tried]

    assert found() == [1, 0, 0]
    monkeypatch.setenv("FSCTL_MASK_NUMBERS", "4")
    assert found() == [1, 1, 1]


def test_statistics(calls: Run) -> None:
    assert calls("stats").stdout.splitlines() == [
        "Calls:      2, of which 0 rang nobody",
        "Answered:   1 (50.0 % of those that rang)",
        "Waiting:    median 3 s, 95th percentile 7.25 s",
        "  answered: median 7.25 s, 95th percentile 7.25 s",
        "Talk:       0:01:03",
        "",
        "OUTCOME         CALLS",
        "answered        1",
        "caller gave up  1",
        "",
        "MEMBER   OFFERED  ANSWERED  MISSED  ELSEWHERE  REFUSED  FAILED  TALK",
        "test002  2        0         1       1          0        0       0:00:00",
        "test006  1        1         0       0          0        0       0:01:03",
        "",
        "HOUR  CALLS  ANSWERED",
        "10    2      1",
    ]
    found = json.loads(calls("stats", "--json", "--group", "sales").stdout)
    assert (found["calls"], found["answered_share"]) == (2, 0.5)
    assert found["hours"] == [{"hour": 10, "calls": 2, "answered": 1}]
    rows = list(csv.reader(calls("stats", "--csv").stdout.splitlines()))
    assert ["member", "test006", "talk_seconds", "63.0"] in rows
    assert ["all", "", "answered_share", "0.5"] in rows
    assert calls("stats", "--since", "1d").stdout.splitlines()[1] == (
        "Answered:   0 (- of those that rang)"
    )


def test_purging_is_silent(calls: Run, database_url: str) -> None:
    fresh = call(1, began=time.time(), attempts=ATTEMPTS)
    write_calls(make_engine(database_url), [Version(1, fresh)])
    assert calls("calls", "purge", "--older-than", "90d").output == ""
    [left] = json.loads(calls("calls", "list", "--json").stdout)
    assert left["uuid"] == fresh.uuid


@pytest.mark.parametrize(
    ("args", "code", "line"),
    [
        ("calls show 99", 1, "there is no call 99 (of a uuid write 4 characters or more); "
         "see: fsctl calls list"),
        ("calls show deadbeef", 1, "there is no call deadbeef; see: fsctl calls list"),
        ("calls purge --older-than 90", 2, "'90' is not a length of time: write a number with "
         "s, m, h, d or w, for example 90d"),
        ("calls list --since soon", 2, "'soon' is not a time: write for example 2h (ago), 10:42, "
         "today, 2024-05-14 or 2024-05-14T10:42"),
        ("calls list --since 1h --until 2h", 2,
         "--since 1h is not before --until 2h: no call can be between"),
        ("calls list --json --csv", 2, "--json and --csv are two forms: give one of them"),
        ("stats --json --csv", 2, "--json and --csv are two forms: give one of them"),
        ("calls list --limit 0", 2, "Invalid value for '--limit': 0 is not in the range "
         "1<=x<=1000000000; see fsctl calls list --help"),
        ("--mask-numbers x calls list", 2,
         "mask_numbers from --mask-numbers is 'x': write a number from 0 to 1000"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_one_line(calls: Run, args: str, code: int, line: str) -> None:
    result = calls(*args.split(), code=code)
    assert (result.stdout, result.stderr) == ("", f"Error: {line}\n")


def test_a_uuid_that_is_not_enough_is_one_line(calls: Run, database_url: str) -> None:
    write_calls(make_engine(database_url), [Version(1, call(2))])
    assert calls("calls", "show", "5f3c0d1e", code=1).stderr == (
        "Error: 2 calls have a uuid that begins with 5f3c0d1e: write more of it\n"
    )


def test_the_hunts_of_one_caller_are_drawn_together(calls: Run, database_url: str) -> None:
    again = replace(ANSWERED, began=BEGAN + 40, group="Service")
    write_calls(make_engine(database_url), [Version(1, again)])
    shown = calls("calls", "show", ANSWERED.uuid).stdout
    assert [line for line in shown.splitlines() if line.startswith("Group:")] == [
        "Group:      Sales", "Group:      Service",
    ]  # fmt: skip


def test_a_call_that_rang_nobody_is_shown(calls: Run, database_url: str) -> None:
    nobody = replace(call(3), group="", group_as_it_was="", attempts=(), wait_seconds=0.0,
                     outcome="no such number", cause="UNALLOCATED_NUMBER", answered_by=None,
                     caller_number="", caller_name="", number="999", talk_seconds=None)  # fmt: skip
    write_calls(make_engine(database_url), [Version(1, nobody)])
    lines = calls("calls", "show", nobody.uuid).stdout.splitlines()
    assert "Outcome:    refused: no group served the number (UNALLOCATED_NUMBER)" in lines
    assert "Caller:     withheld" in lines
