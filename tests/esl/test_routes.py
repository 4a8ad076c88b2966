import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsctl.esl.errors import ProtocolError
from fsctl.esl.routes import Fate, Route, read_dialplan, routes

SOCKET = '<action application="socket" data="{} async full"/>'
OURS = ("127.0.0.1:8084",)


def number_is(expression: str, actions: str, more: str = "") -> str:
    condition = f'<condition field="destination_number" expression="{expression}" {more}>'
    return f"{condition}{actions}</condition>"


def socket(hosts: str = OURS[0]) -> str:
    return SOCKET.format(hosts)


def found(extensions: str, *numbers: str) -> list[Route]:
    xml = f'<section name="dialplan"><context name="default">{extensions}</context></section>'
    return list(routes(read_dialplan(xml), numbers or ("600",), OURS))


def extension(name: str, conditions: str, more: str = "") -> str:
    return f'<extension name="{name}" {more}>{conditions}</extension>'


def test_a_number_that_comes_to_us() -> None:
    ours = extension("fsctl", number_is("^(?:600|(?:\\+|00)?4858)$", socket()))
    assert found(ours) == [Route(Fate.OURS, "default", "fsctl", OURS[0], resumes=False)]
    assert found(ours, "+4858")[0].fate is Fate.OURS
    assert found(ours, "x", "004858")[0].fate is Fate.OURS
    assert found(ours, "601") == []


@pytest.mark.parametrize(
    ("hosts", "fate"),
    [
        ("10.0.0.1:1|127.0.0.1:8084", Fate.OURS),
        ("${controllers}", Fate.OURS),
        ("127.0.0.1:8085", Fate.ANOTHER),
        ("10.0.0.1:8084", Fate.ANOTHER),
    ],
)
def test_which_controller(hosts: str, fate: Fate) -> None:
    assert found(extension("a", number_is("600", socket(hosts))))[0].fate is fate


def test_any_host_with_our_port() -> None:
    xml = f"<context>{extension('a', number_is('600', socket('pbx:8084')))}</context>"
    [route] = routes(read_dialplan(xml), ["600"], ["*:8084"])
    assert route.fate is Fate.OURS


PLAIN = '<action application="bridge" data="user/1"/>'


@pytest.mark.parametrize(
    ("first", "fate"),
    [
        (extension("x", number_is("^6", PLAIN)), Fate.TAKEN),
        (extension("x", number_is("^6", PLAIN), 'continue="true"'), Fate.OURS),
        (extension("x", number_is("^7", PLAIN)), Fate.OURS),
        (extension("x", f'<condition wday="1">{PLAIN}</condition>'), Fate.OURS),
        (extension("x", f"<condition>{PLAIN}</condition>"), Fate.TAKEN),
        (extension("x", number_is("^6", "") + number_is("^7", PLAIN)), Fate.OURS),
        (extension("x", number_is("^7", "", 'break="never"') + number_is("6", PLAIN)), Fate.TAKEN),
        (
            extension("x", number_is("^6", PLAIN, 'break="on-true"') + number_is("7", "")),
            Fate.TAKEN,
        ),
        (extension("x", number_is("^6", PLAIN, 'break="always"') + number_is("7", "")), Fate.TAKEN),
        (extension("x", number_is("(", PLAIN)), Fate.OURS),
        (extension("x", number_is("${what}", PLAIN)), Fate.OURS),
        (extension("x", number_is("6" * 5000, PLAIN)), Fate.OURS),
        (extension("x", ""), Fate.OURS),
    ],
)
def test_who_comes_before_us(first: str, fate: Fate) -> None:
    ours = extension("fsctl", number_is("^600$", socket()))
    [route] = found(first + ours)
    assert route.fate is fate
    assert route.extension == ("x" if fate is Fate.TAKEN else "fsctl")


def test_conditions_that_cannot_be_known_may_hold() -> None:
    tenant = '<condition field="${domain_name}" expression="^a$"/>'
    assert found(extension("a", tenant + number_is("^600$", socket())))[0].fate is Fate.OURS
    nested = f'<condition field="context" expression="x">{number_is("600", socket())}</condition>'
    assert found(extension("a", nested))[0].fate is Fate.OURS


@pytest.mark.parametrize("text", ["", "<a", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "can't"])
def test_what_is_no_dialplan(text: str) -> None:
    with pytest.raises(ProtocolError):
        read_dialplan(text)


@given(st.text(alphabet="<>/ab=\"'&; !ENTITY[]", max_size=200))
def test_any_text_is_a_dialplan_or_an_error(text: str) -> None:
    try:
        contexts = read_dialplan(text)
    except ProtocolError:
        return
    assert list(routes(contexts, ["600"], OURS)) == []


@pytest.mark.parametrize(
    ("data", "lacks"),
    [
        ("127.0.0.1:8084 async full", ()),
        ("127.0.0.1:8084 FULL  Async", ()),
        ("127.0.0.1:8084 full", ("async",)),
        ("127.0.0.1:8084 async", ("full",)),
        ("127.0.0.1:8084", ("async", "full")),
        ("127.0.0.1:8084 ${flags}", ()),
    ],
)
def test_the_flags_of_socket(data: str, lacks: tuple[str, ...]) -> None:
    action = f'<action application="socket" data="{data}"/>'
    assert found(extension("a", number_is("600", action)))[0].lacks == lacks


SETS = '<action application="{}" data="{}"/>'


@pytest.mark.parametrize(
    ("before", "resumes"),
    [
        (SETS.format("set", "socket_resume=true"), True),
        (SETS.format("export", "nolocal:socket_resume=true"), True),
        (SETS.format("multiset", "a=b socket_resume=1"), True),
        (SETS.format("set", "socket_resume=${resumes}"), True),
        (
            SETS.format("set", "socket_resume=true") + SETS.format("set", "socket_resume=false"),
            False,
        ),
        (SETS.format("set", "other_socket_resume=true"), False),
        ("", False),
    ],
)
def test_whether_the_caller_goes_on(before: str, resumes: bool) -> None:
    ours = extension("a", number_is("600", before + socket()))
    assert found(ours)[0].resumes is resumes
    earlier = extension("x", number_is("6", before), 'continue="true"')
    assert found(earlier + extension("a", number_is("600", socket())))[0].resumes is resumes
    after = extension("a", number_is("600", socket() + before))
    assert found(after)[0].resumes is False
