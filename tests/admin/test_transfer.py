import string
import threading
from collections.abc import Iterable
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from fsctl.admin import configuration, transfer, values
from fsctl.admin.audit import list_changes
from fsctl.admin.configuration import WrongFile, decode
from fsctl.admin.csv_file import read_csv, write_csv
from fsctl.admin.documents import document_of
from fsctl.admin.errors import Refused
from fsctl.admin.example import add_example
from fsctl.admin.groups import add_group, list_groups
from fsctl.admin.numbers import add_numbers
from fsctl.admin.transfer import Step, all_groups, import_groups, plan_import
from fsctl.admin.yaml_file import read_yaml, write_yaml
from fsctl.hunt.group import Group, Member
from fsctl.hunt.strategies import STRATEGIES
from fsctl.store.engine import reading
from fsctl.store.revision import read_revision
from fsctl.store.tables import name_key

GROUPS = [
    Group("Łódź", 'no: "yes", {x} #1', ("600", "*45"), (Member("b", 2.5), Member("a", 0.0, False))),
    Group("sales", "", ("601", "+48587624731"), (), 12.5, False, False),
    Group(
        "sales", "null", ("600",), (Member("test002", 0, True, 7.5, 3, 9, "=mobile"),),
        domain="a.example", strategy="round-robin", ring_time=12.5, rounds=3,
    ),
]  # fmt: skip


def yaml_text(groups: Iterable[Group]) -> str:
    return "".join(write_yaml(groups))


def csv_text(groups: list[Group]) -> str:
    return "".join(write_csv(groups))


def from_yaml(text: str, region: str = "PL", domain: str = "") -> list[Group]:
    return configuration.read_groups(read_yaml(text), region, domain)


def from_csv(text: str, region: str = "PL") -> list[Group]:
    return configuration.read_groups(read_csv(text), region)


def exported(engine: Engine) -> list[Group]:
    with all_groups(engine) as groups:
        return list(groups)


def test_a_document_has_every_part_of_a_group() -> None:
    group = replace(GROUPS[2])
    assert {*document_of(group), "inner", "onward"} == {field.name for field in fields(Group)}
    assert set(document_of(group)["members"][0]) == {field.name for field in fields(Member)}


def test_an_import_makes_the_groups_and_again_changes_nothing(engine: Engine) -> None:
    plan = import_groups(engine, GROUPS)
    assert [(step.before, step.after) for step in plan] == [
        (None, GROUPS[1]), (None, GROUPS[0]), (None, GROUPS[2]),
    ]  # fmt: skip
    assert exported(engine) == list_groups(engine) == [GROUPS[1], GROUPS[0], GROUPS[2]]
    with reading(engine) as session:
        before = read_revision(session)
    assert import_groups(engine, GROUPS[::-1]) == []
    with reading(engine) as session:
        assert read_revision(session) == before
    assert len(list_changes(engine)) == 3


@pytest.mark.parametrize("form", ["yaml", "csv"])
@pytest.mark.parametrize("region", ["PL", "DK"])
def test_what_was_exported_is_imported_as_it_was(engine: Engine, form: str, region: str) -> None:
    import_groups(engine, GROUPS)
    add_numbers(engine, "sales", ["32123456"], "PL")  # internal there, a city number of Denmark
    before = exported(engine)
    if form == "yaml":
        again = from_yaml(yaml_text(before), region)
    else:
        again = from_csv(csv_text(before), region)
    assert import_groups(engine, again) == []
    import_groups(engine, [])
    assert exported(engine) == []
    import_groups(engine, again)
    assert exported(engine) == before


def test_a_dry_run_says_the_same_and_does_nothing(engine: Engine) -> None:
    add_example(engine)
    before = exported(engine)
    plan = plan_import(engine, GROUPS)
    assert exported(engine) == before
    assert import_groups(engine, GROUPS) == plan
    assert [bool(step.before) for step in plan] == [True, False, False]


def test_numbers_move_between_groups(engine: Engine) -> None:
    import_groups(engine, GROUPS)
    swapped = [
        replace(GROUPS[0], numbers=GROUPS[1].numbers),
        replace(GROUPS[1], numbers=GROUPS[0].numbers),
        replace(GROUPS[2], name="other"),
    ]
    import_groups(engine, swapped)
    assert sorted(exported(engine), key=str) == sorted(swapped, key=str)


