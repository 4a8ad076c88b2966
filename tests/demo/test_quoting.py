from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsctl.demo.events import Event, Subscription
from fsctl.demo.expand import expand
from fsctl.demo.originate import read_actions, read_dial_string
from fsctl.demo.quoting import (
    bracketed,
    inline_actions,
    mentions_variable,
    separate,
    url_encode,
)

CAPTURES = Path(__file__).parent.parent / "captures"
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=30)


def escaped(value: str, delimiter: str) -> str:
    """Protect a value from one round of splitting."""
    for char in "\\'" + delimiter.strip():
        value = value.replace(char, "\\" + char)
    return value.replace(" ", "\\s")


@pytest.mark.parametrize(
    ("text", "delimiter", "pieces"),
    [
        ("a b  c", " ", ["a", "b", "c"]),
        ("'a b' c", " ", ["a b", "c"]),
        (r"a\sb c", " ", ["a b", "c"]),
        (r"a\,b,c", ",", ["a,b", "c"]),
        ("a, b ,c", ",", ["a", "b", "c"]),
        ("a,,c", ",", ["a", "", "c"]),
        ("a,", ",", ["a"]),
        ("it's,b", ",", ["it's", "b"]),
        ("it's b", " ", ["it's b"]),
        ("'a,b',c", ",", ["a,b", "c"]),
        ("^^:a,b:c", ",", ["a,b", "c"]),
        ("", " ", []),
    ],
)
def test_strings_are_cut_as_freeswitch_cuts_them(
    text: str, delimiter: str, pieces: list[str]
) -> None:
    assert separate(text, delimiter) == pieces


def test_the_last_piece_holds_the_rest() -> None:
    assert separate("a b c d", " ", 3) == ["a", "b", "c d"]
    assert separate("a=b=c", "=", 2) == ["a", "b=c"]


@given(st.lists(TEXT.filter(str.strip), min_size=1, max_size=5))
def test_escaped_values_survive_splitting(values: list[str]) -> None:
    for delimiter in ", ;":
        text = delimiter.join(escaped(value, delimiter) for value in values)
        assert separate(text, delimiter) == values


@given(TEXT)
def test_splitting_never_fails_and_never_grows(text: str) -> None:
    for delimiter in " ,;=":
        assert sum(len(piece) for piece in separate(text, delimiter)) <= len(text)


def test_a_name_in_quotes_still_injects_variables() -> None:
    """Field note "Quoting": arguments lose their quotes before variables are read."""
    command = "{name='x,api_on_answer=evil'}user/a &park()"
    url, *_ = separate(command, " ", 10)
    assert read_dial_string(url).variables == {"name": "x", "api_on_answer": "evil"}


def test_a_backslash_protects_a_name() -> None:
    # Three rounds: the command's arguments, the variables, each variable's halves.
    url, *_ = separate(r"{name=Smith\\,\\sJohn}user/a &park()", " ", 10)
    assert read_dial_string(url).variables == {"name": "Smith, John"}


@pytest.mark.parametrize("url", ["{a=b", "{a={b}user/a", "[a=buser/b"])
def test_unbalanced_braces_break_the_command(url: str) -> None:
    with pytest.raises(ValueError, match="unbalanced"):
        read_dial_string(url)


@given(st.dictionaries(TEXT.map(str.strip).filter(str.isidentifier), st.from_regex(r"\A\w+\Z")))
def test_plain_variables_are_read_as_written(variables: dict[str, str]) -> None:
    text = ",".join(f"{name}={value}" for name, value in variables.items())
    pairs, rest = bracketed(f"{{{text}}}user/a", "{", "}")
    assert dict(pairs) == variables
    assert rest == "user/a"


def test_a_dial_string_has_alternatives_endpoints_and_their_variables() -> None:
    dial = read_dial_string("{a=1}[b=2,c=3]user/x,user/y|user/z")
    assert dial.variables == {"a": "1"}
    assert dial.alternatives == [
        [({"b": "2", "c": "3"}, "user/x"), ({}, "user/y")],
        [({}, "user/z")],
    ]


def test_a_leg_runs_an_inline_dialplan_or_one_application() -> None:
    chain = "limit:hash hunt A 1 !LOSE_RACE,set:x=${hupall(LOSE_RACE t A)},answer"
    assert read_actions(chain, "inline") == [
        ("limit", "hash hunt A 1 !LOSE_RACE"),
        ("set", "x=${hupall(LOSE_RACE t A)}"),
        ("answer", None),
    ]
    assert inline_actions("m:^:a:1,2^b:3") == [("a", "1,2"), ("b", "3")]
    assert read_actions("&park()", "XML") == [("park", None)]
    assert read_actions("&intercept(A)", "XML") == [("intercept", "A")]
    assert read_actions("600", "XML") == []


