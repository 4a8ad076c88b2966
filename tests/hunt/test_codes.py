"""Codes before a group's number, and who may use them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsctl.hunt.admission import Admitted, Refusal, admit
from fsctl.hunt.codes import Code, Codes, member_of, picks_up_as, read_code
from fsctl.hunt.group import Group, Member

codes = st.from_regex(r"\A[*#][0-9*#]{0,3}\Z")
numbers = st.from_regex(r"\A[0-9*#+]{0,8}\Z")
BOTH = Codes("*45", "*8")
INNER = Group("crew", members=(Member("c1"),), domain="a.example")
TEAM = Group(
    "team",
    members=(
        Member("Anna"),
        Member("bob@b.example"),
        Member("off", enabled=False, signed_on=False),
        Member("group:crew"),
        Member("+48501234567"),
    ),
    domain="a.example",
    inner=(("group:crew", INNER),),
)


@given(codes, codes, numbers)
def test_what_is_dialled_is_one_code_and_a_number_or_none(
    sign: str, pick_up: str, number: str
) -> None:
    if sign.startswith(pick_up) or pick_up.startswith(sign):
        with pytest.raises(ValueError, match="collide"):
            Codes(sign, pick_up)
        return
    both = Codes(sign, pick_up)
    assert both.split(sign + number) == ((Code.SIGN, number) if number else None)
    assert both.split(pick_up + number) == ((Code.PICK_UP, number) if number else None)
    found = both.split(number)
    assert found is None or number == dict(both)[found[0]] + found[1]


@given(numbers)
def test_a_code_that_is_off_is_never_dialled(number: str) -> None:
    assert Codes().split(number) is None
    assert list(Codes()) == []


@pytest.mark.parametrize(("text", "code"), [("*45", "*45"), ("#1*", "#1*"), ("", ""), ("NONE", "")])
def test_a_code_as_it_is_written(text: str, code: str) -> None:
    assert read_code(text) == code


@pytest.mark.parametrize("text", ["45", "*45 ", "*4a", "*" * 9, "*4\n", "+45"])
def test_what_is_no_code(text: str) -> None:
    with pytest.raises(ValueError, match="write"):
        read_code(text)


def test_numbers_that_stand_in_the_way() -> None:
    assert list(BOTH.shadowed(["600", "*45", "*45600", "*81"])) == [("*45600", "600"), ("*81", "1")]


@pytest.mark.parametrize(
    ("user", "member"),
    [
        ("anna@a.example", "Anna"),
        ("anna", "Anna"),
        ("anna@b.example", None),  # of another tenant
        ("bob@b.example", "bob@b.example"),
        ("bob@a.example", None),
        ("c1@a.example", None),  # of the group within: there is where she signs on
        ("+48501234567", None),
        ("group:crew", None),
        ("off@a.example", "off"),
    ],
)
def test_who_signs_on(user: str, member: str | None) -> None:
    found = member_of(TEAM, user)
    assert (found.user if found else None) == member


@pytest.mark.parametrize(
    ("user", "members", "domain"),
    [
        ("anna@a.example", "Anna", "Anna"),
        ("c1@a.example", "c1", "c1"),
        ("off@a.example", "off", "off"),
        ("zoe@a.example", None, "zoe@a.example"),
        ("anna@b.example", None, None),
        ("zoe@b.example", None, None),
        ("zoe", None, None),
    ],
)
def test_who_picks_up(user: str, members: str | None, domain: str | None) -> None:
    def picks(pickup: str) -> str | None:
        return picks_up_as(Group(**{**_fields(TEAM), "pickup": pickup}), user)

    assert (picks("members"), picks("domain"), picks("nobody")) == (members, domain, None)


def test_a_group_without_a_domain_is_everybodys() -> None:
    assert picks_up_as(Group("a", pickup="domain"), "zoe@anywhere") == "zoe@anywhere"


def _fields(group: Group) -> dict[str, object]:
    return {name: getattr(group, name) for name in group.__dataclass_fields__}


def test_who_is_signed_off_is_not_rung() -> None:
    members = (Member("a", signed_on=False), Member("b", delay=5))
    admitted = admit(Group("g", members=members))
    assert isinstance(admitted, Admitted)
    assert [ring.member for ring in admitted.schedule.rings] == ["b"]
    assert admit(Group("g", members=members[:1])) is Refusal.NO_MEMBERS
    outer = Group(
        "o", members=(Member("group:g"),), inner=(("group:g", Group("g", members=members)),)
    )
    admitted = admit(outer)
    assert isinstance(admitted, Admitted)
    assert [ring.member for ring in admitted.schedule.rings] == ["b"]
    off = Group("o", members=(Member("group:g", signed_on=False),), inner=outer.inner)
    assert admit(off) is Refusal.NO_MEMBERS