def test_every_part_of_a_group_is_changed(engine: Engine) -> None:
    import_groups(engine, GROUPS)
    changed = [
        replace(
            GROUPS[0],
            name="łódź",
            description="x",
            numbers=("*45", "7"),
            members=(Member("a", 1.0), Member("B", 0.0), Member("c")),
            wait=5.0,
            advance=False,
            enabled=False,
        ),
        *GROUPS[1:],
    ]
    [step] = import_groups(engine, changed)
    assert step.before == GROUPS[0]
    assert {group.name: group for group in exported(engine)}["łódź"] == changed[0]


def test_the_order_of_members_counts(engine: Engine) -> None:
    import_groups(engine, GROUPS)
    turned = replace(GROUPS[0], members=GROUPS[0].members[::-1])
    assert len(import_groups(engine, [turned, *GROUPS[1:]])) == 1
    assert turned in exported(engine)


def test_groups_that_the_file_does_not_have_go_unless_kept(engine: Engine) -> None:
    import_groups(engine, GROUPS)
    assert import_groups(engine, GROUPS[:1], keep=True) == []
    with pytest.raises(Refused, match=r'^601 belongs to group "sales", which the file does not'):
        import_groups(engine, [replace(GROUPS[0], numbers=("601",))], keep=True)
    assert len(exported(engine)) == 3
    assert len(import_groups(engine, GROUPS[:1])) == 2
    assert exported(engine) == GROUPS[:1]


def test_with_a_domain_only_its_groups_are_meant(engine: Engine) -> None:
    import_groups(engine, GROUPS)
    [step] = import_groups(engine, [], domain="a.example")
    assert step == Step(step.id, GROUPS[2], None)
    assert exported(engine) == [GROUPS[1], GROUPS[0]]
    other = Group("x", numbers=("+48587624731",), domain="a.example")
    with pytest.raises(Refused, match=r'^\+48587624731 belongs to group "sales", which'):
        import_groups(engine, [other], domain="a.example")
    text = "version: 1\ngroups: [{name: x, numbers: ['600']}]"
    assert from_yaml(text, domain="a.example")[0].domain == "a.example"
    with pytest.raises(WrongFile, match=r"^line 3: group \"x\" is of b.example, not of a.example$"):
        from_yaml("version: 1\ngroups:\n- {name: x, domain: b.example}", domain="a.example")


def test_many_groups_pass_through_in_batches(sqlite_url: str, engine: Engine) -> None:
    many = [
        Group(f"g{number:04}", numbers=(str(number),), members=(Member("a"),))
        for number in range(1_001)
    ]
    import_groups(engine, many)
    assert from_yaml(yaml_text(exported(engine))) == many
    slower = [replace(group, wait=31.0) for group in many]
    assert len(import_groups(engine, slower)) == len(list_changes(engine, limit=9_999)) - 1_001
    assert exported(engine) == slower


def test_imports_at_the_same_time_are_whole(engine: Engine) -> None:
    sides = [[replace(group, wait=wait) for group in GROUPS] for wait in (5.0, 6.0, 7.0)]
    barrier, errors = threading.Barrier(len(sides)), []

    def run(side: list[Group]) -> None:
        barrier.wait(10)
        try:
            import_groups(engine, side)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(side,)) for side in sides]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []
    assert len({group.wait for group in exported(engine)}) == 1


