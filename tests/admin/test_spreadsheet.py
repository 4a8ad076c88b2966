import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from fsctl.admin import configuration
from fsctl.admin.csv_file import read_csv, write_csv
from fsctl.admin.errors import WrongValue
from fsctl.admin.import_advice import warnings_of
from fsctl.admin.spreadsheet import PLAIN, SEPARATORS, Dialect, guarded, unguarded, write_rows
from fsctl.admin.transfer import import_groups, plan_import
from fsctl.hunt.group import Group, Member
from tests.admin.libreoffice import formulas, needs_libreoffice, saved

POLISH = Dialect(";", mark=True)
HOSTILE = [
    "=1+1", "+1+1", "-1+1", "@SUM(1)", "\uff1d1+1", "\uff0b1", "\u22121+1", "\t=1+1", " =1+1",
    '"=1+1', "x;=1+1", "x,=1+1", "x\t=1+1", 'x";=1+1;"', 'x",=1+1,"', "x;\uff1d1+1", ";;=1+1",
    "x; '=1+1", "=cmd|'/c calc'!A1", "'=1+1", "''", "600;+48587624731",
]  # fmt: skip
CONVERTED = [
    "0602", "00", "1.5", "0,5", "1e5", "2026-12-25", "2026-12-28 07:30", "1/2", "1-2", "mar1",
    "5 maj", "true", "PRAWDA", "fałsz", "FALSE", "5 zł", "$5", "12%", "10:30", "-5", "1 000",
    "+48587624731", "12345678901234567890",
]  # fmt: skip
PLAIN_TEXTS = ["", "sales", "600", "ab1", "Łódź 2", "test002", "mon-fri 8:00-16:00", "a, b; c"]
MIXED = st.text(st.sampled_from("=+-@'\"; ,\t\n\uff1d0123456789.:/eEx") | st.characters())


def rows(text: str, separator: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))


@given(st.lists(MIXED, max_size=5), st.sampled_from(sorted(SEPARATORS.values())))
def test_every_text_comes_back(texts: list[str], separator: str) -> None:
    file = "".join(write_rows(Dialect(separator), ["a"], [[text, "end"] for text in texts]))
    assert [unguarded(row[0]) for row in rows(file, separator)[1:]] == texts


@given(MIXED)
def test_no_cell_begins_a_formula_whatever_separates(text: str) -> None:
    [_, *found] = "".join(write_rows(PLAIN, ["a"], [["id", text]])).partition("\n")
    for separator in ",;\t":
        for cell in (cell for row in rows("".join(found), separator) for cell in row):
            bare = cell.strip('" \n')
            assert not bare.startswith(("=", "@", "\uff1d")), (cell, separator)
            assert not bare.startswith("+") or bare[1:].strip('" \n').isdecimal()


def test_guards_stand_only_where_they_are_needed() -> None:
    assert [guarded(text) for text in PLAIN_TEXTS] == PLAIN_TEXTS
    assert all(guarded(text) == f"'{text}" for text in CONVERTED)


def test_a_file_for_polish_settings() -> None:
    file = "".join(write_rows(POLISH, ["a", "b"], [[0.5, "x;y"], [True, None]]))
    assert file == '\ufeff"a";"b"\n"0,5";"x;y"\n"true";""\n'
    assert "".join(write_rows(PLAIN, ["a"], [[0.5], [63.0]])) == '"a"\n0.5\n63.0\n'
    with pytest.raises(WrongValue, match=r"^separator is one of comma, semicolon, tab$"):
        Dialect.named("dot")


GROUPS = [
    Group(
        "Łódź; biuro",
        "=1+1",
        ("0602", "+48587624731"),
        (Member("0012", 1.5), Member("test002", 0.0, enabled=False), Member("mar1", 6.0)),
        wait=12.5,
        dates="2026-12-25",
        closed_until="2026-12-28 07:30",
    ),
    Group("007", "x;=1+1", ("0600",), (Member("1e5"),), skip_busy=True),
    Group("true", "-5", ("*45",)),
]


