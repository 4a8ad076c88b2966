"""The tables of settings: whole, and the same wherever a setting is met."""

from dataclasses import fields
from datetime import date

import pytest
from sqlalchemy import Engine

from fsctl.admin.difference import differences, summary
from fsctl.admin.documents import document_of
from fsctl.admin.errors import WrongValue
from fsctl.admin.groups import add_group, get_group, set_group
from fsctl.admin.holidays import close_on_holidays
from fsctl.admin.members import add_member, set_member
from fsctl.admin.terms import GROUP_TERMS, MEMBER_TERMS, Term
from fsctl.hunt.group import Group, Member
from fsctl.hunt.opening import read_dates

TERMS = [*GROUP_TERMS.values(), *MEMBER_TERMS.values()]


def test_every_setting_of_the_plain_values_is_declared() -> None:
    beside = {"name", "domain", "numbers", "members", "inner", "onward"}
    assert GROUP_TERMS.keys() | beside == {field.name for field in fields(Group)}
    assert MEMBER_TERMS.keys() | {"user"} == {field.name for field in fields(Member)}


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.name)
def test_what_is_written_is_read_as_it_was(term: Term) -> None:
    assert term.read(term.write(term.default)) == term.default
    for choice in term.kind.choices:
        assert term.read(choice.upper()) == choice
    assert term.help.endswith(".")


@pytest.mark.parametrize(
    ("term", "text", "message"),
    [
        (GROUP_TERMS["strategy"], "linear", "strategy is one of delayed, simultaneous, top-down, "),
        (GROUP_TERMS["ring_time"], "0.5", "ring time is 1 to 3600 seconds, not 0.5"),
        (GROUP_TERMS["ring_time"], "x", "ring time 'x' is not a time: "),
        (GROUP_TERMS["rounds"], "0", "rounds is 1 to 20, not 0"),
        (GROUP_TERMS["rounds"], "2.5", "rounds '2.5' is not a whole number, for example 3"),
        (GROUP_TERMS["rounds"], "\u0665", "rounds '\\u0665' is not a whole number"),
        (GROUP_TERMS["advance"], "perhaps", "advance is true or false, not 'perhaps'"),
        (MEMBER_TERMS["order"], "-1", "order is 0 to 9999, not -1"),
        (MEMBER_TERMS["weight"], "101", "weight is 1 to 100, not 101"),
        (MEMBER_TERMS["note"], "a" * 101, "a note has at most 100 characters, not 101"),
        (MEMBER_TERMS["note"], "a\nb", "a note is one line of printable characters"),
    ],
)
def test_a_wrong_value_is_one_line(term: Term, text: str, message: str) -> None:
    with pytest.raises(WrongValue) as raised:
        term.read(text)
    assert str(raised.value).startswith(message)
    assert str(raised.value).isprintable()


def test_settings_are_set_told_and_cleared(engine: Engine) -> None:
    change = add_group(engine, "a", strategy="ROUND-ROBIN", ring_time="7,5", rounds=3)
    assert change.text == (
        'Group "a" added: wait 30 s, advance on, strategy round-robin, ring time 7.5 s, rounds 3.'
    )
    change = add_member(engine, "a", "b", ring_time=20, order="2", weight="5", note="mobile")
    assert change.text == (
        'b of group "a": delay 0 s, ring time 20 s, order 2, weight 5, note "mobile", enabled.'
    )
    assert get_group(engine, "a") == Group(
        "a", members=(Member("b", 0, True, 20, 2, 5, "mobile"),), strategy="round-robin",
        ring_time=7.5, rounds=3,
    )  # fmt: skip
    assert set_group(engine, "a", ring_time="none").group.ring_time is None
    change = set_member(engine, "a", "b", ring_time="none", note="")
    assert change.text == 'b of group "a": delay 0 s, order 2, weight 5, enabled.'
    with pytest.raises(KeyError):
        set_group(engine, "a", colour="red")


def test_when_a_group_is_open_is_kept_in_one_form(engine: Engine) -> None:
    change = add_group(
        engine,
        "a",
        hours="MON 08:00-16:00; tue 8:00-16:00",
        dates="2026-12-31 closed, 2026-12-24 08:00-12:00",
        closed_until="2026-12-28",
        time_zone="Europe/London",
    )
    group = change.group
    assert (group.hours, group.dates, group.closed_until, group.time_zone) == (
        "mon-tue 8:00-16:00",
        "2026-12-24 8:00-12:00, 2026-12-31",
        "2026-12-28 00:00",
        "Europe/London",
    )
    cleared = set_group(
        engine, "a", hours="none", dates="none", closed_until="none", time_zone="none"
    )
    assert cleared.group == Group("a")


def test_holidays_are_added_to_the_dates_that_are_there(engine: Engine) -> None:
    add_group(engine, "a", dates="2026-12-25 8:00-12:00")
    close_on_holidays(engine, "a", 2026, "pl")
    dates = read_dates(get_group(engine, "a").dates)
    assert dates[date(2026, 12, 25)] == ((480, 720),)
    assert dates[date(2026, 11, 11)] == ()
    again = close_on_holidays(engine, "a", 2026, "PL")
    assert again.text == 'Group "a" is closed on no day more.'


def test_holidays_of_a_part_of_a_country(engine: Engine) -> None:
    add_group(engine, "whole")
    whole = close_on_holidays(engine, "whole", 2026, "GB")
    assert whole.warnings[-1] == (
        "parts of GB have more holidays; give the part, for example GB-ENG"
    )
    add_group(engine, "england")
    england = close_on_holidays(engine, "england", 2026, "gb-eng")
    more = read_dates(england.group.dates).keys() - read_dates(whole.group.dates).keys()
    assert more == {date(2026, 4, 6), date(2026, 8, 31)}
    assert not [line for line in england.warnings if "parts of" in line]
    add_group(engine, "poland")
    assert not [
        line for line in close_on_holidays(engine, "poland", 2026, "PL").warnings if "part" in line
    ]
    with pytest.raises(
        WrongValue, match=r"^GB has no part 'XX' with its own holidays, only: ENG, "
    ):
        close_on_holidays(engine, "england", 2026, "GB-XX")


@pytest.mark.parametrize("text", ["XX", "ECB", "NYSE", "GPW", "jan", "-PL", "PUBLIC"])
def test_holidays_are_of_countries_only(engine: Engine, text: str) -> None:
    add_group(engine, "a")
    with pytest.raises(WrongValue, match=r"^no public holidays are known of '"):
        close_on_holidays(engine, "a", 2026, text)


def test_a_difference_tells_defaults_that_a_document_leaves_out() -> None:
    plain, other = document_of(Group("a")), document_of(Group("a", strategy="random", ring_time=5))
    old = {key: value for key, value in plain.items() if key not in ("strategy", "ring_time")}
    assert differences(old, plain) == []
    told = ['strategy "delayed" -> "random"', "ring time none -> 5"]
    assert differences(plain, other) == differences(old, other) == told
    assert summary(plain) == "enabled yes, wait 30, advance yes, numbers none, members none"
    assert "strategy" in summary(other)


def test_a_round_longer_than_the_wait_is_warned_of(engine: Engine) -> None:
    add_group(engine, "a", strategy="top-down", wait=30)
    for user in ("x", "y"):
        assert not [one for one in add_member(engine, "a", user).warnings if "round" in one]
    change = add_member(engine, "a", "z")
    assert (
        'a round of group "a" takes 45 s, its wait is 30 s: the last ring only when others refuse'
        in change.warnings
    )
    assert not [one for one in set_group(engine, "a", ring_time=10).warnings if "round" in one]
