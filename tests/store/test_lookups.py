"""What a running controller asks of the store."""

from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from fsctl.admin.groups import add_group, disable_group, remove_group, set_group
from fsctl.admin.members import add_member
from fsctl.admin.numbers import add_numbers, remove_numbers
from fsctl.hunt.group import Group
from fsctl.store import lookups
from fsctl.store.engine import reading, writing
from fsctl.store.lookups import Keys, changed_numbers, find_groups, in_domain
from fsctl.store.revision import read_revision


def make(engine: Engine, name: str, *numbers: str, domain: str = "") -> None:
    add_group(engine, name, domain=domain)
    add_numbers(engine, name, list(numbers), "PL", domain=domain)


def names(engine: Engine, *wanted: Keys) -> list[str | None]:
    with reading(engine) as session:
        found = find_groups(session, wanted)
    return [group.name if (group := found[keys]) else None for keys in wanted]


def revision(engine: Engine) -> int:
    with reading(engine) as session:
        return read_revision(session)


def changed(engine: Engine, since: int, until: int | None = None) -> frozenset[str] | None:
    """Return the numbers; what tells of groups within others is ``tests.admin.test_nesting``'s."""
    with reading(engine) as session:
        found = changed_numbers(session, since, until or read_revision(session))
    return found and frozenset(one for one in found if not one.startswith("group:"))


def test_the_first_key_that_fits_counts(engine: Engine) -> None:
    make(engine, "a", "600", "+48587624731")
    make(engine, "b", "601")
    assert names(engine, ("600",), ("9", "601", "600"), ("+48587624731", "601"), ("9",)) == [
        "a", "b", "a", None,
    ]  # fmt: skip
    assert names(engine) == []


def test_an_internal_number_is_its_domains_own(engine: Engine) -> None:
    make(engine, "a", "600", "+48587624731", domain="a.example")
    make(engine, "b", "600", domain="b.example")
    make(engine, "common", "600", "601")
    found = [
        in_domain(("600",), domain) for domain in ("a.example", "B.example", "c.example", "", "\n")
    ]
    assert names(engine, *found) == ["a", "b", "common", "common", "common"]
    assert names(engine, in_domain(("601",), "a.example")) == ["common"]
    assert names(engine, in_domain(("+48587624731",), "b.example")) == ["a"]


def test_keys_of_a_domain() -> None:
    assert in_domain(("+48600", "600"), "A.example") == ("+48600", "600@a.example", "600")
    assert in_domain(("600",), "") == ("600",)


def test_many_groups_take_two_round_trips(engine: Engine) -> None:
    for number in range(700, 720):
        make(engine, f"group {number}", str(number), f"*{number}")
        add_member(engine, f"group {number}", f"test{number}")
    statements: list[str] = []

    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    with reading(engine) as session:
        session.connection()
        event.listen(engine, "before_cursor_execute", count)
        found = find_groups(session, [(str(number),) for number in range(690, 720)])
    groups = [group for group in found.values() if group]
    assert len(groups) == 20
    assert all(isinstance(group, Group) and len(group.members) == 1 for group in groups)
    assert len(statements) == 2


def test_what_changed_is_known(engine: Engine) -> None:
    make(engine, "a", "600", "601")
    make(engine, "b", "602")
    start = revision(engine)
    assert changed(engine, start) == frozenset()
    set_group(engine, "a", wait=20)
    assert changed(engine, start) == {"600", "601"}
    remove_numbers(engine, "a", ["601"], "PL")
    add_numbers(engine, "a", ["603"], "PL")
    assert changed(engine, start) == {"600", "601", "603"}
    assert changed(engine, start + 2) == {"600", "603"}
    assert changed(engine, start, start + 1) == {"600", "601"}
    remove_group(engine, "b")
    assert changed(engine, start + 3) == {"602"}


def test_a_change_by_hand_may_have_been_any(engine: Engine) -> None:
    make(engine, "a", "600")
    start = revision(engine)
    with writing(engine) as session:
        session.execute(text("UPDATE hunt_group SET wait_ms = 9000"))
        session.execute(text("UPDATE group_revision SET number = number + 1"))
    assert changed(engine, start) is None
    disable_group(engine, "a")
    assert changed(engine, start) is None
    assert changed(engine, start + 1) == {"600"}


def test_too_many_changes_may_have_been_any(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookups, "MOST_CHANGES", 3)
    make(engine, "a", "600")
    start = revision(engine)
    for wait in (11, 12, 13):
        set_group(engine, "a", wait=wait)
    assert changed(engine, start) == {"600"}
    set_group(engine, "a", wait=14)
    assert changed(engine, start) is None


def test_changes_in_one_transaction_are_one_revision(engine: Engine) -> None:
    start = revision(engine)
    with writing(engine) as session:
        for name, number in (("a", "600"), ("b", "601")):
            add_group(session, name)
            add_numbers(session, name, [number], "PL")
    assert revision(engine) == start + 1
    assert changed(engine, start) == {"600", "601"}