def read(text: str) -> list[Group]:
    return configuration.read_groups(read_csv(configuration.decode(text.encode())), "PL")


@pytest.mark.parametrize("separator", sorted(SEPARATORS.values()))
@pytest.mark.parametrize("mark", [True, False])
def test_a_configuration_comes_back_in_every_dialect(separator: str, mark: bool) -> None:
    assert read("".join(write_csv(GROUPS, Dialect(separator, mark)))) == GROUPS


@needs_libreoffice
@pytest.mark.parametrize(("settings", "dialect"), [("pl", POLISH), ("en", Dialect(",", mark=True))])
def test_libreoffice_opens_and_saves_a_configuration_without_a_change(
    settings: str, dialect: Dialect
) -> None:
    again = saved("".join(write_csv(GROUPS, dialect)), settings, dialect.separator)
    assert read(again) == GROUPS
    cells = [[text, "end"] for text in [*HOSTILE, *CONVERTED, *PLAIN_TEXTS] if "\n" not in text]
    again = saved("".join(write_rows(dialect, ["a", "b"], cells)), settings, dialect.separator)
    found = rows(again, dialect.separator)[1:]
    assert [unguarded(row[0]) for row in found] == [row[0] for row in cells]


@needs_libreoffice
@pytest.mark.parametrize("settings", ["pl", "en"])
def test_libreoffice_finds_no_formula_even_with_another_separator(settings: str) -> None:
    file = "".join(write_rows(PLAIN, ["a", "b"], [[text, text] for text in HOSTILE]))
    assert formulas("x;=1+1\n", settings, ";") == ["of:=1+1"]
    assert formulas(file, settings, ";") == []


HEAD = "group;numbers;user;delay;member_enabled"


@pytest.mark.parametrize(
    "text",
    [
        "sep=;\n" + HEAD + "\na;600;x;0,5;FAŁSZ\n",
        '"sep=;"\r\n' + HEAD + "\r\na;600;x;0,5;fałsz\r\n",
        HEAD + ";;\na;600;x;0,5;FALSE;;\n;;;;;;\n",
        HEAD + ";note\na;600;x;0,5;FAŁSZ\nb\n",  # Excel leaves out what is empty at the end
        "\ufeff" + HEAD + "\na;600;x;0,5;false\n",
    ],
)
def test_what_excel_makes_of_a_file_is_read(text: str) -> None:
    [first, *_] = read(text)
    assert first == Group("a", numbers=("600",), members=(Member("x", 0.5, enabled=False),))
    assert read(HEAD + "\na;600;x;0;PRAWDA\n")[0].members == (Member("x"),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD + "\na;600;x;0;true;more\n", "line 2: this row has 6 cells, the first has 5"),
        (HEAD + "\na;600", "line 2: this row has 2 cells, the first has 5"),
        ("sep=;\n" + HEAD + "\na;600;x;y;true\n", "line 3: delay 'y' is not a time"),
        ("sep=;\ncolour\n", "line 2: there is no column 'colour'"),
        (HEAD + "\na;600;x;0;PRAWDA?\n", "line 2: enabled is true or false"),
    ],
)
def test_what_else_is_wrong_has_its_line(text: str, said: str) -> None:
    with pytest.raises(configuration.WrongFile) as raised:
        read(text)
    assert str(raised.value).startswith(said)


def test_an_import_tells_of_zeros_that_a_spreadsheet_took(engine: Engine) -> None:
    import_groups(engine, GROUPS[:2])
    lost = [
        Group("Łódź; biuro", numbers=("602", "+48587624731"), members=(Member("12"),)),
        Group("007", numbers=("0600",)),
    ]
    lost_zeros = "a spreadsheet may have removed leading zeros; check it"
    assert warnings_of(plan_import(engine, lost))[:2] == [
        f'602 of group "Łódź; biuro" was 0602: {lost_zeros}',
        f'12 of group "Łódź; biuro" was 0012: {lost_zeros}',
    ]
    assert warnings_of(plan_import(engine, GROUPS[:2])) == []
