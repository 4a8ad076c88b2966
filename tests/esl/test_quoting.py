"""Quoting: whatever a stranger calls himself, a command stays the command that we meant."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsctl.esl import commands, quoting
from fsctl.esl.errors import Unquotable
from fsctl.esl.presentation import Shown

UUID = "4aac82dd-d39b-4959-a0c6-3f3ce36ef29d"
ORDER = commands.LegOrder("58f33c1f-3277-4713-85ce-76b401c83ee5", "test002", 24.0)
nasty = st.text(st.sampled_from("ab ,'\"\\{}[]<>$|^;=\n\r\u2028%0A\x00&@") | st.characters())


def originate(number: str, name: str) -> str:
    shown = Shown.of(quoting.clean(number), quoting.clean(name))
    return commands.Originates(UUID, shown).command(ORDER)


@given(nasty, nasty)
def test_no_caller_adds_a_command_a_variable_or_an_argument(number: str, name: str) -> None:
    honest, hostile = originate("100", "A"), originate(number, name)
    assert hostile.count("\n") == 1
    assert [line.split(" ")[0] for line in hostile.splitlines()] == ["bgapi", "Job-UUID:"]
    # An unescaped space separates arguments, an unescaped comma variables.
    assert len(hostile.split("\n")[0].split(" ")) == len(honest.split("\n")[0].split(" "))
    block = re.search(r"\{(.*?)\}user/", hostile)
    assert block
    names = [part.split("=")[0] for part in re.split(r"(?<!\\),", block[1])]
    assert names == [
        part.split("=")[0]
        for part in re.split(r"(?<!\\),", re.search(r"\{(.*?)\}user/", honest)[1])
    ]
    own = commands.UNLESS_OVER  # the only text that FreeSWITCH expands
    assert block[1].count(own) == 1
    assert not set(block[1].replace(own, "")) & set("{}[]<>'\"$|^;\r\n\u2028\x00")


@given(nasty)
def test_clean_is_idempotent_and_bounded(text: str) -> None:
    kept = quoting.clean(text)
    assert quoting.clean(kept) == kept
    assert len(kept) <= quoting.MAX_VALUE
    kept.encode()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Kowalski", "Kowalski"),
        ("Żółć, Łukasz", "Żółć, Łukasz"),
        ("O'Brien", "O\u2019Brien"),
        ("x,api_on_answer=system", "x,api_on_answer system"),
        ("a\nContent-Length: 9\n\nb", "a Content-Length 9 b"),
        ("${system(reboot)}", "system reboot"),
        ("+48 58 762 47 31", "+48 58 762 47 31"),
        ("北京", "北京"),
        ("A" * 70_000, "A" * 80),
    ],
)
def test_clean(text: str, kept: str) -> None:
    assert quoting.clean(text) == kept


def test_value_escapes_what_names_need() -> None:
    assert quoting.label("Smith, John") == "Smith\\,\\sJohn"


@pytest.mark.parametrize(
    "build",
    [
        lambda bad: commands.kill(bad, "LOSE_RACE"),
        lambda bad: commands.kill(UUID, bad),
        lambda bad: commands.cancel_all(bad, "NO_ANSWER"),
        lambda bad: commands.release(UUID, bad),
        commands.ring,
        lambda bad: commands.prepare(bad, "sign"),
        lambda bad: commands.prepare(UUID, bad),
        commands.hear_legs,
        commands.hear_caller,
        lambda bad: commands.Originates(UUID, Shown.of("", "")).command(
            commands.LegOrder(UUID, bad, 1.0)
        ),
    ],
)
@pytest.mark.parametrize("bad", ["", "a b", "a\nb", "-bleg", "a,b", "a'b", "${x}", "a" * 300, "ł"])
def test_our_own_words_are_checked_too(build, bad: str) -> None:
    with pytest.raises(Unquotable):
        build(bad)


@pytest.mark.parametrize("bad", ["a,b", "a b", "a\\", "a\\\\,b", "a}b", "a\nb", "'a'"])
def test_a_value_that_was_not_quoted_is_refused(bad: str) -> None:
    with pytest.raises(Unquotable):
        quoting.variables({"name": bad})


@given(nasty)
def test_a_label_is_one_value_of_a_block(text: str) -> None:
    """What an administrator writes may have brackets, and still ends nothing."""
    block = quoting.variables({"name": quoting.label(text), "next": "1"})
    assert len(re.split(r"(?<!\\),", block)) == 2
    assert not set(block[1:-1]) & set(" {}'\"$|^\r\n\u2028\x00")


@given(nasty)
def test_a_part_of_a_path_leads_nowhere(text: str) -> None:
    assert not re.search(r"[^A-Za-z0-9+@_-]", quoting.part_of_path(text))


@pytest.mark.parametrize("check", [quoting.sound, quoting.path, quoting.header])
@pytest.mark.parametrize("bad", ["", "/a b", "/a\nb", "/${x}", "/a'b", "/a\\", "/a}b", '/"'])
def test_what_an_administrator_writes_is_checked_once_more(check, bad: str) -> None:
    with pytest.raises(Unquotable):
        check(bad)


@pytest.mark.parametrize("bad", ["a/b.wav", "/a/../b.wav", "/a,b"])
def test_a_path_is_whole(bad: str) -> None:
    with pytest.raises(Unquotable):
        quoting.path(bad)


dials = st.builds("sofia/{}/{}".format, nasty, nasty) | nasty


@given(dials)
def test_a_dial_string_is_one_endpoint(text: str) -> None:
    """Nothing in it ends a word, a list, an alternative, a block or a line."""
    try:
        quoting.dial_string(text)
    except Unquotable:
        return
    assert not set(text) & set(" ,|{}[]<>'\"$^\\\n\r\x00%&()")
    assert ":_:" not in text


def test_a_number_is_dialled_by_its_own_dial_string() -> None:
    order = commands.LegOrder(UUID, "+48501234567", 9.0, dial="sofia/gateway/a/+48501234567")
    text = commands.Originates(UUID, Shown.of("", "")).command(order)
    assert "}sofia/gateway/a/+48501234567 '" in text
    assert "user/" not in text


@pytest.mark.parametrize(
    ("chosen", "played"),
    [
        ("%(2000, 4000, 440, 480)", "tone_stream://%(2000,4000,440,480);loops=-1"),
        ("%(400,200,400);%(400,2200,400)", "tone_stream://%(400,200,400);%(400,2200,400);loops=-1"),
        ("v=-7;%(100,0,350.5)", "tone_stream://v=-7;%(100,0,350.5);loops=-1"),
        ("silence", "silence_stream://-1"),
        ("silence:400", "silence_stream://-1"),
        ("local_stream://moh/8000", "local_stream://moh/8000"),
        ("/usr/share/ring.wav", "/usr/share/ring.wav"),
    ],
)
def test_the_ringing_of_a_dialplan(chosen: str, played: str) -> None:
    assert quoting.ringing(chosen) == played


@pytest.mark.parametrize(
    "chosen",
    [
        *("", "ring.wav", "/a/../b.wav", "/a b.wav", "local_stream://../moh", "silence: system"),
        *("shell_stream://reboot", "http://169.254.169.254/", "file_string:///a.wav!shell_stream"),
        *("${system(reboot)}", "%(1,2,3)\nx", "%(1,2,3)${x}", "tone_stream://%(1,2,3) x", "%"),
        "%(1,2,3)" * 5000,
    ],
)
def test_what_must_not_ring(chosen: str) -> None:
    with pytest.raises(Unquotable):
        quoting.ringing(chosen)


@given(nasty)
def test_no_ringing_ends_a_command(chosen: str) -> None:
    for text in (chosen, f"%({chosen})", f"/{chosen}", f"tone_stream://{chosen}"):
        try:
            said = quoting.ringing(text)
        except Unquotable:
            continue
        assert not set(said) & set(" {}[]<>'\"$|^\\\r\n\u2028\x00")
