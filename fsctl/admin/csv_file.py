"""A configuration as CSV, for spreadsheets: a row for each member, with its group's terms on each.

A spreadsheet takes a text that begins with = + - or @ for a formula or a sum, so such texts are
written with an apostrophe in front, which reading takes away.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import Any

from fsctl.admin.configuration import RawGroup, RawMember, Text, WrongFile
from fsctl.admin.documents import document_of, lean
from fsctl.admin.terms import GROUP_TERMS, MEMBER_TERMS, Terms
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
_RISKY = tuple("=+-@'\t")


def write_csv(groups: Sequence[Group]) -> Iterator[str]:
    """Yield the file in pieces; a column that would say nothing of any group is left out."""
    documents = [lean(document_of(group)) for group in groups]
    used = {"user", *(column for column, key in _MEMBER.items() if _always(MEMBER_TERMS, key))}
    used |= {"group", "numbers"}
    used |= {column for column, key in _GROUP.items() if _always(GROUP_TERMS, key)}
    for document in documents:
        used |= {column for column, key in _GROUP.items() if key in document}
        for member in document["members"]:
            used |= {column for column, key in _MEMBER.items() if key in member}
    columns = [name for name in COLUMNS if name in used]
    line = io.StringIO()
    writer = csv.writer(line)
    writer.writerow(columns)
    for document in documents:
        for member in document["members"] or [{}]:
            cells = {column: document.get(key, "") for column, key in _GROUP.items()}
            cells["numbers"] = _BETWEEN_NUMBERS.join(document["numbers"])
            cells |= {column: member.get(key, "") for column, key in _MEMBER.items()}
            writer.writerow([_cell(cells[column]) for column in columns])
        yield line.getvalue()
        line.seek(0)
        line.truncate()
    yield line.getvalue()


def _always(terms: Terms, name: str) -> bool:
    return name in terms and terms[name].always


def read_csv(text: str) -> list[RawGroup]:
    """Return the groups of a file, the rows of each wherever they stand. Raises WrongFile.

    Columns may be in any order; what has no column, or an empty cell, has its default.
    """
    head = text.split("\n", 1)[0]
    between = re.search("[,;\t]", head)
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=between[0] if between else ",", strict=True
    )
    groups: dict[tuple[str, str], RawGroup] = {}
    try:
        columns = _columns(next(reader, []))
        line = reader.line_num + 1
        for row in reader:
            if any(cell.strip() for cell in row):
                _add(groups, _texts(columns, row, line))
            line = reader.line_num + 1
    except csv.Error as error:
        raise WrongFile(max(reader.line_num, 1), f"this is not CSV: {error}") from None
    return list(groups.values())


def _columns(head: list[str]) -> list[str]:
    columns = [name.strip().lower() for name in head]
    for name in columns:
        if name not in COLUMNS:
            raise WrongFile(1, f"there is no column {name!a}, only: {', '.join(COLUMNS)}")
        if columns.count(name) > 1:
            raise WrongFile(1, f"the column {name!a} is here twice")
    if "group" not in columns:
        raise WrongFile(1, 'the column "group" is missing')
    return columns


def _texts(columns: list[str], row: list[str], line: int) -> dict[str, Text]:
    """Return the cells of a row that are not empty, by column."""
    if len(row) != len(columns):
        raise WrongFile(line, f"this row has {len(row)} cells, the first has {len(columns)}")
    return {
        column: Text(cell.removeprefix("'"), line)
        for column, cell in zip(columns, row, strict=True)
        if cell
    }


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


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return f"'{text}" if text.startswith(_RISKY) else text
