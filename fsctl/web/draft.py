"""A group's configuration as it stands in a form: texts, right or wrong, not saved yet."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from werkzeug.datastructures import MultiDict

from fsctl.admin import values
from fsctl.admin.errors import WrongValue
from fsctl.hunt.group import Group, Member, same_user
from fsctl.hunt.strategies.parts import in_order
from fsctl.web.arguments import whole_number
from fsctl.web.fields import GROUP_FIELDS, MEMBER_FIELDS, Field

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
        rows = [
            Row(member.user, _texts(MEMBER_FIELDS, member, comma)) for member in in_order(group)
        ]
        return cls(_texts(GROUP_FIELDS, group, comma), rows)

    @classmethod
    def read(cls, form: "MultiDict[str, str]") -> "Draft":
        """Return what was sent: rows in the order in which the table has them."""
        rows = []
        for key in form.getlist("row")[:MOST_ROWS]:
            values = {one.name: _sent(form, one, f"{one.name}-{key}") for one in MEMBER_FIELDS}
            rows.append(Row(form.get(f"user-{key}", "").strip(), values))
        return cls({one.name: _sent(form, one, one.name) for one in GROUP_FIELDS}, rows)

    def act(self, what: str, picked: Iterable[str] = ()) -> None:
        """Do what a button of the table asks for: ``add``, ``remove-3``, ``up-3``, ``down-3``.

        ``pick`` adds a row for each user of ``picked``, in place of the empty ones.
        """
        kind, _, place = what.partition("-")
        if kind == "add":
            self.add_row()
        elif kind == "pick":
            self.rows = self.named
            self.rows += [replace(empty_row(), user=user) for user in picked]
        at = whole_number(place, 0, len(self.rows) - 1)
        if at is None:
            return
        if kind == "remove":
            del self.rows[at]
        elif kind in MEMBER_MOVES:
            to = at + (1 if kind == "down" else -1)
            if 0 <= to < len(self.rows):
                self.rows.insert(to, self.rows.pop(at))

    def add_row(self) -> None:
        """Add an empty row at the end."""
        self.rows.append(empty_row())

    def group(self, base: Group) -> Group | None:
        """Return the group with what the form says; None, with ``errors`` set, if it is wrong."""
        self.errors = dict(_wrong(GROUP_FIELDS, self.values))
        for at, row in enumerate(self.rows):
            row.errors = dict(_wrong_inputs(row, self.rows[:at])) if row.user else {}
        if self.errors or any(row.errors for row in self.rows):
            return None
        members = [Member(row.user, **_read(MEMBER_FIELDS, row.values)) for row in self.named]
        return replace(base, members=_in_place(base, members), **_read(GROUP_FIELDS, self.values))

    @property
    def named(self) -> list[Row]:
        """The rows that mean a member."""
        return [row for row in self.rows if row.user]


def empty_row() -> Row:
    """Return a row that waits for a member."""
    return Row("", _texts(MEMBER_FIELDS, Member(""), False))


def _in_place(base: Group, members: list[Member]) -> tuple[Member, ...]:
    """Return the members with the places that they had, or as they joined if that is not theirs.

    Who is new has the place of the one before.
    """
    had = {member.user.casefold(): member.order for member in base.members}
    places: list[int] = []
    for member in members:
        places.append(had.get(member.user.casefold(), places[-1] if places else 0))
    if places != sorted(places):
        places = [0] * len(members)
    return tuple(
        replace(member, order=place) for member, place in zip(members, places, strict=True)
    )


def _wrong_inputs(row: Row, before: Iterable[Row]) -> Iterator[tuple[str, str]]:
    try:
        row.user = values.member(row.user)
    except WrongValue as error:
        yield "user", str(error)
    else:
        if any(other.user and same_user(other.user, row.user) for other in before):
            yield "user", f"{row.user} is in the table already"
    yield from _wrong(MEMBER_FIELDS, row.values)


def _wrong(fields: Iterable[Field], texts: dict[str, str]) -> Iterator[tuple[str, str]]:
    for one in fields:
        wrong = one.wrong(texts[one.name])
        if wrong:
            yield one.name, wrong


def _read(fields: Iterable[Field], texts: dict[str, str]) -> dict[str, Any]:
    return {one.name: one.term.read(texts[one.name]) for one in fields}


def _texts(fields: Iterable[Field], plain: Group | Member, comma: bool) -> dict[str, str]:
    return {one.name: one.text(getattr(plain, one.name), comma) for one in fields}


def _sent(form: "MultiDict[str, str]", one: Field, name: str) -> str:
    """Return what was sent for an input; a switch that is off sends nothing."""
    if one.kind == "switch":
        return "true" if name in form else "false"
    return form.get(name, "").strip()
