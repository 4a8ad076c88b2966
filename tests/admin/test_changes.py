import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from fsctl.admin import groups as groups_module
from fsctl.admin import numbers as numbers_module
from fsctl.admin.change import Change
from fsctl.admin.errors import AdminError, Refused, WrongValue
from fsctl.admin.example import add_example
from fsctl.admin.groups import (
    add_group,
    disable_group,
    enable_group,
    get_group,
    list_groups,
    remove_group,
    set_group,
)
from fsctl.admin.members import (
    add_member,
    disable_member,
    enable_member,
    remove_member,
    set_member,
)
from fsctl.admin.numbers import add_numbers, remove_numbers
from fsctl.hunt.group import Member
from fsctl.store.engine import writing
from fsctl.store.tables import HuntGroup


@pytest.fixture
def example(engine: Engine) -> Engine:
    add_example(engine)
    return engine


def refused(change: Callable[[], object]) -> str:
    with pytest.raises(Refused) as raised:
        change()
    return str(raised.value)


def test_a_group_is_added_with_what_was_given(engine: Engine) -> None:
    change = add_group(engine, "Biuro", description="Obsługa", wait="12,5", advance=False)
    assert change.text == 'Group "Biuro" added: wait 12.5 s, advance off, description "Obsługa".'
    assert change.warnings == [
        'group "Biuro" has no number: it is never called',
        'group "Biuro" has no members: it rings nobody',
    ]
    assert get_group(engine, "BIURO") == change.group
    assert (change.group.wait, change.group.advance, change.group.enabled) == (12.5, False, True)


def test_case_does_not_tell_groups_apart(engine: Engine) -> None:
    add_group(engine, "Łódź")
    for name in ("łódź", "ŁÓDŹ", "Ło\u0301dz\u0301"):
        assert refused(lambda name=name: add_group(engine, name)) == (
            'there is a group "Łódź" already'
        )


def test_a_group_is_changed_only_where_told(example: Engine) -> None:
    before = get_group(example, "sales")
    change = set_group(example, "SALES", wait="20")
    assert (
        change.text == f'Group "sales": wait 20 s, advance on, description "{before.description}".'
    )
    assert change.warnings == []
    set_group(example, "sales", advance=False)
    set_group(example, "sales", description="")
    set_group(example, "sales", new_name="Sales")
    after = get_group(example, "sales")
    assert (after.name, after.wait, after.advance, after.description) == ("Sales", 20.0, False, "")
    assert (after.numbers, after.members) == (before.numbers, before.members)


def test_a_new_name_must_be_free(example: Engine) -> None:
    add_group(example, "support")
    assert refused(lambda: set_group(example, "support", new_name="SALES", wait=5)) == (
        'there is a group "sales" already'
    )
    assert get_group(example, "support").wait == 30.0


def test_an_unknown_group_is_answered_with_close_names(example: Engine) -> None:
    add_group(example, "Salon")
    assert refused(lambda: get_group(example, "salse")) == (
        'there is no group "salse"; did you mean "sales" or "Salon"?'
    )
    assert refused(lambda: remove_group(example, "xyz")) == (
        'there is no group "xyz"; see: fsctl group list'
    )


def test_every_change_of_an_unknown_group_is_refused(engine: Engine) -> None:
    for change in (
        lambda: set_group(engine, "x", wait=5),
        lambda: enable_group(engine, "x"),
        lambda: disable_group(engine, "x"),
        lambda: remove_group(engine, "x"),
        lambda: add_numbers(engine, "x", ["600"], "PL"),
        lambda: remove_numbers(engine, "x", ["600"], "PL"),
        lambda: add_member(engine, "x", "a"),
        lambda: set_member(engine, "x", "a", delay=1),
        lambda: enable_member(engine, "x", "a"),
        lambda: disable_member(engine, "x", "a"),
        lambda: remove_member(engine, "x", "a"),
    ):
        assert refused(change).startswith('there is no group "x"')


def test_a_group_is_disabled_and_enabled(example: Engine) -> None:
    change = disable_group(example, "sales")
    assert change.text == 'Group "sales" is disabled.'
    assert change.warnings == ['group "sales" is disabled: its calls ring nobody']
    assert not get_group(example, "sales").enabled
    assert enable_group(example, "sales").warnings == []
    assert get_group(example, "sales").enabled