@pytest.mark.parametrize(
    ("value", "mentioned"),
    [("${x}", True), (r"$\{x}", True), ("$x{", False), ("a $ {", False), ("", False)],
)
def test_values_that_mention_a_variable(value: str, mentioned: bool) -> None:
    assert mentions_variable(value) is mentioned


def test_variables_and_api_calls_are_expanded() -> None:
    variables = {"a": "1", "nested": "${a}", "name": "a", "loop": "${loop}"}

    def api(name: str, arguments: str) -> str:
        return f"<{name}|{arguments}>"

    def done(text: str) -> str:
        return expand(text, variables.get, api)

    assert done("x=${hupall(LOSE_RACE tag ${a})}!") == "x=<hupall|LOSE_RACE tag 1>!"
    assert done("${nested}${missing}") == "1"
    assert done("${${name}}") == "1"
    assert done(r"\${a}") == "${a}"
    assert done("cost: $5") == "cost: $5"
    assert done("${version short}") == "<version|short>"
    assert done("${unclosed") == ""
    assert "loop" in done("${loop}")


@given(st.text(st.characters(codec="ascii"), max_size=40))
def test_expansion_never_fails(text: str) -> None:
    expand(text, lambda name: name[1:] or None, lambda _name, arguments: arguments)


@given(TEXT.filter(lambda text: "%" not in text))
def test_encoded_values_are_one_line_and_come_back(value: str) -> None:
    encoded = url_encode(value)
    assert encoded.isascii()
    assert not set(encoded) & set("\r\n: ")
    assert unquote(encoded) == value


def test_a_callers_own_escape_cannot_be_told_from_an_encoded_newline() -> None:
    assert url_encode("a%0Ab") == url_encode("a\nb") == "a%0Ab"
    assert url_encode("a%0ab") == "a%250ab"


def test_bytes_that_are_no_utf8_travel_as_they_came() -> None:
    name = b"Zo\xeb".decode("utf-8", "surrogateescape")
    event = Event("CHANNEL_CREATE", [("Caller-Caller-ID-Name", name)])
    assert event.encoded("plain") == b"Caller-Caller-ID-Name: Zo%EB\n\n"
    assert event.encoded("json") == b'{"Caller-Caller-ID-Name":"Zo\xeb"}'


@pytest.mark.parametrize(
    "name", ["answered-plain", "caller-gives-up-plain", "hostile-caller-plain"]
)
def test_captured_plain_events_come_out_byte_for_byte(name: str) -> None:
    text = (CAPTURES / f"{name}.txt").read_bytes()
    events = text.split(b"Content-Type: text/event-plain\n\n")[1:]
    assert events
    for raw in events:
        head, _, rest = raw.partition(b"\n\n")
        lines = [line.split(": ", 1) for line in head.decode().split("\n")]
        rows = [(key, read_value(value)) for key, value in lines if key != "Content-Length"]
        body = rest.partition(b"\n\n")[0].decode() + "\n" if b"\nContent-Length:" in head else None
        again = Event("any", list(rows), body).encoded("plain")
        assert again == raw[: len(again)]
        assert raw[len(again) :].startswith((b"\n", b"Content-")) or raw == again


def read_value(encoded: str) -> str | list[str]:
    value = unquote(encoded, errors="surrogateescape")
    return value.removeprefix("ARRAY::").split("|:") if value.startswith("ARRAY::") else value


def passes(event: Event, *filters: tuple[str, str], mine: str | None = None) -> bool:
    subscription = Subscription(lambda _event: None)
    subscription.names = {"CHANNEL_CREATE"}
    subscription.enabled = True
    subscription.filters = [(name.lower(), value) for name, value in filters]
    subscription.mine = mine
    return subscription.passes(event)


def test_filters_are_ored_signed_and_whole_values() -> None:
    event = Event("CHANNEL_CREATE", [("Unique-ID", "AbC"), ("Caller-ANI", "+48")])
    assert passes(event)
    assert passes(event, ("unique-id", "abc"))
    assert not passes(event, ("unique-id", "ab"))
    assert passes(event, ("unique-id", "no"), ("caller-ani", "/48/"))
    # The plus of a number is read as a sign, so this asks for "48", which nobody has.
    assert not passes(event, ("caller-ani", "+48"))
    assert not passes(event, ("caller-ani", "/48/"), ("unique-id", "-abc"))
    assert not passes(event, ("missing", "x"))
    assert passes(event, mine="AbC")
    assert not passes(event, mine="other")
