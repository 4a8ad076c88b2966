"""Two administrators at once: nobody overwrites the other's change without having seen it."""

import re
from html import unescape

import pytest
from sqlalchemy import Engine

from fsctl.admin import users
from fsctl.admin.actor import acting_as
from fsctl.admin.errors import Refused
from fsctl.admin.groups import add_group, disable_group, get_group, list_groups, set_group
from fsctl.admin.members import add_member
from fsctl.admin.numbers import add_numbers
from fsctl.admin.whole import describe_group
from tests.web.conftest import PASSWORD, Browser, filled

FILE = "version: 1\ngroups:\n- name: sales\n  description: from a file\n"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """That a change waits for another is tested on both databases elsewhere."""
    return sqlite_url


@pytest.fixture
def olga(example: Engine) -> Engine:
    """Somebody else, who changes the same."""
    return acting_as(example, "olga")


def sent(browser: Browser, path: str, **form: object) -> dict[str, object]:
    """The form of a page as it is now, with what is typed."""
    browser.get(path)
    return {**form, "seen": seen(browser)}


def seen(browser: Browser, number: int = 0) -> str:
    return re.findall(r'name="seen" value="(\w+)"', browser.page)[number]


def text(page: str) -> str:
    return unescape(re.sub(r"<[^>]+>", " ", page))


def test_the_general_page_overwrites_nobody(anna: Browser, example: Engine, olga: Engine) -> None:
    form = sent(anna, "/groups/1", name="Sales & Co", description="mine")
    set_group(olga, "sales", description="hers <b>")
    answer = anna.post("/groups/1", **form)
    assert answer.status_code == 409
    group = get_group(example, "sales")
    assert (group.name, group.description) == ("sales", "hers <b>")
    assert 'somebody else has changed group "sales" meanwhile' in text(anna.page)
    assert re.search(r"olga, .*:\s+description .* -> \"hers <b>\"", text(anna.page))
    assert re.search(r"Name\s+sales\s+Sales & Co", text(anna.page))
    assert re.search(r"Description\s+hers <b>\s+mine", text(anna.page))
    assert 'name="name" value="Sales &amp; Co"' in anna.page
    assert 'name="description" value="mine"' in anna.page
    assert anna.post("/groups/1", **{**form, "seen": seen(anna)}).status_code == 200
    assert get_group(example, "Sales & Co").description == "mine"


def test_a_page_that_was_refused_is_as_old_as_before(
    anna: Browser, example: Engine, olga: Engine
) -> None:
    add_group(example, "taken")
    set_group(olga, "sales", description="an example")
    form = sent(anna, "/groups/1", name="taken", description="mine")
    assert anna.post("/groups/1", **form).status_code == 422
    assert seen(anna) == form["seen"]
    set_group(olga, "sales", description="hers")
    assert (
        anna.post("/groups/1", **{**form, "name": "sales", "seen": seen(anna)}).status_code == 409
    )
    assert get_group(example, "sales").description == "hers"


def test_what_is_not_on_the_page_is_no_conflict(
    anna: Browser, example: Engine, olga: Engine
) -> None:
    form = sent(anna, "/groups/1", name="sales", description="mine")
    add_member(olga, "sales", "test009")
    add_numbers(olga, "sales", ["0699"], "PL")
    disable_group(olga, "sales")
    assert anna.post("/groups/1", **form).status_code == 200
    group = get_group(example, "sales")
    assert (group.description, group.enabled, len(group.members)) == ("mine", False, 4)


@pytest.mark.parametrize("typed", [{"numbers": "0688"}, {"remove": "600"}])
def test_numbers_are_changed_by_who_has_seen_them(
    anna: Browser, example: Engine, olga: Engine, typed: dict[str, str]
) -> None:
    form = sent(anna, "/groups/1/numbers", **typed)
    add_numbers(olga, "sales", ["0699"], "PL")
    before = get_group(example, "sales").numbers
    assert anna.post("/groups/1/numbers", **form).status_code == 409
    assert get_group(example, "sales").numbers == before
    assert "number 0699 added" in text(anna.page)
    assert f'name="numbers" value="{typed.get("numbers", "")}"' in anna.page
    assert anna.post("/groups/1/numbers", **{**form, "seen": seen(anna)}).status_code == 200
    after = set(get_group(example, "sales").numbers)
    assert after == (set(before) | {"0688"} if "numbers" in typed else set(before) - {"600"})


def test_a_group_is_copied_as_it_was_seen(anna: Browser, example: Engine, olga: Engine) -> None:
    anna.get("/groups/1")
    form = {"name": "Copy", "seen": seen(anna, 1)}
    add_member(olga, "sales", "test009")
    assert anna.post("/groups/1/copy", **form).status_code == 409
    assert len(list_groups(example)) == 1
    assert 'name="name" value="Copy"' in anna.page
    assert anna.post("/groups/1/copy", **{**form, "seen": seen(anna, 1)}).status_code == 200
    assert len(get_group(example, "Copy").members) == 4


