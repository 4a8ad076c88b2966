import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import Result

from fsctl import __version__
from fsctl.cli.main import root
from fsctl.settings import SETTINGS
from fsctl.store.tables import ENDINGS, SCHEMA

Run = Callable[..., Result]


def commands(
    command: click.Command = root, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        ctx = click.Context(command)
        for name in command.list_commands(ctx):
            found = command.get_command(ctx, name)
            assert found is not None
            yield from commands(found, (*path, name))


def ok(result: Result) -> str:
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def error(result: Result, code: int) -> str:
    assert result.exit_code == code
    assert result.stdout == ""
    [line] = result.stderr.splitlines()
    assert line.startswith("Error: ")
    return line.removeprefix("Error: ")


def test_every_command_and_option_has_help(fsctl: Run) -> None:
    found = dict(commands())
    assert {("db", "upgrade"), ("group", "add"), ("member", "set"), ("config",)} <= set(found)
    for path, command in found.items():
        assert command.help, path
        for param in command.params:
            assert not isinstance(param, click.Option) or param.help, (path, param.name)
        assert ok(fsctl(*path, "--help")).startswith(" ".join(["Usage: fsctl", *path]))


def test_whatever_shows_something_has_json() -> None:
    for path, command in commands():
        if path and path[-1] in ("audit", "config", "history", "list", "show", "status"):
            assert "--json" in [name for param in command.params for name in param.opts], path


def test_every_setting_has_a_flag() -> None:
    flags = [name for param in root.params for name in param.opts]
    assert {setting.flag for setting in SETTINGS} <= set(flags)


def test_version(fsctl: Run) -> None:
    assert ok(fsctl("--version")) == f"fsctl {__version__}\n"


@pytest.mark.parametrize(
    ("args", "line"),
    [
        ([], "Missing command; see fsctl --help"),
        (["group"], "Missing command; see fsctl group --help"),
        (["group", "add"], "Missing argument 'NAME'; see fsctl group add --help"),
        (["number", "add", "a"], "Missing argument 'NUMBER...'; see fsctl number add --help"),
        (["group", "show", "a", "b"],
         "Got unexpected extra argument (b); see fsctl group show --help"),
    ],
)  # fmt: skip
def test_a_mistyped_command_is_one_line(fsctl: Run, args: list[str], line: str) -> None:
    assert error(fsctl(*args), 2) == line


@pytest.mark.parametrize(
    "args", [["grup"], ["group", "lst"], ["group", "add", "a", "--wiat", "3"], ["--wait", "\n\x1b"]]
)
def test_what_is_unknown_is_named_on_one_line(fsctl: Run, args: list[str]) -> None:
    line = error(fsctl(*args), 2)
    assert line.startswith("No such ")
    assert line.endswith(" --help")
    assert line.isprintable()


def test_a_missing_database_says_what_to_run(fsctl: Run, nowhere: Path) -> None:
    for args in (["group", "list"], ["group", "add", "a"], ["db", "example"]):
        line = "there is no database fsctl.db yet; run: fsctl db upgrade"
        assert error(fsctl(*args), 1) == line
    assert list(nowhere.iterdir()) == []


def test_an_unreachable_database_is_one_line(fsctl: Run) -> None:
    for url in ("postgresql://u:hush@127.0.0.1:1/d", "sqlite:////nonexistent/fsctl.db"):
        for args in (["db", "upgrade"], ["group", "list"]):
            line = error(fsctl("--database-url", url, *args), 1)
            assert "hush" not in line


def test_a_wrong_setting_is_one_line(fsctl: Run) -> None:
    assert error(fsctl("--region", "x\ny", "group", "list"), 2) == (
        "region from --region is 'x\\ny': write the two letters of a country, for example PL"
    )
    assert error(fsctl("--database-url", "postgresql+psycopg2://h/d", "group", "list"), 2) == (
        "fsctl keeps no data in postgresql+psycopg2: write sqlite:///FILE or postgresql://..."
    )


def test_upgrading(fsctl: Run, database_url: str) -> None:
    def run(*args: str) -> Result:
        return fsctl("--database-url", database_url, *args)

    assert json.loads(ok(run("db", "status", "--json")))["up_to_date"] is False
    assert "run: fsctl db upgrade" in ok(run("db", "status"))
    [line] = ok(run("db", "upgrade")).splitlines()
    assert re.search(r" is up to date; applied: 0001(, \d{4})*\.$", line)
    assert ok(run("db", "upgrade")) == ""
    assert json.loads(ok(run("db", "status", "--json"))) == {
        "database": database_url,
        "revision": SCHEMA,
        "head": SCHEMA,
        "up_to_date": True,
        "newer": False,
    }
    assert "up to date" in ok(run("db", "status"))
    assert ok(run("db", "example")) == 'Group "sales" added as an example.\n'
    assert ok(run("db", "example")) == ""


def test_settings_are_shown_with_their_source(fsctl: Run, nowhere: Path) -> None:
    (nowhere / "fsctl.toml").write_text('database_url = "postgresql://u:hush@h/d"\n')
    result = fsctl("--listen", "[::1]:9", "config")
    assert "hush" not in ok(result)
    shown = json.loads(ok(fsctl("--listen", "[::1]:9", "config", "--json")))
    assert [row["name"] for row in shown] == [setting.name for setting in SETTINGS]
    url, listen, region = shown[:3]
    assert (url["value"], url["source"]) == ("postgresql://u:***@h/d", "file:fsctl.toml")
    assert (listen["value"], listen["source"]) == ("[::1]:9", "flag")
    assert (region["value"], region["source"]) == ("PL", "default")
    assert url["secret"]
    assert error(fsctl("--config", "none.toml", "config"), 2) == (
        "cannot read none.toml: No such file or directory"
    )


def test_the_groups_are_a_table(example: Run) -> None:
    assert ok(example("group", "list")).splitlines() == [
        "NAME   STATE    WAIT  NUMBERS            MEMBERS  DESCRIPTION",
        "sales  enabled  30 s  600, +48587624731  3        "
        "An example: three telephones, one after another",
    ]
    [group] = json.loads(ok(example("group", "list", "--json")))
    assert group == json.loads(ok(example("group", "show", "SALES", "--json")))


def test_a_group_is_shown_in_the_order_of_ringing(example: Run) -> None:
    ok(example("member", "set", "sales", "test002", "--delay", "6,5"))
    ok(example("member", "disable", "sales", "test006"))
    example("member", "set", "sales", "test007", "--delay", "30")
    result = example("group", "show", "sales")
    assert result.stdout.splitlines() == [
        "Name:        sales",
        "Description: An example: three telephones, one after another",
        "State:       enabled",
        "Wait:        30 s",
        "Advance:     on",
        "Numbers:     600, +48587624731",
        "",
        "MEMBER   DELAY  STATE",
        "test006  6 s    disabled",
        "test002  6.5 s  rings",
        "test007  30 s   never rings",
    ]
    [warning] = result.stderr.splitlines()
    assert warning.startswith('Warning: test007 of group "sales" never rings: ')
    shown = json.loads(example("group", "show", "sales", "--json").stdout)
    assert shown == {
        "name": "sales",
        "domain": "",
        "description": "An example: three telephones, one after another",
        "enabled": True,
        "wait": 30.0,
        "advance": True,
        "strategy": "delayed",
        "ring_time": None,
        "rounds": 1,
        "hours": "",
        "dates": "",
        "closed_until": None,
        "time_zone": "Europe/Warsaw",
        "caller_name": "{name}",
        "caller_number": "{number}",
        "announce_every": 30,
        "diversion": False,
        "answer_first": False,
        "skip_busy": False,
        "pickup": "members",
        **dict.fromkeys(("alert_info", "music", "greeting", "announcement", "recording")),
        **dict.fromkeys(("confirm_prompt", "too_late")),
        **dict.fromkeys(ENDINGS),
        "missed_mail": "",
        "missed_when": "all",
        **dict.fromkeys(("max_callers", "line", "line_music", "line_position")),
        "line_wait": 300,
        "line_retry": 10,
        "line_every": 30,
        "numbers": ["600", "+48587624731"],
        "members": [
            {
                "user": user, "delay": delay, "enabled": enabled, "ring_time": None,
                "order": 0, "weight": 1, "note": "", "confirm": False,
                "signed_on": True,
                "never_rings": never_rings,
            }
            for user, delay, enabled, never_rings in (
                ("test006", 6.0, False, False),
                ("test002", 6.5, True, False),
                ("test007", 30.0, True, True),
            )
        ],
        "warnings": [warning.removeprefix("Warning: ")],
    }  # fmt: skip


def test_what_is_heard_and_who_must_press_1_is_shown(example: Run) -> None:
    ok(example("group", "set", "sales", "--greeting", "/a.wav", "--music", "local_stream://moh",
               "--announcement", "/b.wav", "--announce-every", "15"))  # fmt: skip
    ok(example("member", "set", "sales", "test006", "--confirm"))
    shown = example("group", "show", "sales").stdout.splitlines()
    assert "Announce every: 15 s" in shown
    assert "Music:          local_stream://moh" in shown
    said = example("simulate", "sales", "--answer", "test006@7").stdout.splitlines()
    assert said[-4:] == [
        "test006 must press 1 to have the caller.",
        "Before anybody rings the caller hears /a.wav; the seconds count from its end.",
        "While telephones ring the caller hears local_stream://moh.",
        "Every 15 s the caller hears /b.wav.",
    ]


def test_a_group_from_the_first_line_to_the_last(example: Run) -> None:
    result = example("group", "add", "Dział Łączności", "--wait", "12,5", "--no-advance")
    assert result.stdout == 'Group "Dział Łączności" added: wait 12.5 s, advance off.\n'
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == ["Warning"] * 2
    example("number", "add", "dział łączności", "58 762 47 32", "*45", "+48587624733")
    for line in (
        ("member", "add", "dział łączności", "test002@pbx.example.org", "--delay", "0.5"),
        ("group", "set", "dział łączności", "--name", "Łączność", "--description", "Nowa"),
        ("group", "set", "łączność", "--wait", "20", "--advance"),
        ("number", "remove", "łączność", "*45", "0048587624733"),
        ("member", "set", "łączność", "test002@pbx.example.org", "--delay", "1"),
    ):
        assert len(ok(example(*line)).splitlines()) == 1
    shown = json.loads(ok(example("group", "show", "Łączność", "--json")))
    assert shown["members"][0]["delay"] == 1.0
    assert (shown["numbers"], shown["wait"], shown["advance"], shown["description"]) == (
        ["+48587624732"], 20.0, True, "Nowa",
    )  # fmt: skip
    for action, enabled in (("disable", False), ("enable", True)):
        assert example("group", action, "łączność").exit_code == 0
        assert (
            json.loads(example("group", "show", "łączność", "--json").stdout)["enabled"] is enabled
        )
        assert example("member", action, "łączność", "test002@pbx.example.org").exit_code == 0
    assert example("member", "remove", "łączność", "test002@pbx.example.org").exit_code == 0
    assert ok(example("group", "remove", "łączność")) == (
        'Group "Łączność" removed; its numbers were: +48587624732; its members: none.\n'
    )


def test_a_group_shows_what_is_set_of_it(example: Run) -> None:
    ok(example("group", "set", "sales", "--strategy", "longest-idle", "--ring-time", "10"))
    ok(example("member", "set", "sales", "test002", "--order", "1", "--note", "at the door"))
    shown = ok(example("group", "show", "sales")).splitlines()
    assert shown[5:8] == [
        "Strategy:    longest-idle",
        "Ring time:   10 s",
        "Numbers:     600, +48587624731",
    ]
    assert shown[9:] == [
        "MEMBER   DELAY  ORDER  NOTE         STATE",
        "test006  6 s    0                   rings",
        "test007  10 s   0                   rings",
        "test002  0 s    1      at the door  rings",
    ]
    assert example("group", "set", "sales", "--ring-time", "none").exit_code == 0
    assert "Ring time" not in example("group", "show", "sales").stdout


def test_a_group_is_closed_out_of_hours(example: Run) -> None:
    ok(example("group", "set", "sales", "--hours", "MON-FRI 08:00-16:00; sat 9:00-12:00"))
    ok(example("group", "set", "sales", "--dates", "2026-12-24 8:00-12:00"))
    told = ok(example("group", "holidays", "sales", "2026", "--country", "GB-SCT"))
    assert "2026-08-03" in told
    ok(example("group", "set", "sales", "--dates", "2026-12-24 8:00-12:00"))
    told = ok(example("group", "holidays", "sales", "2026"))
    assert told.startswith('Group "sales" is closed on 2026-01-01, 2026-01-06, 2026-04-05, ')
    shown = example("group", "show", "sales").stdout
    assert "Hours:       mon-fri 8:00-16:00, sat 9:00-12:00" in shown
    assert "2026-12-24 8:00-12:00, 2026-12-25, 2026-12-26" in shown
    for at, open_ in (
        ("2026-12-23 15:59", True), ("2026-12-23 16:00", False), ("2026-12-24 9:00", True),
        ("2026-12-24 12:00", False), ("2026-12-26 10:00", False), ("2027-01-02 10:00", True),
    ):  # fmt: skip
        said = ok(example("simulate", "sales", "--at", at))
        assert (said == CLOSED) == (not open_), at
    ok(example("group", "set", "sales", "--closed-until", "2026-12-23 12:30"))
    assert ok(example("simulate", "sales", "--at", "2026-12-23 12:29")) == CLOSED
    assert ok(example("simulate", "sales", "--at", "2026-12-23 12:30")) != CLOSED
    ok(example("group", "set", "sales", "--closed-until", "none", "--hours", "none"))
    assert ok(example("simulate", "sales", "--at", "2026-12-22")) != CLOSED


CLOSED = (
    "Nobody rings: the group is closed.\nThe caller is released at once with NORMAL_UNSPECIFIED.\n"
)


@pytest.mark.parametrize(
    ("args", "code", "line"),
    [
        ("group holidays sales 1999", 2, "the year is 2000 to 2100, not 1999"),
        ("--region AC group holidays sales 2026", 2,
         "no public holidays are known of 'AC': write the two letters of a country"),
        ("simulate sales --at soon", 2,
         "time 'soon': write a day, or a day and a time, for example 2026-12-28 7:30"),
        ("group set sales --hours 8-16", 2,
         "hours '8-16': write days with their hours, for example mon-fri 8:00-16:00"),
        ("group set sales --time-zone Mars", 2,
         "time zone 'Mars': write a time zone's name, for example Europe/Warsaw"),
        ("group set sales --strategy x", 2,
         "strategy is one of delayed, simultaneous, top-down, progressive, round-robin, random, "
         "weighted, longest-idle, fewest-calls, not 'x'"),
        ("group show salse", 1, 'there is no group "salse"; did you mean "sales"?'),
        ("group add SALES", 1, 'there is a group "sales" already'),
        ("number add sales 601 600", 1, '600 is a number of group "sales" already'),
        ("number remove sales 601", 1, '601 is not a number of group "sales"'),
        ("member add sales test002", 1, 'test002 is a member of group "sales" already'),
        ("member remove sales x", 1,
         'x is not a member of group "sales"; see: fsctl group show'),
        ("number add sales abc", 2,
         "'abc' is not a number: only digits, *, # and a leading + can be dialled"),
        ("member add sales x --delay -1", 2, "delay is 0 to 3600 seconds, not -1"),
        ("member add sales x --delay nan", 2,
         "delay 'nan' is not a time: write seconds, for example 5 or 0.5, with at most 3 decimals"),
        ("group set sales --wait 0,5", 2, "wait is 1 to 3600 seconds, not 0,5"),
        ("group add -- -x", 2,
         'a group\'s name cannot start with "-", as an option does: "-x"'),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_one_line(example: Run, args: str, code: int, line: str) -> None:
    before = ok(example("group", "list", "--json"))
    assert error(example(*args.split()), code) == line
    assert ok(example("group", "list", "--json")) == before


def test_the_region_is_used(example: Run) -> None:
    ok(example("--region", "GB", "number", "add", "sales", "020 7946 0958"))
    [group] = json.loads(ok(example("group", "list", "--json")))
    assert group["numbers"][-1] == "+442079460958"
