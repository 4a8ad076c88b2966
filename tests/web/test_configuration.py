import re

import pytest
from sqlalchemy import Engine
from werkzeug.datastructures import MultiDict

from fsctl.admin.audit import list_changes
from fsctl.admin.errors import Refused
from fsctl.admin.groups import add_group, get_group, list_groups, remove_group, set_group
from fsctl.admin.members import add_member, remove_member, set_member
from fsctl.admin.numbers import add_numbers, remove_numbers
from fsctl.admin.terms import GROUP_TERMS, MEMBER_TERMS
from fsctl.admin.whole import undo
from fsctl.hunt.group import PICKUP
from fsctl.hunt.strategies import STRATEGIES
from fsctl.web.draft import Draft
from fsctl.web.fields import BY_PLACE, CHOICES, ELSEWHERE, GROUP_LABELS, MEMBER_LABELS
from fsctl.web.timeline import Bar, draw
from tests.web.conftest import Browser, Clock, filled

FORM = filled(
    {
        "row": ["a", "b"],
        **{"user-a": "test006", "delay-a": "6", "enabled-a": "on", "user-b": "test002"},
        "wait": "12,5",
    }
)


def page_of(anna: Browser) -> str:
    anna.get("/groups/1/configuration")
    found = re.search(r'name="seen" value="(\w+)"', anna.page)
    assert found is not None
    return found[1]


def test_the_whole_form_is_one_change(anna: Browser, example: Engine) -> None:
    anna.post("/groups/1/configuration", **FORM, seen=page_of(anna))
    assert "Saved." in anna.page
    group = get_group(example, "sales")
    assert [(one.user, one.delay, one.enabled) for one in group.members] == [
        ("test006", 6.0, True),
        ("test002", 0.0, False),
    ]
    assert (group.wait, group.advance) == (12.5, False)
    assert group.numbers == ("600", "+48587624731")
    [latest] = list_changes(example, limit=1)
    assert (latest.actor, latest.action) == ("anna", "change group")


@pytest.mark.parametrize(
    ("change", "name", "said"),
    [
        ({"wait": "0"}, "wait", "wait is 1 to 3600 seconds, not 0"),
        ({"delay-a": "soon"}, "delay-a", "is not a time"),
        ({"user-a": "a b"}, "user-a", "is not a user name"),
        ({"user-b": "TEST006"}, "user-b", "TEST006 is in the table already"),
    ],
)
def test_what_is_wrong_is_marked_and_nothing_saved(
    anna: Browser, example: Engine, change: dict[str, str], name: str, said: str
) -> None:
    before = get_group(example, "sales")
    form = {**FORM, **change}
    assert anna.post("/groups/1/configuration", **form, seen=page_of(anna)).status_code == 422
    place = {"a": "0", "b": "1"}.get(name[-1]) if "-" in name else None
    marked = name if place is None else f"{name[:-1]}{place}"
    assert said in anna.page.partition(f'id="{marked}-error"')[2][:300]
    assert get_group(example, "sales") == before
    answer = anna.client.post("/groups/1/timeline", data={**form, "csrf": anna.csrf}).json
    assert answer is not None
    assert said in answer["errors"][name]
    assert answer["html"] is None


def test_a_group_is_a_member_and_drawn_as_it_rings(anna: Browser, example: Engine) -> None:
    add_group(example, "crew")
    add_member(example, "crew", "test042")
    form = {**FORM, "user-b": "group:crew", "enabled-b": "on"}
    seen = page_of(anna)
    drawn = anna.client.post("/groups/1/timeline", data={**form, "csrf": anna.csrf}).json
    assert drawn is not None
    assert "test042" in drawn["html"]
    anna.post("/groups/1/configuration", **form, seen=seen)
    assert [one.user for one in get_group(example, "sales").members] == ["test006", "group:crew"]


@pytest.mark.parametrize(
    ("user", "said"),
    [
        ("+48501234567", "the setting external_dial says how"),
        ("group:nobody", "there is no such group"),
        ("group:sales", "would be a member of itself"),
    ],
)
def test_who_cannot_be_a_member(anna: Browser, example: Engine, user: str, said: str) -> None:
    before = get_group(example, "sales")
    form = {**FORM, "user-b": user}
    assert anna.post("/groups/1/configuration", **form, seen=page_of(anna)).status_code == 409
    assert said in anna.page
    assert get_group(example, "sales") == before


def test_who_was_slower_is_told_to_look_again(anna: Browser, example: Engine) -> None:
    seen = page_of(anna)
    add_member(example, "sales", "test009")
    assert anna.post("/groups/1/configuration", **FORM, seen=seen).status_code == 409
    assert "somebody else has changed" in anna.page
    assert len(get_group(example, "sales").members) == 4


def test_the_drawing_follows_what_is_not_saved(anna: Browser, example: Engine) -> None:
    page_of(anna)
    assert "test007" in anna.page.partition("<svg")[2]
    found = anna.client.post("/groups/1/timeline", data={**FORM, "csrf": anna.csrf}).json
    assert found is not None
    assert "6 to 12.5\N{NO-BREAK SPACE}s" in found["html"]
    assert "test002" not in found["html"]
    assert len(get_group(example, "sales").members) == 3


