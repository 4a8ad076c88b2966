"""Members who are no users: telephone numbers and groups, on the command line."""

import json

import pytest

from fsctl.settings_values import dnd
from tests.cli.conftest import Run

DIAL = "sofia/gateway/provider/{number}"


@pytest.fixture
def outside(example: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("FSCTL_EXTERNAL_DIAL", DIAL)
    assert example("member", "add", "sales", "+48 501-234-567").exit_code == 0
    return example


def test_they_are_refused_until_a_setting_allows_them(
    example: Run, nowhere: object, tmp_path_factory: pytest.TempPathFactory
) -> None:
    done = example("member", "add", "sales", "+48501234567")
    assert (done.exit_code, done.output.count("\n")) == (1, 1)
    assert "external_dial" in done.output
    file = tmp_path_factory.mktemp("import") / "groups.yaml"
    text = example("export").stdout.replace("test007", '"+48501234567"')
    file.write_text(text, encoding="utf-8")
    done = example("import", str(file))
    assert (done.exit_code, "external_dial" in done.output) == (1, True)
    assert "+48501234567" not in example("group", "show", "sales").stdout


def test_a_number_has_one_form_and_a_warning(outside: Run) -> None:
    shown = outside("group", "show", "sales").output
    assert "+48501234567" in shown
    assert "need not press 1" in shown
    outside("member", "set", "sales", "0048501234567", "--confirm")
    assert outside("member", "set", "sales", "+48 501 234 567", "--confirm").exit_code == 0
    assert "need not press 1" not in outside("group", "show", "sales").output
    assert outside("member", "add", "sales", "+48501234567").exit_code == 1
    text = outside("export", "--csv").stdout
    assert "+48501234567" in text


def test_one_rings_only_while_it_is_allowed(outside: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def rung() -> set[str]:
        legs = json.loads(outside("simulate", "sales", "--json").stdout)["legs"]
        return {leg["member"] for leg in legs}

    with_it = rung()
    monkeypatch.delenv("FSCTL_EXTERNAL_DIAL")
    assert with_it - rung() == {"+48501234567"}
    assert "not called: external_dial is not set" in outside("group", "show", "sales").stdout


def test_the_fallback_dials_it(outside: Run) -> None:
    assert "sofia/gateway/provider/+48501234567" in outside("dialplan").stdout
    outside("member", "set", "sales", "+48501234567", "--confirm")
    assert "provider" not in outside("dialplan").stdout  # nobody there asks for the key


@pytest.mark.parametrize(
    "text",
    ["sofia/gateway/provider/", "user/{number}", "sofia/a/{number},user/b", "sofia/a/{number}|b",
     "sofia/a/{number}:_:sofia/b/1", "loopback/{number}", "sofia/a/{number} x", "sofia/a/{name}",
     "{x=1}sofia/a/{number}", "sofia/a/${number}", "[x=1]sofia/a/{digits}"],
)  # fmt: skip
def test_what_is_no_way_to_dial(example: Run, text: str) -> None:
    done = example("simulate", "sales", "--external-dial", text)
    assert done.exit_code == 2


def test_it_can_be_dialled_in_many_ways(example: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("sofia/external/00{digits}@sip.example.net:5080;transport=tcp", DIAL):
        monkeypatch.setenv("FSCTL_EXTERNAL_DIAL", text)
        assert example("group", "list").exit_code == 0


@pytest.mark.parametrize(
    "text", ["hash select/dnd/x", "hash delete/dnd/{user}", "system ls {user}", "user_data {x}",
             "user_data {user}; x", "db select/a/${user}", "user_data {user}\n\nexit"]
)  # fmt: skip
def test_what_may_not_be_asked_about_a_member(text: str) -> None:
    with pytest.raises(ValueError, match="write hash select"):
        dnd(text)


def test_what_may_be_asked_about_a_member() -> None:
    for text in ("", "user_data {user}@{domain} param dial-string", "db select/dnd/{user}"):
        assert dnd(text) == text


def test_a_group_as_a_member(outside: Run) -> None:
    for words in (
        "group add shop --strategy top-down --ring-time 5",
        "member add shop test011",
        "member add shop test012 --confirm",
        "member add shop group:sales --delay 3",
        "number add shop 610",
    ):
        assert outside(*words.split()).exit_code == 0
    done = outside("simulate", "shop", "--busy", "test011", "--answer", "test006@20", "--json")
    call = json.loads(done.stdout)
    assert {"test002", "test006", "test011", "test012"} <= {leg["member"] for leg in call["legs"]}
    assert call["winner"] == "test006"
    assert "group:sales" in outside("group", "show", "shop").stdout
    text = outside("dialplan").stdout
    assert "user/test011,user/test012,user/test002,user/test006" in text
    done = outside("member", "add", "sales", "group:shop")
    assert (done.exit_code, "sales > shop > sales" in done.output) == (1, True)
    for form in ((), ("--csv",)):
        assert "group:sales" in outside("export", *form).stdout
