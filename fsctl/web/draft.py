"""A group's configuration as it stands in a form: texts, right or wrong, not saved yet."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from werkzeug.datastructures import MultiDict

from fsctl.admin.configuration import RawGroup, RawMember, Text, WrongFile, read_groups
from fsctl.admin.documents import document_of
from fsctl.hunt.group import Group, same_user
from fsctl.web.fields import (
    DEFAULT_MEMBER,
    GROUP_FIELDS,
    MEMBER_FIELDS,
    Field,
    text_of,
    wrong_group_field,
    wrong_member_field,
)

MOST_ROWS = 2_000
MEMBER_MOVES = ("up", "down")


@dataclass
class Row:
    """One line of the table: a member. ``errors`` are by the name of the input."""

    user: str
    values: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)


@dataclass
class Draft:
    """What the form says. Without a user a row is empty and means nothing."""

    values: dict[str, str]
    rows: list[Row]
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, group: Group, comma: bool) -> "Draft":
        """Return the form that says what a group is; ``comma``: decimals are written with one."""
        document = document_of(group)
        rows = [
            Row(member["user"], _texts(MEMBER_FIELDS, member, comma))
            for member in document["members"]
        ]
        return cls(_texts(GROUP_FIELDS, document, comma), rows)

    @classmethod
    def read(cls, form: "MultiDict[str, str]") -> "Draft":
        """Return what was sent: rows in the order in which the table has them."""
        rows = []
        for key in form.getlist("row")[:MOST_ROWS]:
            values = {one.name: _sent(form, one, f"{one.name}-{key}") for one in MEMBER_FIELDS}
            rows.append(Row(form.get(f"user-{key}", "").strip(), values))
        return cls({one.name: _sent(form, one, one.name) for one in GROUP_FIELDS}, rows)

    def act(self, what: str) -> None:
        """Do what a button of the table asks for: ``add``, ``remove-3``, ``up-3``, ``down-3``."""
        kind, _, place = what.partition("-")
        if kind == "add":
            self.add_row()
        if not place.isdecimal() or not 0 <= (at := int(place)) < len(self.rows):
            return
        if kind == "remove":
            del self.rows[at]
        elif kind in MEMBER_MOVES:
            to = at + (1 if kind == "down" else -1)
            if 0 <= to < len(self.rows):
                self.rows.insert(to, self.rows.pop(at))

    def add_row(self) -> None:
        """Add an empty row at the end."""
        self.rows.append(Row("", _texts(MEMBER_FIELDS, DEFAULT_MEMBER, False)))

    def group(self, base: Group) -> Group | None:
        """Return the group with what the form says; None, with ``errors`` set, if it is wrong."""
        self.errors = {
            one.name: wrong
            for one in GROUP_FIELDS
            if (text := self.values[one.name]) or not one.optional
            if (wrong := wrong_group_field(one.name, text))
        }
        for at, row in enumerate(self.rows):
            row.errors = dict(_wrong_inputs(row, self.rows[:at])) if row.user else {}
        if self.errors or any(row.errors for row in self.rows):
            return None
        members = [
            RawMember(1, {"user": Text(row.user, 1)} | _filled(MEMBER_FIELDS, row.values))
            for row in self.rows
            if row.user
        ]
        fields = {"name": Text("x", 1)} | _filled(GROUP_FIELDS, self.values)
        try:
            [read] = read_groups([RawGroup(1, fields, members=members)], "ZZ")
        except WrongFile as error:  # what no input alone can be blamed for
            self.errors["members"] = str(error).partition(": ")[2]
            return None
        return replace(
            read,
            name=base.name,
            domain=base.domain,
            description=base.description,
            enabled=base.enabled,
            numbers=base.numbers,
        )


def _wrong_inputs(row: Row, before: Iterable[Row]) -> Iterable[tuple[str, str]]:
    wrong = wrong_member_field("user", row.user)
    if wrong:
        yield "user", wrong
    elif any(other.user and same_user(other.user, row.user) for other in before):
        yield "user", f"{row.user} is in the table already"
    for one in MEMBER_FIELDS:
        text = row.values[one.name]
        if (text or not one.optional) and (wrong := wrong_member_field(one.name, text)):
            yield one.name, wrong


def _texts(fields: Iterable[Field], document: dict[str, object], comma: bool) -> dict[str, str]:
    return {one.name: text_of(document.get(one.name), comma) for one in fields}


def _sent(form: "MultiDict[str, str]", one: Field, name: str) -> str:
    """Return what was sent for an input; a switch that is off sends nothing."""
    if one.kind == "switch":
        return "true" if name in form else "false"
    return form.get(name, "").strip()


def _filled(fields: Iterable[Field], values: dict[str, str]) -> dict[str, Text]:
    return {one.name: Text(values[one.name], 1) for one in fields if values[one.name]}
