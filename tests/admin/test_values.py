import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsctl.admin import values
from fsctl.admin.errors import WrongValue
from fsctl.admin.terms import GROUP_TERMS, MEMBER_TERMS

WAIT, DELAY = GROUP_TERMS["wait"], MEMBER_TERMS["delay"]
DESCRIPTION = GROUP_TERMS["description"]


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("0", 0), ("6", 6000), ("0.5", 500), ("0,5", 500), ("1.001", 1001), ("3600", 3_600_000),
     (0, 0), (0.25, 250), (10.0, 10_000), ("-0", 0), ("007", 7000)],
)  # fmt: skip
def test_seconds_are_kept_to_the_millisecond(text: str | float, milliseconds: int) -> None:
    assert DELAY.read(text) == milliseconds / 1000


@pytest.mark.parametrize(
    "text",
    ["", " ", "a", "nan", "inf", "-inf", "1e3", "1.2.3", "1,2,3", ".5", "5.", "1.0005", "1_000",
     "+1", "1 s", "5\n", "\u0665", "9" * 5000, float("nan"), float("inf"), 1e-7, True],
)  # fmt: skip
def test_what_is_no_time_is_refused(text: str | float) -> None:
    with pytest.raises(WrongValue, match=r"delay .* is not a time: write seconds"):
        DELAY.read(text)


def test_times_have_bounds() -> None:
    for text in ("-1", "-0.001", "3600.001", "999999999"):
        with pytest.raises(WrongValue, match=r"^delay is 0 to 3600 seconds, not "):
            DELAY.read(text)
    for text in ("0", "0,999", "3600.001"):
        with pytest.raises(WrongValue, match=r"^wait is 1 to 3600 seconds, not "):
            WAIT.read(text)
    assert (WAIT.read("1"), WAIT.read("3600")) == (1.0, 3_600.0)


@given(st.integers(0, 3_600_000), st.sampled_from([".", ","]))
def test_every_millisecond_can_be_written(milliseconds: int, point: str) -> None:
    text = f"{milliseconds // 1000}{point}{milliseconds % 1000:03}"
    assert DELAY.read(text) == milliseconds / 1000
    assert DELAY.read(milliseconds / 1000) == milliseconds / 1000


@pytest.mark.parametrize("name", ["a", "sales", "Dział Łączności", "1", "a-b", "€ 5", "a" * 64])
def test_a_group_may_be_called(name: str) -> None:
    assert values.group_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", " ", " a", "a ", "-a", "--json", "a\nb", "a\tb", "\x00", "\x7f", "\u0085", "\u202e",
     "\u00a0a", "\ud800", "a" * 65],
)  # fmt: skip
def test_a_group_may_not_be_called(name: str) -> None:
    with pytest.raises(WrongValue) as raised:
        values.group_name(name)
    assert str(raised.value).isprintable()


def test_a_name_has_one_spelling() -> None:
    assert values.group_name("Lo\u0301dz\u0301") == "Lódź"


@pytest.mark.parametrize(
    "user", ["test002", "a", "7", "a.b_c+d-e", "a" * 64, "test002@pbx.example.org", "a@10.0.0.1"]
)
def test_a_user_may_be_called(user: str) -> None:
    assert values.user(user) == user


@pytest.mark.parametrize(
    "user",
    ["", ".a", "-a", "@a", "a@", "a@@b", "a b", "a,b", "a|b", "a/b", "a'b", "${a}", "{a=b}a",
     "[a]", "a\nb", "a\n", "zażółć", "a" * 65, "a@-b", "a@b..c", "a@" + "b" * 64,
     "a@" + ".".join(["b" * 60] * 5), "\ud800"],
)  # fmt: skip
def test_a_user_may_not_be_called(user: str) -> None:
    with pytest.raises(WrongValue) as raised:
        values.user(user)
    assert str(raised.value).isprintable()


@given(st.text())
def test_what_passes_for_a_user_is_harmless_in_a_dial_string(text: str) -> None:
    try:
        user = values.user(text)
    except WrongValue:
        return
    assert not set(user) & set(" ,'\"|\\{}[]()<>$&:;/\r\n\0")


def test_a_description_is_a_line() -> None:
    assert DESCRIPTION.read("Zażółć, gęślą; 'jaźń' ${x}") == "Zażółć, gęślą; 'jaźń' ${x}"
    for text in ("a\nb", "a" * 501):
        with pytest.raises(WrongValue):
            DESCRIPTION.read(text)
