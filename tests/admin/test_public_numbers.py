"""Numbers that no numbering plan has, wherever an administrator may write them."""

import pytest
from sqlalchemy import Engine

from fsctl.admin import values, whole
from fsctl.admin.audit import list_changes
from fsctl.admin.configuration import WrongFile, read_groups
from fsctl.admin.errors import WrongValue
from fsctl.admin.groups import add_group, get_group, set_group
from fsctl.admin.import_advice import warnings_of
from fsctl.admin.numbers import add_numbers, remove_numbers
from fsctl.admin.transfer import plan_import
from fsctl.admin.yaml_file import read_yaml
from fsctl.hunt.group import Group
from fsctl.store.engine import writing
from fsctl.store.groups import find_row
from fsctl.store.tables import GroupNumber

PRINTED, NOBODYS, UNASSIGNED = "+48 (0)58 762 47 31", "0700 123 456", "+48999999999"


def test_a_groups_numbers(engine: Engine) -> None:
    add_group(engine, "sales")
    assert add_numbers(engine, "sales", [PRINTED], "PL").group.numbers == ("+48587624731",)
    with pytest.raises(WrongValue, match=r"no number there begins with 0; write \+48700123456$"):
        add_numbers(engine, "sales", [NOBODYS], "PL")
    change = add_numbers(engine, "sales", [UNASSIGNED, "602", "0602"], "PL")
    assert change.warnings[0] == (
        '+48999999999 of group "sales" is in a number range that is not assigned; check it'
    )
    assert [line for line in change.warnings if "602" in line or "58762" in line] == []


def test_members_and_endings(engine: Engine) -> None:
    assert values.member(PRINTED) == "+48587624731"
    with pytest.raises(WrongValue, match="is not a possible number"):
        values.member("+480587624731")
    group = add_group(engine, "sales", when_busy=f"external {PRINTED}").group
    assert group.when_busy == "external +48587624731"
    with pytest.raises(WrongValue, match="is not a possible number"):
        set_group(engine, "sales", when_busy="external +480587624731")
    warnings = set_group(engine, "sales", when_busy=f"external {UNASSIGNED}").warnings
    assert any(UNASSIGNED in line for line in warnings)


def test_files(engine: Engine) -> None:
    text = f"version: 1\ngroups:\n- name: sales\n  numbers: ['{{}}', '{UNASSIGNED}']\n"
    groups = read_groups(read_yaml(text.format(PRINTED)), "PL")
    assert groups[0].numbers == ("+48587624731", UNASSIGNED)
    [line] = warnings_of(plan_import(engine, groups))
    assert line.startswith(f'{UNASSIGNED} of group "sales" is in a number range that is not')
    with pytest.raises(WrongFile, match=r"^line 4: '0700 123 456' is not a possible number"):
        read_groups(read_yaml(text.format(NOBODYS)), "PL")


def test_what_an_earlier_version_took_can_be_removed_and_taken_back(engine: Engine) -> None:
    add_group(engine, "sales")
    with writing(engine) as session:
        row = find_row(session, "sales", "")
        assert row is not None
        row.numbers.append(GroupNumber(number="+480587624731", kind="city"))
    remove_numbers(engine, "sales", ["+480587624731"], "PL")
    assert get_group(engine, "sales").numbers == ()
    whole.undo(engine, list_changes(engine)[0].id)
    assert get_group(engine, "sales") == Group("sales", numbers=("+480587624731",))
    with pytest.raises(WrongValue):
        remove_numbers(engine, "sales", [], "PL")
