"""How a setting of a group or of a member is kept: by a rule, not by a list.

A field of the plain value is a column of the same name; a time, which is seconds there, is a column
of milliseconds with ``_ms`` behind its name. So a setting that is added to the plain value and to
its table is read and written everywhere.
"""

from collections.abc import Callable
from dataclasses import fields
from operator import attrgetter
from typing import Any

from fsctl.hunt.group import Group, Member
from fsctl.store.tables import Base, GroupMember, HuntGroup

Read = Callable[[Any], list[Any]]
"""Makes a row's settings plain, in the order of ``names_of``."""

_BESIDE = ("numbers", "members", "inner", "onward")
"""What of a group is in rows of their own."""


def plain_to_kept(field: str, kind: type[Base]) -> tuple[str, Callable[[Any], Any]]:
    """Return the column of a plain value's field, and what makes its value one to be kept."""
    columns = kind.__table__.columns
    return (f"{field}_ms", _to_ms) if f"{field}_ms" in columns else (field, _as_it_is)


def set_fields(row: Base, given: dict[str, Any]) -> None:
    """Set settings of a row, given by field, in plain values."""
    for field, value in given.items():
        column, keep = plain_to_kept(field, type(row))
        setattr(row, column, keep(value))


def names_of(plain: type[Group] | type[Member]) -> list[str]:
    """Return the fields of a plain value that are in its own row."""
    return [field.name for field in fields(plain) if field.name not in _BESIDE]


def settings_of(plain: Group | Member) -> dict[str, Any]:
    """Return what of a plain value is in its own row, by field."""
    return {name: getattr(plain, name) for name in names_of(type(plain))}


def _reader(plain: type[Group] | type[Member], kind: type[Base]) -> Read:
    """Return a function from a row to its settings; made once, for rows are read by the million."""
    names = names_of(plain)
    columns = [plain_to_kept(name, kind)[0] for name in names]
    times = [place for place, name in enumerate(names) if columns[place] != name]
    get = attrgetter(*columns)

    def read(row: Any) -> list[Any]:
        values = list(get(row))
        for place in times:
            if values[place] is not None:
                values[place] /= 1000
        return values

    return read


def _to_ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


def _as_it_is(value: Any) -> Any:
    return value


GROUP_NAMES = names_of(Group)
group_settings = _reader(Group, HuntGroup)
member_settings = _reader(Member, GroupMember)