def test_a_group_of_the_file_that_is_added_meanwhile_is_changed(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = transfer._plan
    looks = []

    def plan(*args: object) -> object:
        if not looks:
            add_group(engine, "sales", wait=5)
        looks.append(args)
        return look(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(transfer, "_plan", plan)
    import_groups(engine, GROUPS)
    assert len(looks) == 2
    assert exported(engine) == [GROUPS[1], GROUPS[0], GROUPS[2]]


HEAD = "version: 1\ngroups:\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'line 1: this is no configuration: write "version: 1"'),
        ("- a", 'line 1: this is no configuration: write "version: 1"'),
        ("groups: []", 'line 1: the version is missing: write "version: 1"'),
        ("version: 2", "line 1: version is '2', this fsctl reads version 1"),
        ("version: 1\ncolour: red", "line 2: a configuration has no 'colour', only: "),
        ("version: 1\ngroups: 3", 'line 2: groups is a list: write each on a line of its own'),
        ("version: 1\nversion: 1", "line 2: 'version' is here twice"),
        ("version: 1\n---\nversion: 1", "line 2: a second document begins here"),
        (HEAD + "- sales", 'line 3: a group is written as "name: ..."'),
        (HEAD + "- description: x", "line 3: a group has no name"),
        (HEAD + "- name: a\n  wait: 0", "line 4: wait is 1 to 3600 seconds, not 0"),
        (HEAD + "- name: a\n  wait:", "line 4: wait '' is not a time"),
        (HEAD + "- name: a\n  wait: [1]", "line 4: wait is one text, not a list"),
        (HEAD + "- name: a\n  colour: red", "line 4: a group has no 'colour', only: name, domain"),
        (HEAD + "- name: a\n  enabled: maybe", "line 4: enabled is true or false, not 'maybe'"),
        (HEAD + "- name: a\n  domain: b c", "line 4: 'b c' is not a domain"),
        (HEAD + "- name: a\n- name: A", 'line 4: group "A" is on line 3 already'),
        (HEAD + "- name: a\n  numbers: [x]", "line 4: 'x' is not a number"),
        (HEAD + "- name: a\n  numbers: ['600', '600']", "line 4: number 600 is on line 4 "),
        (HEAD + "- name: a\n  numbers:\n  - 600\n- name: b\n  numbers:\n  - 600",
         'line 8: number 600 is on line 5 (group "a") already'),
        (HEAD + "- name: a\n  numbers: [[1]]", "line 4: a number is one text"),
        (HEAD + "- name: a\n  numbers: [*45]", "line 4: aliases and anchors are not"),
        (HEAD + "- name: &a a", "line 3: aliases and anchors are not read"),
        (HEAD + "- name: !!python/object/apply:os.system ['true']", "line 3: tags are not read"),
        (HEAD + "- name: a\n  members: [b]", 'line 4: a member is written as "user: ..."'),
        (HEAD + "- name: a\n  members:\n  - delay: 3", "line 5: a member has no user"),
        (HEAD + "- name: a\n  members:\n  - {user: b}\n  - {user: B@c}",
         'line 6: B@c is a member of group "a" on line 5 already'),
        (HEAD + "- name: a\n  members:\n  - {user: b, delay: -1}", "line 5: delay is 0 to 3600 "),
        (HEAD + "- {name: a, [b]: c}", "line 3: a name is one text"),
        (HEAD + "- name: a: b", "line 3: this is not YAML: mapping values are not allowed"),
        (HEAD + "- name: 'a", "line 3: this is not YAML: found unexpected end of stream"),
        (HEAD + "- name: a\x07", "line 3: this is not YAML: control characters are not allowed"),
        ("[" * 100_000, "line 1: a configuration is not that deep"),
        ("a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]", "line 1: aliases and anchors are not read"),
    ],
)  # fmt: skip
def test_a_wrong_yaml_file_is_one_line_with_the_place(text: str, message: str) -> None:
    with pytest.raises(WrongFile) as raised:
        from_yaml(text)
    assert str(raised.value).startswith(message)
    assert "\n" not in str(raised.value)


ROW = "group,numbers,user,delay\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'line 1: the column "group" is missing'),
        ("group,colour", "line 1: there is no column 'colour', only: group, domain, "),
        ("group,group", "line 1: the column 'group' is here twice"),
        (ROW + "a", "line 2: this row has 1 cells, the first has 4"),
        (ROW + ",600,x,0", "line 2: a row has no group"),
        (ROW + "a,,,3", "line 2: a member has no user"),
        (ROW + "a,600,b,\na,601,c,", "line 3: numbers of the group is '601' here, but '600' on li"),
        (ROW + "a,600,b,\nA,600,c,", "line 3: name of the group is 'A' here, but 'a' on line 2"),
        (ROW + "a,600,b,\nb,600,c,", 'line 3: number 600 is on line 2 (group "a") already'),
        (ROW + "a,,b,\n\na,,b,", 'line 4: b is a member of group "a" on line 2 already'),
        (ROW + "a,,b,x", "line 2: delay 'x' is not a time"),
        (ROW + 'a,"b', "line 2: this is not CSV: unexpected end of data"),
        ("group,domain\na,b c", "line 2: 'b c' is not a domain"),
    ],
)  # fmt: skip
def test_a_wrong_csv_file_is_one_line_with_the_place(text: str, message: str) -> None:
    with pytest.raises(WrongFile) as raised:
        from_csv(text)
    assert str(raised.value).startswith(message)
    assert "\n" not in str(raised.value)


