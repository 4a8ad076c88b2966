"""Where an administrator may let calls end."""

from itertools import pairwise

import pytest
from sqlalchemy import Engine, text

from fsctl.admin.errors import Refused, WrongValue
from fsctl.admin.groups import add_group, get_group, remove_group, set_group
from fsctl.admin.transfer import import_groups
from fsctl.hunt.endings import MOST_HOPS, Reason
from fsctl.hunt.group import Group
from fsctl.store.engine import reading, writing
from fsctl.store.onward import all_markers, with_onward


def test_calls_go_on_to_a_group_that_is_there(engine: Engine) -> None:
    add_group(engine, "a")
    with pytest.raises(Refused, match='go on to "b", and there is no such group'):
        set_group(engine, "a", ending="group b")
    add_group(engine, "b")
    set_group(engine, "a", when_busy="Group  b")
    assert get_group(engine, "a").when_busy == "group b"
    with pytest.raises(Refused, match='calls of "a" go on to "b"'):
        remove_group(engine, "b")
    set_group(engine, "b", new_name="c d")
    assert get_group(engine, "a").when_busy == "group c d"
    set_group(engine, "a", when_busy="none")
    remove_group(engine, "c d")


def test_calls_do_not_go_round(engine: Engine) -> None:
    for name in ("a", "b", "c"):
        add_group(engine, name)
    set_group(engine, "a", ending="group b")
    set_group(engine, "b", when_closed="group c")
    with pytest.raises(Refused, match=r"from group to group: (a > b > c > a|b > c > a > b|c > a)"):
        set_group(engine, "c", ending="group a")
    with pytest.raises(Refused, match="would go round"):
        set_group(engine, "a", when_no_members="group a")


def test_a_file_may_name_its_groups_in_any_order(engine: Engine) -> None:
    import_groups(engine, [Group("a", ending="group z"), Group("z")])
    assert get_group(engine, "a").ending == "group z"
    with pytest.raises(Refused, match="no such group"):
        import_groups(engine, [Group("a", ending="group z")])


@pytest.mark.parametrize(
    "wrong", ["play ../secret", "play exec://x", "extension 5 0 0", "voicemail", "x" * 400]
)
def test_what_is_no_ending_is_refused(engine: Engine, wrong: str) -> None:
    add_group(engine, "a")
    with pytest.raises(WrongValue):
        set_group(engine, "a", ending=wrong)


def test_many_ways_are_looked_at_once(engine: Engine) -> None:
    """Each group of a layer sends on to all of the next, each for another reason."""
    reasons = [reason.value for reason in Reason]
    layers = [[f"{layer} {number}" for number in range(len(reasons))] for layer in range(8)]
    groups = [Group(name) for name in layers[-1]]
    for layer, onward in pairwise(layers):
        ways = dict(zip(reasons, (f"group {name}" for name in onward), strict=True))
        groups += [Group(name, **ways) for name in layer]
    import_groups(engine, groups)
    set_group(engine, "0 0", description="checked")
    with reading(engine) as session:
        [found] = with_onward(session, [get_group(engine, "0 0")])
    assert len(all_markers(found)) == len(reasons) * (MOST_HOPS + 1)
    with pytest.raises(Refused, match="would go round"):
        set_group(engine, "7 0", ending="group 0 0")


def test_an_ending_of_a_newer_fsctl_hinders_nobody(engine: Engine) -> None:
    add_group(engine, "b")
    add_group(engine, "a", ending="group b")
    with writing(engine) as session:
        session.execute(text("UPDATE hunt_group SET when_busy = 'queue 7' WHERE name = 'a'"))
    set_group(engine, "b", new_name="c")
    assert get_group(engine, "a").ending == "group c"