def test_what_a_removed_group_had_is_told_and_free_again(example: Engine) -> None:
    change = remove_group(example, "sales")
    assert change.text == (
        'Group "sales" removed; its numbers were: 600, +48587624731; '
        "its members: test002, test006, test007."
    )
    assert list_groups(example) == []
    add_group(example, "sales")
    assert add_numbers(example, "sales", ["600", "+48587624731"], "PL").group.members == ()


def test_an_example_that_was_removed_does_not_come_back(example: Engine) -> None:
    remove_group(example, "sales")
    assert add_example(example) is None
    assert list_groups(example) == []


def test_numbers_are_kept_in_one_form(engine: Engine) -> None:
    add_group(engine, "a")
    change = add_numbers(engine, "a", ["600", "58 762 47 31", "6-0-0", "+48587624731"], "PL")
    assert change.text == 'Group "a" is called by: 600, +48587624731.'
    assert change.group.numbers == ("600", "+48587624731")
    assert remove_numbers(engine, "a", ["0048587624731"], "PL").group.numbers == ("600",)
    change = remove_numbers(engine, "a", ["600", "600"], "PL")
    assert change.text == 'Group "a" is called by: no number.'


def test_a_number_belongs_to_one_group(example: Engine) -> None:
    add_group(example, "support")
    assert refused(lambda: add_numbers(example, "support", ["601", "587624731"], "PL")) == (
        '+48587624731 belongs to group "sales"'
    )
    assert refused(lambda: add_numbers(example, "sales", ["600"], "PL")) == (
        '600 is a number of group "sales" already'
    )
    assert refused(lambda: remove_numbers(example, "support", ["600"], "PL")) == (
        '600 is not a number of group "support"; it belongs to group "sales"'
    )
    assert refused(lambda: remove_numbers(example, "sales", ["600", "9"], "PL")) == (
        '9 is not a number of group "sales"'
    )
    assert get_group(example, "support").numbers == ()
    assert get_group(example, "sales").numbers == ("600", "+48587624731")


def test_one_wrong_number_leaves_all_out(engine: Engine) -> None:
    add_group(engine, "a")
    with pytest.raises(WrongValue, match="'abc' is not a number"):
        add_numbers(engine, "a", ["600", "abc"], "PL")
    for numbers in ([], [str(number) for number in range(501)]):
        with pytest.raises(WrongValue, match="give 1 to 500 numbers at once"):
            add_numbers(engine, "a", numbers, "PL")
    assert get_group(engine, "a").numbers == ()


def test_a_number_added_in_one_region_is_removed_in_another(engine: Engine) -> None:
    add_group(engine, "a")
    add_numbers(engine, "a", ["32123456"], "PL")
    assert remove_numbers(engine, "a", ["32123456"], "DK").group.numbers == ()


def test_a_member_is_added_changed_and_removed(engine: Engine) -> None:
    add_group(engine, "a")
    change = add_member(engine, "a", "test002", delay="0,5")
    assert change.text == 'test002 of group "a": delay 0.5 s, enabled.'
    assert set_member(engine, "a", "TEST002", delay="2").group.members == (Member("test002", 2.0),)
    change = disable_member(engine, "a", "test002")
    assert change.text == 'test002 of group "a": delay 2 s, disabled.'
    assert 'group "a" has no enabled members: it rings nobody' in change.warnings
    assert enable_member(engine, "a", "test002").group.members == (Member("test002", 2.0),)
    change = remove_member(engine, "a", "test002")
    assert change.text == 'test002 is no longer a member of group "a".'
    assert change.group.members == ()


def test_a_user_is_a_member_once(example: Engine) -> None:
    assert refused(lambda: add_member(example, "sales", "test002")) == (
        'test002 is a member of group "sales" already'
    )
    for user in ("TEST002", "test002@pbx.example.org"):
        assert refused(lambda user=user: add_member(example, "sales", user)) == (
            f'{user} is a member of group "sales" already as test002'
        )


def test_who_is_not_a_member_cannot_be_changed(example: Engine) -> None:
    for change in (enable_member, disable_member, remove_member):
        assert refused(lambda change=change: change(example, "sales", "nobody")) == (
            'nobody is not a member of group "sales"; see: fsctl group show'
        )