def test_what_a_spreadsheet_makes_of_a_file_is_read() -> None:
    expected = [
        Group("a", numbers=("600", "+48587624731"), members=(Member("x", 0.5), Member("y")))
    ]
    for text in (
        "user;delay;group;numbers\r\nx;0,5;a;600\u003b58 762 47 31\r\n".replace(
            "600;", '"600;'
        ).replace("31\r", '31"\r')
        + "y;;a;\r\n;;;\r\n",
        "Group\tUser\tDelay\tNumbers\na\tx\t0.5\t600; +48587624731\na\ty\t\t\n",
    ):
        assert from_csv(text) == expected


def test_a_spreadsheet_is_given_no_formula() -> None:
    group = Group("=1+1", "@SUM(A1)", ("+48587624731",), (Member("a"),))
    text = csv_text([group])
    assert """"'=1+1","'@SUM(A1)",""" in text
    assert from_csv(text) == [group]


def test_what_is_not_utf_8_is_named_with_its_line() -> None:
    assert decode("\ufeffa".encode()) == "a"
    with pytest.raises(WrongFile, match=r"^line 3: this is not UTF-8"):
        decode(b"a\nb\n\xff")


NAMES = st.text(min_size=1, max_size=64).filter(
    lambda name: name.isprintable() and name.strip(" ") == name and name[0] != "-"
)
TEXTS = st.text(max_size=500).filter(str.isprintable)
USERS = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=8)
SECONDS = st.integers(0, 3_600_000).map(lambda ms: ms / 1000)
RING_TIMES = st.one_of(st.none(), st.integers(1_000, 3_600_000).map(lambda ms: ms / 1000))
NOTES = st.text(max_size=100).filter(str.isprintable)
NUMBERS = st.one_of(
    st.text("123456789*#", min_size=1, max_size=8), st.just("+48587624731"), st.just("0600")
)


@st.composite
def configurations(draw: st.DrawFn) -> list[Group]:
    names = draw(st.lists(NAMES, max_size=4, unique_by=name_key))
    numbers = draw(st.lists(NUMBERS, max_size=6, unique=True))
    groups = []
    for name in names:
        count = draw(st.integers(0, len(numbers)))
        mine, numbers = numbers[:count], numbers[count:]
        users = draw(st.lists(USERS, max_size=4, unique=True))
        members = tuple(
            Member(
                user,
                draw(SECONDS),
                draw(st.booleans()),
                draw(RING_TIMES),
                draw(st.integers(0, 9_999)),
                draw(st.integers(1, 100)),
                draw(NOTES),
            )
            for user in users
        )
        wait = draw(st.integers(1_000, 3_600_000)) / 1000
        groups.append(
            Group(
                name=values.group_name(name),
                description=draw(TEXTS),
                numbers=tuple(mine),
                members=members,
                wait=wait,
                advance=draw(st.booleans()),
                enabled=draw(st.booleans()),
                domain=draw(st.sampled_from(["", "a.example"])),
                strategy=draw(st.sampled_from(list(STRATEGIES))),
                ring_time=draw(RING_TIMES),
                rounds=draw(st.integers(1, 20)),
                hours=draw(st.sampled_from(["", "mon-fri 8:00-16:00, sat 9:00-12:00"])),
                dates=draw(st.sampled_from(["", "2026-12-24 8:00-12:00, 2026-12-25"])),
                closed_until=draw(st.sampled_from([None, "2026-12-28 07:30"])),
                time_zone=draw(st.sampled_from(["Europe/Warsaw", "UTC"])),
            )
        )
    return groups


@given(configurations())
def test_any_configuration_comes_back_from_both_forms(groups: list[Group]) -> None:
    assert from_yaml(yaml_text(groups)) == groups
    assert from_csv(csv_text(groups)) == groups


@given(st.text())
def test_any_text_is_groups_or_one_line(text: str) -> None:
    for read in (from_yaml, from_csv):
        try:
            read(text)
        except WrongFile as error:
            line = str(error)
            assert line.startswith("line ")