def test_buttons_work_without_scripts(anna: Browser, example: Engine) -> None:
    seen = page_of(anna)
    orders = []
    for act in ("down-0", "up-1", "remove-0", "add", "show", "up-0", "remove-99", "nonsense"):
        anna.post("/groups/1/configuration", **FORM, seen=seen, act=act)
        orders.append(re.findall(r'name="user-\d+" id="user-\d+" value="(\w*)"', anna.page))
    both = ["test006", "test002", ""]
    turned = ["test002", "test006", ""]
    assert orders == [turned, turned, ["test002", ""], both, both, both, both, both]
    assert len(get_group(example, "sales").members) == 3


def test_a_form_says_what_the_group_is(example: Engine) -> None:
    group = get_group(example, "sales")
    for comma in (True, False):
        assert Draft.of(group, comma).group(group) == group
    empty: MultiDict[str, str] = MultiDict()
    assert Draft.read(empty).group(group) is None


def test_places_that_were_given_stay_unless_rows_are_moved(example: Engine) -> None:
    set_member(example, "sales", "test002", order=9)
    draft = Draft.of(get_group(example, "sales"), comma=False)
    assert [row.user for row in draft.rows] == ["test006", "test007", "test002"]
    assert draft.group(get_group(example, "sales")) is not None
    kept = draft.group(get_group(example, "sales"))
    assert kept is not None
    assert [one.order for one in kept.members] == [0, 0, 9]
    draft.act("up-2")
    moved = draft.group(get_group(example, "sales"))
    assert moved is not None
    assert [(one.user, one.order) for one in moved.members] == [
        ("test006", 0),
        ("test002", 0),
        ("test007", 0),
    ]


def test_every_term_has_an_input() -> None:
    assert {*GROUP_LABELS, *ELSEWHERE} == set(GROUP_TERMS)
    assert {*MEMBER_LABELS, *BY_PLACE} == set(MEMBER_TERMS)
    assert set(CHOICES) == {*STRATEGIES, *PICKUP}


def test_a_drawing_escapes_and_has_its_words() -> None:
    drawn = draw("<t>", [Bar("<b>" * 9, 0, 5, "rings", "<i>")], 5, 5, "<u>")
    assert not re.search("<[tbiu]>", drawn)
    assert "aria-label=" in drawn


# Taking a change back


def last(engine: Engine) -> int:
    return list_changes(engine, limit=1)[0].id


def test_any_last_change_can_be_taken_back(example: Engine) -> None:
    changes = [
        lambda: set_group(example, "sales", wait=10, description="other"),
        lambda: set_group(example, "sales", new_name="sprzedaż"),
        lambda: remove_member(example, "sales", "test006"),
        lambda: remove_numbers(example, "sales", ["600"], "PL"),
        lambda: remove_group(example, "sales"),
        lambda: add_group(example, "new"),
    ]
    before = list_groups(example)
    for change in changes:
        change()
        assert list_groups(example) != before
        undo(example, last(example))
        found = list_groups(example)
        assert [set(one.numbers) for one in found] == [set(one.numbers) for one in before]
        assert [one.members for one in found] == [one.members for one in before]
        assert [(one.name, one.wait, one.description) for one in found] == [
            (one.name, one.wait, one.description) for one in before
        ]


def test_only_the_last_change_can_be_taken_back(example: Engine) -> None:
    set_group(example, "sales", wait=10)
    older = last(example)
    set_group(example, "sales", wait=11)
    for entry in (older, 999):
        with pytest.raises(Refused, match="not the last change"):
            undo(example, entry)
    with pytest.raises(Refused, match="not the last change"):
        undo(example, last(example), domain="b.example")


def test_a_number_that_is_anothers_meanwhile_is_not_taken_back(example: Engine) -> None:
    remove_numbers(example, "sales", ["600"], "PL")
    entry = last(example)
    add_group(example, "other")
    add_numbers(example, "other", ["600"], "PL")
    with pytest.raises(Refused, match='600 belongs to group "other"'):
        undo(example, entry)


def test_the_drawing_tells_when_a_closed_group_opens(anna: Browser, clock: Clock) -> None:
    clock.now = 1_795_453_200.0  # Monday, 23 November 2026, 18:00 in Warsaw
    assert "Open now" not in anna.get("/groups/1/configuration").text

    def told(**changes: str) -> str:
        rows = {"row": ["0"], "user-0": "test002", "enabled-0": "on"}
        form = filled({**rows, "time_zone": "Europe/Warsaw", **changes})
        return str(anna.post("/groups/1/timeline", **form).json["html"])

    assert "Open now." in told(hours="mon-fri 8:00-20:00")
    shut = told(hours="mon-fri 8:00-16:00")
    assert "Opens Tuesday 24 November 2026, 8:00" in shut
    assert "<svg" in shut
