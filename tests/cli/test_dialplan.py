from xml.etree import ElementTree

import pytest

from fsctl.esl.routes import Fate, read_dialplan, routes
from tests.cli.conftest import Run


def contexts(xml: str) -> tuple[ElementTree.Element, ...]:
    return read_dialplan(f'<section><context name="default">{xml}</context></section>')


def test_each_group_has_an_extension(example: Run) -> None:
    example("group", "add", "Łódź & <co>", "--wait", "12,5")
    example("number", "add", "Łódź & <co>", "601")
    done = example("dialplan", "--controllers", "10.0.0.5:8084, [::1]:8084")
    assert done.exit_code == 0
    names = [one.get("name") for one in contexts(done.stdout)[0]]
    assert sorted(names) == ["fsctl codes", "fsctl sales", "fsctl Łódź & <co>"]
    assert names[-1] == "fsctl codes"
    for number in ("600", "48587624731", "+48587624731", "0048587624731", "601"):
        [route] = routes(contexts(done.stdout), [number], ["10.0.0.5:8084"])
        assert (route.fate, route.hosts) == (Fate.OURS, "10.0.0.5:8084|::1:8084")
    assert not list(routes(contexts(done.stdout), ["602"], ["10.0.0.5:8084"]))


def test_the_fallback_rings_who_would_have_rung(example: Run) -> None:
    assert example("member", "disable", "sales", "test006").exit_code == 0
    example("group", "set", "sales", "--wait", "12.5")
    actions = [
        (action.get("application"), action.get("data"))
        for action in contexts(example("dialplan").stdout)[0].iter("action")
    ]
    assert actions == [
        ("set", "socket_resume=true"),
        ("socket", "127.0.0.1:8084 async full"),
        ("set", "socket_resume=false"),
        ("set", "hangup_after_bridge=true"),
        ("set", "ignore_early_media=true"),
        ("set", "call_timeout=13"),
        ("bridge", "user/test002,user/test007"),
        ("respond", "480"),
        ("set", "socket_resume=true"),
        ("socket", "127.0.0.1:8084 async full"),
        ("respond", "503"),
    ]
    assert example("member", "sign-off", "sales", "test002").exit_code == 0
    assert 'data="user/test007"' in example("dialplan").stdout


def test_codes_before_numbers_are_handed_over(
    example: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def comes(number: str) -> bool:
        return bool(
            list(routes(contexts(example("dialplan").stdout), [number], ["127.0.0.1:8084"]))
        )

    assert all(map(comes, ("*45600", "*8600", "*80048587624731")))
    assert not any(map(comes, ("*45", "*8", "*8601", "*9600", "45600")))
    monkeypatch.setenv("FSCTL_PICKUP_CODE", "#7")
    monkeypatch.setenv("FSCTL_SIGN_CODE", "none")
    assert comes("#7600")
    assert not any(map(comes, ("*45600", "*8600")))
    monkeypatch.setenv("FSCTL_PICKUP_CODE", "none")
    assert example("dialplan").stdout.count("<extension") == 1


def test_a_group_without_members_has_nobody_to_ring(example: Run) -> None:
    example("group", "add", "empty")
    example("number", "add", "empty", "601")
    xml = example("dialplan").stdout
    empty = xml[xml.index('"fsctl empty"') :].partition("</extension>")[0]
    assert "bridge" not in empty
    assert 'data="480"' in empty


def test_a_group_of_a_domain(example: Run) -> None:
    example("group", "add", "sales", "--domain", "a.example")
    example("number", "add", "sales", "601", "+48221234567", "--domain", "a.example")
    example("member", "add", "sales", "anna", "--domain", "a.example")
    xml = example("dialplan", "--domain", "a.example").stdout
    assert xml.count("<extension") == 3
    assert xml.count("<condition") == 5  # a trunk's call to the city number names no domain
    assert r'<condition field="${domain_name}" expression="^a\.example$"/>' in xml
    assert 'data="user/anna@a.example"' in xml


def test_a_whole_file(example: Run) -> None:
    root = ElementTree.fromstring(example("dialplan", "--format", "xml").stdout)  # noqa: S314
    assert root.tag == "include"
    assert [one.tag for one in root] == ["extension"] * 2


def test_disabled_groups_are_left_out(example: Run) -> None:
    example("group", "disable", "sales")
    done = example("dialplan")
    assert done.exit_code == 1
    assert done.stderr == (
        "Error: there is no enabled group with a number; see: fsctl group list\n"
    )


@pytest.mark.parametrize("hosts", ["10.0.0.5", "a b:1", "10.0.0.5:8084|10.0.0.6:8084", ","])
def test_controllers_that_are_none(example: Run, hosts: str) -> None:
    done = example("dialplan", "--controllers", hosts)
    assert done.exit_code == 2
    assert "write HOST:PORT" in done.stderr