def test_a_group_is_removed_as_it_was_seen(anna: Browser, example: Engine, olga: Engine) -> None:
    form = sent(anna, "/groups/1/remove")
    add_numbers(olga, "sales", ["0699"], "PL")
    assert anna.post("/groups/1/remove", **form).status_code == 409
    assert len(list_groups(example)) == 1
    assert "number 0699 added" in text(anna.page)
    assert anna.post("/groups/1/remove", seen=seen(anna)).status_code == 200
    assert list_groups(example) == []


def test_a_configuration_that_conflicts_is_kept_beside_the_others(
    anna: Browser, example: Engine, olga: Engine
) -> None:
    rows = {"row": ["a", "b"], "user-a": "test006", "user-b": "ola", "delay-b": "7"}
    form = filled(sent(anna, "/groups/1/configuration", **rows, wait="44"))
    set_group(olga, "sales", wait=55, description="hers")
    assert anna.post("/groups/1/configuration", **form).status_code == 409
    shown = text(anna.page)
    assert re.search(r"Wait time of the group\s+55 s\s+44 s", shown)
    assert re.search(r"test002\s+member\s+no member", shown)
    assert re.search(r"ola\s+no member\s+member", shown)
    assert re.search(r"test006: Wait time\s+6 s\s+0 s", shown)
    assert "wait 30 -> 55" in shown
    assert 'value="ola"' in anna.page
    assert re.search(r'name="wait" value="44"', anna.page)
    form["seen"] = seen(anna)
    assert anna.post("/groups/1/configuration", **form).status_code == 200
    group = get_group(example, "sales")
    assert (group.wait, group.description, len(group.members)) == (44, "hers", 2)


def test_a_user_is_changed_by_who_has_seen_them(anna: Browser, example: Engine) -> None:
    ewa = users.add_user(example, "ewa", PASSWORD, role="viewer")
    place = f"/users/{ewa.id}"
    form = sent(anna, place, role="viewer", domain="", language="pl")
    users.set_user(example, "ewa", domain="b.example")
    assert anna.post(place, **form).status_code == 409
    assert re.search(r"Domain\s+b.example\s+all domains", text(anna.page))
    assert users.list_users(example)[1].domain == "b.example"
    assert anna.post(place, **{**form, "seen": seen(anna)}).status_code == 200
    assert users.list_users(example)[1].language == "pl"
    form = sent(anna, f"{place}/remove")
    users.set_user(example, "ewa", role="administrator")
    assert anna.post(f"{place}/remove", **form).status_code == 409
    assert anna.post(f"{place}/remove", seen=seen(anna)).status_code == 200
    assert len(users.list_users(example)) == 1


def test_an_import_does_what_was_shown(anna: Browser, example: Engine, olga: Engine) -> None:
    anna.get("/import")
    anna.post("/import", carried=FILE, act="show")
    form = {"carried": FILE, "act": "import", "seen": seen(anna)}
    set_group(olga, "sales", description="hers")
    add_group(olga, "New")
    answer = anna.post("/import", **form)
    assert answer.status_code == 409
    assert get_group(example, "sales").description == "hers"
    assert 'group "New" removed' in text(anna.page)
    assert anna.post("/import", **{**form, "seen": seen(anna)}).status_code == 200
    assert [group.description for group in list_groups(example)] == ["from a file"]


def test_what_does_not_bring_a_version_along_is_changed_as_ever(example: Engine) -> None:
    describe_group(example, "sales", "sales", "as ever")
    assert get_group(example, "sales").description == "as ever"
    with pytest.raises(Refused, match="meanwhile"):
        describe_group(example, "sales", "sales", "x", seen="0" * 32)


FORMS = {
    "/groups/1": "/groups/1(/copy)?",
    "/groups/1/numbers": "/groups/1/numbers",
    "/groups/1/configuration": "/groups/1/configuration",
    "/groups/1/remove": "/groups/1/remove",
    "/users/1": "/users/1",
    "/users/1/remove": "/users/1/remove",
}
"""Pages, and where those of their forms lead that say what a thing is to be."""


@pytest.mark.parametrize("path", FORMS)
def test_every_form_carries_the_version_that_it_was_made_from(anna: Browser, path: str) -> None:
    main = anna.get(path).text.partition("<main")[2].partition("</main>")[0]
    forms = re.findall(r'<form method="post"([^>]*)>(.*?)</form>', main, re.DOTALL)
    found = 0
    for attributes, inside in forms:
        action = re.search(r'action="([^"]*)"', attributes)
        if re.fullmatch(FORMS[path], action[1] if action else path):
            found += 1
            assert re.search(r'name="seen" value="\w{32}"', inside), (path, attributes)
    assert found
