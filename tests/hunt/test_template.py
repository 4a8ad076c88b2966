"""Templates: only what is known is a placeholder, and no value is read again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsctl.hunt.template import SHOWN, fill, stray

words = st.text(st.sampled_from("ab{}[] name"))


@pytest.mark.parametrize(
    ("template", "wrong"),
    [
        ("[Sales] {name}", None),
        ("{name}{group}", None),
        ("{nobody}", "{nobody}"),
        ("{name", "{name"),
        ("name}", "}"),
        ("{{name}}", "{}"),
        ("{}", "{}"),
        ("{Name}", "{Name}"),
    ],
)
def test_what_is_no_placeholder_is_found(template: str, wrong: str | None) -> None:
    assert stray(template, SHOWN) == wrong


@given(words, words)
def test_a_value_is_not_read_again(before: str, value: str) -> None:
    plain = before.replace("{", "").replace("}", "")
    assert fill(f"{plain}{{name}}", {"name": value, "ame": "x"}) == plain + value


@given(words)
def test_a_template_without_strays_leaves_no_braces(template: str) -> None:
    if stray(template, SHOWN) is None:
        assert not set(fill(template, dict.fromkeys(SHOWN, "v"))) & set("{}")
