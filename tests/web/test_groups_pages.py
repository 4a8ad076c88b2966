import re

import pytest
from sqlalchemy import Engine

from fsctl.admin.audit import list_changes
from fsctl.admin.groups import add_group, get_group, list_groups
from fsctl.admin.members import add_member
from fsctl.web.groups import PAGE
from tests.web.conftest import Browser, filled


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What differs between databases is the search: tests/web/test_search.py."""
    return sqlite_url


HOSTILE = "<script>alert(1)</script>'\"&{{7*7}}"


def test_the_instructions_walk(anna: Browser, example: Engine) -> None:
    """Sign in, press Add, name and description, Add; numbers; members and wait times; done."""
    anna.get("/groups/add")
    anna.post("/groups/add", name="Biuro", description="Obsługa")
    assert anna.where == "/groups/2/numbers"
    anna.post("/groups/2/numbers", numbers="601, 22 123 45 67")
    anna.get("/groups/2/configuration")
    members = {"user-0": "test002", "enabled-0": "on", "user-1": "test006", "delay-1": "0,5"}
    form = filled({"row": ["0", "1"], "wait": "20", "advance": "on", **members})
    anna.post("/groups/2/configuration", **form, seen=seen(anna))
    group = get_group(example, "biuro")
    assert group.numbers == ("601", "+48221234567")
    assert [(one.user, one.delay) for one in group.members] == [("test002", 0), ("test006", 0.5)]
    assert group.wait == 20
    assert {entry.actor for entry in list_changes(example, group="biuro")} == {"anna"}


def seen(browser: Browser) -> str:
    found = re.search(r'name="seen" value="(\w+)"', browser.page)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"name": ""}, "1 to 64 characters, not 0"),
        ({"name": "SALES"}, "there is a group &#34;sales&#34; already"),
        ({"name": "x", "description": "x" * 501}, "at most 500 characters"),
        ({"name": "x", "domain": "-"}, "is not a domain"),
    ],
)
def test_what_cannot_be_added_is_said_and_stays_in_the_form(
    anna: Browser, form: dict[str, str], said: str
) -> None:
    anna.get("/groups/add")
    assert anna.post("/groups/add", **form).status_code == 422
    assert said in anna.page
    assert f'value="{form["name"]}"' in anna.page


def test_texts_are_shown_as_texts(anna: Browser, example: Engine) -> None:
    add_group(example, HOSTILE, description=HOSTILE)
    for path in ("/groups", "/groups/2", "/groups/2/numbers", "/groups/2/configuration"):
        page = anna.get(path).text
        assert "<script>alert" not in page, path
        assert "&lt;script&gt;alert(1)&lt;/script&gt;&#39;&#34;&amp;{{7*7}}" in page, path
    anna.get(f"/groups?search={HOSTILE}")
    assert "<script>alert" not in anna.page


def test_numbers_are_added_taken_away_and_refused(anna: Browser, example: Engine) -> None:
    add_group(example, "other")
    anna.get("/groups/2/numbers")
    assert anna.post("/groups/2/numbers", numbers="601, 600").status_code == 422
    assert "600 belongs to group &#34;sales&#34;" in anna.page
    assert 'value="601, 600"' in anna.page
    assert get_group(example, "other").numbers == ()
    anna.post("/groups/2/numbers", numbers="601")
    anna.post("/groups/2/numbers", remove="601")
    assert get_group(example, "other").numbers == ()


@pytest.mark.parametrize(
    ("typed", "ok", "text"),
    [
        ("58 762 47 32", True, "+48587624732"),
        ("601,602", True, "601, 602"),
        ("600", False, '600 belongs to group "sales"'),
        ("12a", False, "'12a' is not a number: only digits"),
        ("", True, ""),
    ],
)
def test_numbers_are_checked_as_they_are_typed(
    anna: Browser, typed: str, ok: bool, text: str
) -> None:
    found = anna.client.get("/groups/1/numbers/check", query_string={"numbers": typed}).json
    assert found is not None
    assert found["ok"] is ok
    assert text in found["text"]


def test_a_group_is_switched_copied_and_removed(anna: Browser, example: Engine) -> None:
    anna.get("/groups")
    anna.post("/groups/1/enabled", enabled="0", back="/groups?")
    assert anna.where == "/groups"
    assert not get_group(example, "sales").enabled
    assert "is disabled: its calls ring nobody" in anna.page
    anna.post("/groups/1/enabled", enabled="1")
    anna.post("/groups/1/copy", name="Copy")
    copy = get_group(example, "copy")
    assert (copy.numbers, copy.members) == ((), get_group(example, "sales").members)
    assert anna.post("/groups/1/copy", name="copy").status_code == 422
    anna.get("/groups/1/remove")
    assert len(list_groups(example)) == 2
    anna.post("/groups/1/remove")
    assert [group.name for group in list_groups(example)] == ["Copy"]


def test_the_list_is_searched_and_has_pages(anna: Browser, example: Engine) -> None:
    for number in range(PAGE):
        add_group(example, f"Group 100% {number:03}", description="Łódź" if number == 7 else "")
    add_member(example, "group 100% 009", "zofia")
    assert f"{PAGE + 1} groups" in anna.get("/groups").text
    assert ">sales<" not in anna.page
    assert ">sales<" in anna.get("/groups?page=2").text
    finds = {
        "587 624": "sales", "TEST006": "sales", "Łódź": "Group 100% 007",
        "zof": "Group 100% 009", "0% 011": "Group 100% 011",
    }  # fmt: skip
    for search, name in finds.items():
        anna.client.get("/groups")
        page = anna.client.get("/groups", query_string={"search": search}).text
        assert "1 group<" in page, search
        assert f">{name}<" in page
    for search in ("0_ 011", "%%", "\0", "x" * 300):
        page = anna.client.get("/groups", query_string={"search": search}).text
        assert "0 groups" in page or search == "\0"


@pytest.mark.parametrize(
    ("typed", "ok", "said"),
    [
        ("+48 (0)22 123 45 67, 0602", True, "+48221234567, 0602"),
        ("+48 999 999 999", True, "+48999999999 (number range not assigned; check it)"),
        ("0700 123 456", False, "no number there begins with 0; write +48700123456"),
    ],
)
def test_numbers_are_judged_as_they_are_typed(
    anna: Browser, example: Engine, typed: str, ok: bool, said: str
) -> None:
    answer = anna.client.get("/groups/1/numbers/check", query_string={"numbers": typed}).json
    assert answer["ok"] is ok
    assert said in answer["text"]
    anna.get("/groups/1/numbers")
    assert (anna.post("/groups/1/numbers", numbers=typed).status_code == 200) is ok
    assert ("is in a number range that is not assigned" in anna.page) is ("999" in typed)
