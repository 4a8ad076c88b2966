"""Groups as members of groups, as administrators change them."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from fsctl.admin.errors import Refused
from fsctl.admin.groups import (
    add_group,
    get_group,
    get_whole_group,
    remove_group,
    set_group,
)
from fsctl.admin.members import add_member, remove_member
from fsctl.admin.numbers import add_numbers
from fsctl.admin.transfer import all_groups, import_groups
from fsctl.hunt.nesting import everybody
from fsctl.store.engine import reading
from fsctl.store.lookups import changed_numbers, find_groups
from fsctl.store.nesting import markers_of
from fsctl.store.revision import read_revision


@pytest.fixture
def two(engine: Engine) -> Engine:
    """A group "Team" with "Crew" within it."""
    for name in ("Team", "Crew"):
        add_group(engine, name)
    add_member(engine, "Crew", "test002")
    add_member(engine, "Team", "test001")
    add_member(engine, "Team", "group:crew", delay=5)
    add_numbers(engine, "Team", ["600"], "PL")
    return engine


def refused(change: Callable[[], object]) -> str:
    with pytest.raises(Refused) as raised:
        change()
    return str(raised.value)


def users(engine: Engine, name: str) -> list[str]:
    return [member.user for member in get_group(engine, name).members]


def test_a_group_is_a_member_by_its_own_name(two: Engine) -> None:
    assert users(two, "Team") == ["test001", "group:Crew"]
    assert everybody(get_whole_group(two, "team")) == ("test001", "test002")
    assert "already" in refused(lambda: add_member(two, "Team", "group:CREW"))
    remove_member(two, "Team", "group:CREW")
    assert users(two, "Team") == ["test001"]


def test_what_cannot_be(two: Engine) -> None:
    assert "no group" in refused(lambda: add_member(two, "Team", "group:nobody"))
    assert "Crew > Team > Crew" in refused(lambda: add_member(two, "Crew", "group:team"))
    assert "of itself" in refused(lambda: add_member(two, "Crew", "group:crew"))
    assert 'is a member of group "Team"' in refused(lambda: remove_group(two, "crew"))
    assert users(two, "Crew") == ["test002"]


def test_how_deep_and_how_many(two: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fsctl.admin.nesting.MOST_MEMBERS", 4)
    add_group(two, "Top")
    add_member(two, "Top", "group:Team")
    assert "members" in refused(lambda: add_member(two, "Top", "group:crew"))
    monkeypatch.setattr("fsctl.admin.nesting.DEEPEST", 2)
    add_group(two, "Above")
    assert "beyond 2" in refused(lambda: add_member(two, "Above", "group:Top"))


def test_a_new_name_is_followed(two: Engine) -> None:
    set_group(two, "crew", new_name="Deck hands")
    assert users(two, "Team") == ["test001", "group:Deck hands"]
    assert everybody(get_whole_group(two, "Team")) == ("test001", "test002")


def test_a_file_holds_them_and_loops_are_refused(two: Engine) -> None:
    with all_groups(two) as found:
        groups = {group.name: group for group in found}
    assert import_groups(two, list(groups.values())) == []
    assert "no such group" in refused(lambda: import_groups(two, [groups["Team"]]))
    for name in ("Team", "Crew"):
        remove_group(two, name)
    import_groups(two, list(groups.values()))
    assert everybody(get_whole_group(two, "Team")) == ("test001", "test002")


def test_a_call_finds_all_of_it_and_notices_changes(two: Engine) -> None:
    with reading(two) as session:
        found = find_groups(session, [("600",)])["600",]
        since = read_revision(session)
    assert found is not None
    assert everybody(found) == ("test001", "test002")
    add_member(two, "Crew", "test003")
    with reading(two) as session:
        changed = changed_numbers(session, since, read_revision(session))
    assert changed is not None
    assert not changed.isdisjoint(markers_of(found))
