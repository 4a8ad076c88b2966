"""A configuration as CSV, for spreadsheets: a row for each member, with its group's terms on each.

What a spreadsheet may make of a file is read: other separators, truth values in Polish, empty
columns at the end. How cells keep what they are is ``spreadsheet``'s.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import Any

from fsctl.admin.configuration import RawGroup, RawMember, Text, WrongFile
from fsctl.admin.documents import Document, document_of, lean
from fsctl.admin.kinds import Switch
from fsctl.admin.spreadsheet import PLAIN, Dialect, truth, unguarded, write_rows
from fsctl.admin.terms import GROUP_TERMS, MEMBER_TERMS, Term, Terms
from fsctl.hunt.domain import read_domain
from fsctl.hunt.group import Group
from fsctl.store.tables import name_key

_GROUP = {"group": "name", "domain": "domain", **{name: name for name in GROUP_TERMS}}
_MEMBER = {
    "user": "user",
    **{(f"member_{name}" if name in GROUP_TERMS else name): name for name in MEMBER_TERMS},
}
COLUMNS = (*_GROUP, "numbers", *_MEMBER)
_BETWEEN_NUMBERS = ";"
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[,;\t]*\r?\n', re.IGNORECASE)
"""The line by which Excel is told the separator, and which it leaves in some files."""


def write_csv(groups: Sequence[Group], dialect: Dialect = PLAIN) -> Iterator[str]:
    """Yield the file in pieces; a column that would say nothing of any group is left out."""
    documents = [lean(document_of(group)) for group in groups]
    columns = _used_columns(documents)
    return write_rows(dialect, columns, (row for one in documents for row in _rows(one, columns)))


def _used_columns(documents: Sequence[Document]) -> list[str]:
    used = {"user", *(column for column, key in _MEMBER.items() if _always(MEMBER_TERMS, key))}
    used |= {"group", "numbers"}
    used |= {column for column, key in _GROUP.items() if _always(GROUP_TERMS, key)}
    for document in documents:
        used |= {column for column, key in _GROUP.items() if key in document}
        for member in document["members"]:
            used |= {column for column, key in _MEMBER.items() if key in member}
    return [name for name in COLUMNS if name in used]


def _rows(document: Document, columns: Sequence[str]) -> Iterator[list[object]]:
    for member in document["members"] or [{}]:
        cells = {column: document.get(key, "") for column, key in _GROUP.items()}
        cells["numbers"] = _BETWEEN_NUMBERS.join(document["numbers"])
        cells |= {column: member.get(key, "") for column, key in _MEMBER.items()}
        yield [cells[column] for column in columns]


def _always(terms: Terms, name: str) -> bool:
    return name in terms and terms[name].always


def read_csv(text: str) -> list[RawGroup]:
    """Return the groups of a file, the rows of each wherever they stand. Raises WrongFile.

    Columns may be in any order; what has no column, or an empty cell, has its default.
    """
    first, separator = 1, None
    if match := _SEPARATOR_LINE.match(text):
        first, separator, text = 2, match[1], text[match.end() :]
    between = re.search("[,;\t]", text.split("\n", 1)[0])
    separator = separator or (between[0] if between else ",")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    groups: dict[tuple[str, str], RawGroup] = {}
    try:
        columns = _columns(next(reader, []), first)
        line = reader.line_num + first
        for row in reader:
            if any(cell.strip() for cell in row):
                whole = reader.line_num < text.count("\n") + 1
                _add(groups, _texts(columns, row, line, whole))
            line = reader.line_num + first
    except csv.Error as error:
        raise WrongFile(max(reader.line_num, 1) + first - 1, f"this is not CSV: {error}") from None
    return list(groups.values())


def _columns(head: list[str], line: int) -> list[str]:
    columns = [name.strip().lower() for name in head]
    while columns and not columns[-1]:
        columns.pop()
    for name in columns:
        if name not in COLUMNS:
            raise WrongFile(line, f"there is no column {name!a}, only: {', '.join(COLUMNS)}")
        if columns.count(name) > 1:
            raise WrongFile(line, f"the column {name!a} is here twice")
    if "group" not in columns:
        raise WrongFile(line, 'the column "group" is missing')
    return columns


def _texts(columns: list[str], row: list[str], line: int, whole: bool) -> dict[str, Text]:
    """Return the cells of a row that are not empty, by column.

    Empty cells at the end may be more than the columns are, or fewer: Excel leaves them out. A last
    line without its end is not ``whole``: there the rest of the file is missing.
    """
    missing = len(columns) - len(row)
    if (missing > 0 and not whole) or any(row[len(columns) :]):
        raise WrongFile(line, f"this row has {len(row)} cells, the first has {len(columns)}")
    return {
        column: Text(_text(column, cell), line)
        for column, cell in zip(columns, row, strict=False)
        if cell
    }


def _text(column: str, cell: str) -> str:
    term = _term(column)
    return truth(cell) if term and isinstance(term.kind, Switch) else unguarded(cell)


def _term(column: str) -> Term | None:
    if column in _GROUP:
        return GROUP_TERMS.get(_GROUP[column])
    return MEMBER_TERMS.get(_MEMBER.get(column, ""))


def _add(groups: dict[tuple[str, str], RawGroup], cells: dict[str, Text]) -> None:
    """Add what a row says to its group, which earlier rows may have begun."""
    line = next(iter(cells.values())).line
    if "group" not in cells:
        raise WrongFile(line, "a row has no group")
    fields = {key: cells[column] for column, key in _GROUP.items() if column in cells}
    numbers = [
        Text(number.strip(), line)
        for number in (cells["numbers"].value.split(_BETWEEN_NUMBERS) if "numbers" in cells else [])
    ]
    known = groups.setdefault(_key(fields), RawGroup(line, fields, numbers))
    _refuse_other(known, fields, numbers)
    member = {key: cells[column] for column, key in _MEMBER.items() if column in cells}
    if member:
        known.members.append(RawMember(line, member))


def _key(fields: dict[str, Text]) -> tuple[str, str]:
    domain = fields["domain"].value if "domain" in fields else ""
    try:
        domain = read_domain(domain)
    except ValueError as error:
        raise WrongFile(fields["domain"].line, f"{domain!a} is not a domain: {error}") from None
    return domain, name_key(fields["name"].value)


def _refuse_other(known: RawGroup, fields: dict[str, Text], numbers: list[Text]) -> None:
    """Refuse a row that says of its group what an earlier row does not."""
    said: list[tuple[str, Any, Any]] = [
        (key, known.fields.get(key), text) for key, text in fields.items()
    ]
    if numbers:
        said.append(("numbers", _join(known.numbers), _join(numbers)))
    for key, first, here in said:
        if first is None or first.value != here.value:
            raise WrongFile(
                here.line,
                f"{key} of the group is {here.value!a} here, but "
                f"{first.value if first else ''!a} on line {known.line}",
            )


def _join(numbers: list[Text]) -> Text:
    line = numbers[0].line if numbers else 0
    return Text(_BETWEEN_NUMBERS.join(number.value for number in numbers), line)
