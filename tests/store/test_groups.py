from typing import Any

import pytest
from sqlalchemy import Engine, event, insert, text
from sqlalchemy.exc import IntegrityError

from fsctl.admin.errors import Refused
from fsctl.admin.example import add_example
from fsctl.admin.groups import add_group, disable_group, remove_group
from fsctl.admin.members import add_member, disable_member
from fsctl.admin.numbers import add_numbers
from fsctl.hunt.group import Group, Member
from fsctl.store.engine import make_engine, reading, writing
from fsctl.store.errors import Unavailable
from fsctl.store.groups import all_numbers, find_group_by_number, list_groups, load_group
from fsctl.store.revision import read_revision
from fsctl.store.tables import GroupMember, GroupNumber, HuntGroup

SALES = Group(
    name="sales",
    description="An example: three telephones, one after another",
    numbers=("600", "+48587624731"),
    members=(Member("test002", 0.0), Member("test006", 6.0), Member("test007", 10.0)),
    wait=30.0,
)


def test_a_group_is_found_by_any_of_its_numbers(engine: Engine) -> None:
    add_example(engine)
    with reading(engine) as session:
        for candidates in (["600"], ["+48587624731"], ["1", "600"], ["600", "+48587624731"]):
            assert find_group_by_number(session, candidates) == SALES
        assert find_group_by_number(session, ["601", "'; DROP TABLE hunt_group; --"]) is None
        assert find_group_by_number(session, []) is None


def test_the_first_candidate_that_fits_wins(engine: Engine) -> None:
    for name, number in (("b", "601"), ("a", "600"), ("c", "602")):
        add_group(engine, name)
        add_numbers(engine, name, [number], "PL")
    with reading(engine) as session:
        for candidates, name in ((["600", "601"], "a"), (["9", "602", "600"], "c")):
            found = find_group_by_number(session, candidates)
            assert found is not None
            assert found.name == name


def test_a_lookup_takes_two_round_trips_at_most(engine: Engine) -> None:
    add_example(engine)
    add_numbers(engine, "sales", [str(number) for number in range(700, 720)], "PL")
    statements: list[str] = []
    with reading(engine) as session:
        session.connection()

        def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            statements.append(statement)

        event.listen(engine, "before_cursor_execute", count)
        found = find_group_by_number(session, ["600", "+48600"])
    assert found is not None
    assert len(found.numbers) == 22
    assert len(statements) == 2


def test_members_come_in_the_order_of_joining(engine: Engine) -> None:
    add_group(engine, "a")
    for user, delay in (("z", 5), ("a", 0.25), ("m", 0)):
        add_member(engine, "a", user, delay=delay)
    disable_member(engine, "a", "m")
    disable_group(engine, "a")
    with reading(engine) as session:
        group = load_group(session, "A")
    assert group is not None
    assert group.members == (Member("z", 5.0), Member("a", 0.25), Member("m", 0.0, enabled=False))
    assert not group.enabled


def test_groups_are_listed_by_name(engine: Engine) -> None:
    for name in ("b", "A", "łódź", "C"):
        add_group(engine, name)
    with reading(engine) as session:
        assert [group.name for group in list_groups(session)] == ["A", "b", "C", "łódź"]
        assert load_group(session, "ŁÓDŹ") is not None
        assert load_group(session, "d") is None


GROUP = {
    "id": 1, "name": "sales", "name_key": "sales", "description": "", "wait_ms": 30_000,
    "advance": True, "enabled": True, "created_at": 1,
}  # fmt: skip
NUMBER = {"group_id": 1, "number": "600", "kind": "internal"}
MEMBER = {"group_id": 1, "user": "test002", "delay_ms": 0, "enabled": True, "position": 0}


