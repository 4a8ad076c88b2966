import os
import pwd
import re
from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from fsctl.admin.actor import acting_as, system_user
from fsctl.admin.audit import list_changes
from fsctl.admin.errors import Refused, WrongValue
from fsctl.admin.example import add_example
from fsctl.admin.groups import add_group, disable_group, enable_group, remove_group, set_group
from fsctl.admin.members import (
    add_member,
    disable_member,
    enable_member,
    remove_member,
    set_member,
)
from fsctl.admin.numbers import add_numbers, remove_numbers
from fsctl.admin.transfer import import_groups
from fsctl.hunt.group import Group
from fsctl.store.audit import Entry
from fsctl.store.engine import writing
from fsctl.store.tables import GroupMember, HuntGroup, now_ms

ME = pwd.getpwuid(os.getuid()).pw_name


@pytest.fixture
def example(engine: Engine) -> Engine:
    add_example(engine)
    return engine


def newest(engine: Engine) -> Entry:
    return list_changes(engine, limit=1)[0]


@pytest.mark.parametrize(
    ("action", "change", "part", "before", "after"),
    [
        ("set group", lambda e: set_group(e, "sales", wait=20), "wait", 30, 20),
        ("set group", lambda e: set_group(e, "sales", new_name="b"), "name", "sales", "b"),
        ("disable group", lambda e: disable_group(e, "sales"), "enabled", True, False),
        ("add numbers", lambda e: add_numbers(e, "sales", ["601"], "PL"), "numbers",
         ["600", "+48587624731"], ["600", "+48587624731", "601"]),
        ("remove numbers", lambda e: remove_numbers(e, "sales", ["600"], "PL"), "numbers",
         ["600", "+48587624731"], ["+48587624731"]),
        ("set member", lambda e: set_member(e, "sales", "test006", delay=8), "members",
         [0, 6, 10], [0, 8, 10]),
        ("add member", lambda e: add_member(e, "sales", "x", delay=0.5), "members",
         [0, 6, 10], [0, 6, 10, 0.5]),
        ("remove member", lambda e: remove_member(e, "sales", "test002"), "members",
         [0, 6, 10], [6, 10]),
    ],
)  # fmt: skip
def test_each_change_is_written_down(
    example: Engine, action: str, change: Callable[[Engine], object], part: str,
    before: object, after: object,
) -> None:  # fmt: skip
    began = now_ms()
    change(example)
    entry = newest(example)
    assert (entry.actor, entry.action, entry.domain) == (system_user(os.getuid(), os.environ),
                                                         action, "")  # fmt: skip
    assert began <= entry.at <= now_ms()
    assert entry.before is not None
    assert entry.after is not None
    changed = {key for key in entry.after if entry.before[key] != entry.after[key]}
    assert changed == {part}

    def shown(value: object) -> object:
        return [one["delay"] for one in value] if part == "members" else value  # type: ignore[attr-defined]

    assert (shown(entry.before[part]), shown(entry.after[part])) == (before, after)
    assert len(list_changes(example)) == 2


def test_adding_has_nothing_before_and_removing_nothing_after(example: Engine) -> None:
    added = newest(example)
    assert (added.action, added.before) == ("add example", None)
    remove_group(example, "sales")
    removed = newest(example)
    assert (removed.before, removed.after) == (added.after, None)


def test_what_changes_nothing_is_not_written(example: Engine) -> None:
    enable_group(example, "sales")
    enable_member(example, "sales", "test002")
    set_group(example, "sales", wait=30)
    with pytest.raises(Refused):
        add_group(example, "sales")

    def give_up() -> None:
        with writing(example) as session:
            disable_group(session, "sales")
            raise KeyError

    with pytest.raises(KeyError):
        give_up()
    assert len(list_changes(example)) == 1


def test_a_change_that_bypasses_every_operation_is_still_seen(example: Engine) -> None:
    with writing(example) as session:
        add_group(session, "other")
        member = session.query(GroupMember).filter_by(user="test006").one()
        member.delay_ms = 9_000
    entries = {entry.after["name"]: entry for entry in list_changes(example, limit=2)}  # type: ignore[index]
    assert entries["sales"].before is not None
    assert entries["sales"].after["members"][1]["delay"] == 9
    assert entries["other"].before is None


def test_a_group_that_takes_a_removed_one_s_id_is_another_group(example: Engine) -> None:
    import_groups(example, [Group("new")])
    removed, added = sorted(list_changes(example, limit=2), key=lambda one: one.after is not None)
    assert (removed.before["name"], removed.after) == ("sales", None)  # type: ignore[index]
    assert (added.before, added.after["name"]) == (None, "new")  # type: ignore[index]


def test_a_group_added_and_removed_at_once_leaves_no_trace(example: Engine) -> None:
    with writing(example) as session:
        add_group(session, "short")
        session.delete(session.query(HuntGroup).filter_by(name="short").one())
    assert len(list_changes(example)) == 1


def test_a_face_says_for_whom_it_acts(example: Engine) -> None:
    disable_member(acting_as(example, "panel: anna"), "sales", "test002")
    assert newest(example).actor == "panel: anna"
    disable_group(acting_as(example, "a\n\x1b" + "b" * 500), "sales")
    assert re.fullmatch(r"a\?\?b{125}", newest(example).actor)
    enable_group(acting_as(example, " "), "sales")
    assert newest(example).actor == "unknown"


def test_who_became_root_with_sudo_is_named() -> None:
    assert system_user(0, {"SUDO_USER": "anna"}) == "anna (as root)"
    assert system_user(0, {"SUDO_USER": "root"}) == "root"
    assert system_user(0, {"LOGNAME": "anna"}) == "root"
    assert system_user(1, {"SUDO_USER": "anna"}) == pwd.getpwuid(1).pw_name
    assert system_user(4_000_000_000, {}) == "uid 4000000000"


def test_changes_are_found_by_group_time_and_domain(example: Engine) -> None:
    add_group(example, "b")
    set_group(example, "sales", new_name="Sprzedaż")
    add_group(example, "sales", domain="a.example")
    remove_group(example, "b")

    def actions(**wanted: object) -> list[str]:
        return [entry.action for entry in list_changes(example, **wanted)]  # type: ignore[arg-type]

    assert actions() == ["remove group", "add group", "set group", "add group", "add example"]
    assert actions(group="B") == ["remove group", "add group"]
    assert actions(group="sprzedaż") == ["set group"]
    assert actions(group="sales") == ["set group", "add example"]
    assert actions(group="sales", domain="a.example") == ["add group"]
    assert actions(domain="a.example") == ["add group"]
    assert actions(limit=1) == ["remove group"]
    assert actions(since=now_ms() / 1000 + 60) == []
    assert len(actions(since=0)) == 5
    for limit in (0, 10_001):
        with pytest.raises(WrongValue, match="limit is 1 to 10000"):
            list_changes(example, limit=limit)
