"""A whole configuration as a file has it: texts with their lines, made into groups.

Owns what a file may say, whichever its form, and that every mistake is told with its line. The
forms are ``yaml_file`` and ``csv_file``. Knows no database: whether the groups can be had is
``fsctl.admin.transfer``'s to say.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from fsctl.admin import values
from fsctl.admin.errors import WrongValue
from fsctl.admin.terms import GROUP_TERMS, MEMBER_TERMS, Terms
from fsctl.hunt.group import Group, Member, same_user
from fsctl.store.numbers import LONGEST_INTERNAL
from fsctl.store.tables import name_key

T = TypeVar("T")

VERSION = 1
LONGEST_FILE = 256 * 1024 * 1024

GROUP_FIELDS = ("name", "domain", *GROUP_TERMS)
MEMBER_FIELDS = ("user", *MEMBER_TERMS)

_INTERNAL = re.compile(rf"[0-9*#]{{1,{LONGEST_INTERNAL}}}")
_E164 = re.compile(r"\+[0-9]{1,15}")


class WrongFile(WrongValue):
    """A file says something that cannot be; the message begins with the line."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}")


@dataclass(frozen=True, slots=True)
class Text:
    """A value as it is written, and where."""

    value: str
    line: int


@dataclass(frozen=True, slots=True)
class RawMember:
    """A member as it is written; ``fields`` are of ``MEMBER_FIELDS``."""

    line: int
    fields: Mapping[str, Text]


@dataclass(frozen=True, slots=True)
class RawGroup:
    """A group as it is written; ``fields`` are of ``GROUP_FIELDS``."""

    line: int
    fields: Mapping[str, Text]
    numbers: list[Text] = field(default_factory=list)
    members: list[RawMember] = field(default_factory=list)


class _Taken:
    """What the file has given away so far, and on which line."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str, str], tuple[int, str]] = {}

    def take(self, key: tuple[str, str, str], line: int, what: str, whose: str = "") -> None:
        if key in self._lines:
            first, owner = self._lines[key]
            raise WrongFile(line, f"{what} is on line {first}{owner} already")
        self._lines[key] = line, whose


def read_groups(raw: Iterable[RawGroup], region: str | None, domain: str = "") -> list[Group]:
    """Return the groups; whatever is not written has its default.

    A number of up to eight digits is an internal one, any other is read by the region's plan;
    without a region it is in E.164 already, as fsctl wrote it. With a ``domain`` every group is of
    that one, and none may say another. Raises WrongFile.
    """
    taken = _Taken()
    return [_group(one, region, domain, taken) for one in raw]


def _group(raw: RawGroup, region: str | None, only: str, taken: _Taken) -> Group:
    fields = raw.fields
    if "name" not in fields:
        raise WrongFile(raw.line, "a group has no name")
    name = _read(fields["name"], values.group_name)
    domain = _optional(fields, "domain", values.domain, only)
    if only and domain != only:
        raise WrongFile(raw.line, f'group "{name}" is of {domain or "no domain"}, not of {only}')
    taken.take(("group", domain, name_key(name)), fields["name"].line, f'group "{name}"')
    numbers: list[str] = []
    for text in raw.numbers:
        number = _read(text, lambda written: _number(written, region))
        scope = "" if number.startswith("+") else domain
        taken.take(("number", scope, number), text.line, f"number {number}", f' (group "{name}")')
        numbers.append(number)
    return Group(
        name=name,
        domain=domain,
        numbers=tuple(numbers),
        members=_members(raw.members, name),
        **_settings(GROUP_TERMS, fields),
    )


def _members(raw: list[RawMember], group: str) -> tuple[Member, ...]:
    found: list[tuple[Member, int]] = []
    for one in raw:
        if "user" not in one.fields:
            raise WrongFile(one.line, "a member has no user")
        member = Member(
            _read(one.fields["user"], values.member),
            **_settings(MEMBER_TERMS, one.fields),
        )
        for known, line in found:
            if same_user(known.user, member.user):
                raise WrongFile(
                    one.line, f'{member.user} is a member of group "{group}" on line {line} already'
                )
        found.append((member, one.line))
    return tuple(member for member, _ in found)


def _number(text: str, region: str | None) -> str:
    # Read by no region's plan, so that what one installation wrote means the same in another.
    if _INTERNAL.fullmatch(text) and not text.startswith("00"):
        return text
    if region is None and _E164.fullmatch(text):
        return text
    return values.number(text, region or "ZZ").value


def _settings(terms: Terms, fields: Mapping[str, Text]) -> dict[str, Any]:
    """Return the terms that are written, as plain values."""
    return {name: _read(fields[name], term.read) for name, term in terms.items() if name in fields}


def _optional(fields: Mapping[str, Text], key: str, read: Callable[[str], T], default: T) -> T:
    return _read(fields[key], read) if key in fields else default


def _read(text: Text, read: Callable[[str], T]) -> T:
    try:
        return read(text.value)
    except WrongValue as error:
        raise WrongFile(text.line, str(error)) from None


def decode(content: bytes) -> str:
    """Return a file's text: UTF-8, with or without a byte order mark. Raises WrongFile."""
    if len(content) > LONGEST_FILE:
        raise WrongFile(1, f"the file is larger than {LONGEST_FILE // 1024 // 1024} MB")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise WrongFile(line, "this is not UTF-8; save the file as UTF-8") from None