@pytest.mark.parametrize(
    ("table", "row", "wrong"),
    [
        (HuntGroup, GROUP, {"id": 2}),
        *(
            (HuntGroup, GROUP, {"id": 2, "name_key": "other", **wrong})
            for wrong in (
                {"name": ""}, {"name": "a" * 65}, {"name": " a"}, {"name": "a "},
                {"name": "a\nb"}, {"name": "a\x7f"}, {"name": "a\u0085b"}, {"name_key": ""},
                {"description": "a\rb"}, {"description": "a" * 501}, {"wait_ms": 999},
                {"wait_ms": 3_600_001}, {"created_at": 0}, {"name": None}, {"enabled": None},
            )
        ),
        *(
            (GroupNumber, NUMBER, wrong)
            for wrong in (
                {"number": "600"}, {"number": ""}, {"number": "123456789"}, {"number": "60a"},
                {"number": "6 0"}, {"number": "+485876", "kind": "internal"},
                {"number": "601", "kind": "city"}, {"number": "+", "kind": "city"},
                {"number": "+0587624731", "kind": "city"}, {"number": "+48*5", "kind": "city"},
                {"number": "+1234567890123456", "kind": "city"}, {"number": "1", "kind": "other"},
                {"number": "1", "group_id": 99}, {"number": "60\n"},
            )
        ),
        *(
            (GroupMember, MEMBER, wrong)
            for wrong in (
                {"user": "test002"}, {"user": ""}, {"user": "a b"}, {"user": "-a"}, {"user": "@a"},
                {"user": "a,b"}, {"user": "${a}"}, {"user": "zażółć"}, {"user": "a" * 319},
                {"user": "b", "delay_ms": -1}, {"user": "b", "delay_ms": 3_600_001},
                {"user": "b", "position": -1}, {"user": "b", "group_id": 99}, {"user": "b\n"},
            )
        ),
    ],
)  # fmt: skip
def test_the_database_itself_refuses_what_cannot_be(
    engine: Engine, table: type[Any], row: dict[str, Any], wrong: dict[str, Any]
) -> None:
    with writing(engine) as session:
        session.execute(insert(HuntGroup).values(GROUP))
        session.execute(insert(GroupNumber).values(NUMBER))
        session.execute(insert(GroupMember).values(MEMBER))

    def break_it() -> None:
        with writing(engine) as session:
            session.execute(insert(table).values({**row, **wrong}))

    # PostgreSQL finds a text too long for its column before it looks at the constraints.
    with pytest.raises((IntegrityError, Unavailable), match=r"constraint|FOREIGN|too long"):
        break_it()


def test_a_null_character_cannot_be_kept(sqlite_url: str, tables: None) -> None:
    row = {**GROUP, "name": "a\0b"}
    with pytest.raises(IntegrityError), writing(make_engine(sqlite_url)) as session:
        session.execute(insert(HuntGroup).values(row))


def test_removing_a_group_removes_what_is_its(engine: Engine) -> None:
    add_example(engine)
    with writing(engine) as session:
        session.execute(text("DELETE FROM hunt_group"))
    with reading(engine) as session:
        assert session.scalar(text("SELECT count(*) FROM group_number")) == 0
        assert session.scalar(text("SELECT count(*) FROM group_member")) == 0


def revision(engine: Engine) -> int:
    with reading(engine) as session:
        return read_revision(session)


def test_every_change_moves_the_revision_on(engine: Engine) -> None:
    seen = [revision(engine)]
    add_example(engine)
    seen.append(revision(engine))
    for change in (
        lambda: disable_group(engine, "sales"),
        lambda: add_member(engine, "sales", "test003"),
        lambda: add_numbers(engine, "sales", ["601"], "PL"),
        lambda: remove_group(engine, "sales"),
    ):
        change()
        seen.append(revision(engine))
    assert seen == sorted(set(seen))


def test_what_changes_nothing_leaves_the_revision(engine: Engine) -> None:
    add_example(engine)
    before = revision(engine)
    with pytest.raises(Refused):
        add_group(engine, "sales")

    def give_up() -> None:
        with writing(engine) as session:
            add_group(session, "a")
            raise KeyError

    with pytest.raises(KeyError):
        give_up()
    assert revision(engine) == before


def test_changes_in_one_transaction_move_the_revision_once(engine: Engine) -> None:
    before = revision(engine)
    with writing(engine) as session:
        add_group(session, "a")
        add_group(session, "b")
    assert revision(engine) == before + 1


def test_all_numbers_are_the_oldest_first(engine: Engine) -> None:
    add_example(engine)
    with reading(engine) as session:
        assert all_numbers(session, most=20) == ["600", "+48587624731"]
        assert all_numbers(session, most=1) == ["600"]