def test_a_member_who_never_rings_is_warned_of(example: Engine) -> None:
    warning = (
        'test007 of group "sales" never rings: its delay of 10 s is not below the group\'s wait '
        "of 10 s"
    )
    assert set_group(example, "sales", wait="10").warnings == [warning]
    assert disable_member(example, "sales", "test007").warnings == []
    assert enable_member(example, "sales", "test007").warnings == [warning]
    assert set_member(example, "sales", "test007", delay="9.999").warnings == []


def test_changing_nothing_is_a_mistake(example: Engine) -> None:
    with pytest.raises(WrongValue, match="nothing to change"):
        set_group(example, "sales")
    with pytest.raises(WrongValue, match="nothing to change"):
        set_member(example, "sales", "test002")


def test_wrong_values_are_told_before_the_database_is_asked(example: Engine) -> None:
    for change in (
        lambda: add_group(example, "sales", wait="0"),
        lambda: add_group(example, "a\nb"),
        lambda: set_group(example, "nobody", wait="-1"),
        lambda: add_numbers(example, "nobody", ["x"], "PL"),
        lambda: add_member(example, "nobody", "x y"),
        lambda: add_member(example, "nobody", "x", delay="-1"),
        lambda: set_member(example, "nobody", "x", delay="nan"),
    ):
        with pytest.raises(WrongValue):
            change()


def test_the_example_is_for_an_empty_database(engine: Engine) -> None:
    change = add_example(engine)
    assert change is not None
    assert change.warnings == []
    assert change.group == get_group(engine, "sales")
    assert add_example(engine) is None
    assert len(list_groups(engine)) == 1


def test_changes_can_share_a_session_and_its_transaction(engine: Engine) -> None:
    def both() -> None:
        with writing(engine) as session:
            add_group(session, "a")
            add_group(session, "A")

    assert refused(both) == 'there is a group "a" already'
    assert list_groups(engine) == []


def race(*changes: Callable[[], Change]) -> list[Change | AdminError]:
    """Make the changes at the same moment; return how each ended."""
    barrier = threading.Barrier(len(changes))
    ends: list[Change | AdminError] = []

    def run(change: Callable[[], Change]) -> None:
        barrier.wait(10)
        try:
            ends.append(change())
        except AdminError as error:
            ends.append(error)

    threads = [threading.Thread(target=run, args=(change,)) for change in changes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(ends) == len(changes)
    return ends


def test_one_of_two_who_take_the_same_number_is_refused(engine: Engine) -> None:
    for name in ("a", "b"):
        add_group(engine, name)
    ends = race(
        lambda: add_numbers(engine, "a", ["600"], "PL"),
        lambda: add_numbers(engine, "b", ["600"], "PL"),
    )
    [won] = [end for end in ends if isinstance(end, Change)]
    [lost] = [end for end in ends if isinstance(end, Refused)]
    assert str(lost) == f'600 belongs to group "{won.group.name}"'


def test_members_who_join_together_all_join(engine: Engine) -> None:
    add_group(engine, "a")
    users = [f"test{number:03}" for number in range(4)]
    ends = race(*(lambda user=user: add_member(engine, "a", user) for user in users))
    assert all(isinstance(end, Change) for end in ends)
    assert sorted(member.user for member in get_group(engine, "a").members) == users


def blind_at_first(nothing: object, look: Callable[..., Any]) -> Callable[..., Any]:
    """Make a look at the database find nothing the first time, as if it came a moment too early."""
    looks = 0

    def run(*args: object) -> object:
        nonlocal looks
        looks += 1
        return nothing if looks == 1 else look(*args)

    return run


def test_a_number_taken_after_the_check_is_refused_in_the_same_words(
    example: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_group(example, "b")
    look = blind_at_first({}, numbers_module.number_owners)
    monkeypatch.setattr(numbers_module, "number_owners", look)
    assert refused(lambda: add_numbers(example, "b", ["601", "600"], "PL")) == (
        '600 belongs to group "sales"'
    )
    assert get_group(example, "b").numbers == ()


def test_a_name_taken_after_the_check_is_refused_in_the_same_words(
    example: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups_module, "find_row", blind_at_first(None, groups_module.find_row))
    assert refused(lambda: add_group(example, "Sales")) == 'there is a group "sales" already'


def test_a_constraint_that_no_check_explains_is_still_no_traceback(
    example: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(_session: Session, _name: str, _domain: str) -> HuntGroup | None:
        return None

    monkeypatch.setattr(groups_module, "find_row", nobody)
    assert refused(lambda: add_group(example, "sales")) == (
        "somebody else is changing the same; nothing was changed"
    )
