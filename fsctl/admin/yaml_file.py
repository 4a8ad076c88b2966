"""A configuration as YAML.

Reading takes the parser's events and makes texts of them, never values: YAML would read an internal
number 0600 as 384 and a description of "no" as false. What only tricks a reader (aliases, anchors,
tags) is refused, and so is depth.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import yaml

from fsctl.admin.configuration import (
    GROUP_FIELDS,
    MEMBER_FIELDS,
    VERSION,
    RawGroup,
    RawMember,
    Text,
    WrongFile,
)
from fsctl.admin.documents import document_of, lean
from fsctl.hunt.group import Group

# PyYAML's own parser does without libyaml, ten times slower.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_DEEPEST = 8
_AT_ONCE = 500
_NOTHING = ("", "~", "null")


@dataclass(frozen=True, slots=True)
class _List:
    line: int
    items: list["_Node"]


@dataclass(frozen=True, slots=True)
class _Map:
    line: int
    items: dict[str, "_Node"]


_Node = Text | _List | _Map


def write_yaml(groups: Iterable[Group]) -> Iterator[str]:
    """Yield the file in pieces."""
    yield f"version: {VERSION}\n"
    remaining = iter(groups)
    empty = True
    while documents := [lean(document_of(group)) for group in islice(remaining, _AT_ONCE)]:
        yield ("groups:\n" if empty else "") + yaml.dump(
            documents,
            Dumper=_DUMPER,
            allow_unicode=True,
            default_flow_style=False,
            sort_keys=False,
            width=10_000,
        )
        empty = False
    if empty:
        yield "groups: []\n"


def _too_deep(line: int) -> WrongFile:
    return WrongFile(line, "a configuration is not that deep")


def read_yaml(text: str) -> Iterator[RawGroup]:
    """Yield the groups of a file. Raises WrongFile."""
    try:
        root = _document(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        line = min(_line(error.problem_mark), text.count("\n") + 1)
        if "nesting" in (error.problem or ""):  # newer parsers stop before we do
            raise _too_deep(line) from None
        raise WrongFile(line, f"this is not YAML: {error.problem}") from None
    except yaml.reader.ReaderError as error:
        line = text.encode()[: error.position].count(b"\n") + 1
        raise WrongFile(line, f"this is not YAML: {error.reason}") from None
    if not isinstance(root, _Map):
        raise WrongFile(root.line if root else 1, 'this is no configuration: write "version: 1"')
    _refuse_unknown(root, ("version", "groups"), "a configuration")
    version = root.items.get("version")
    if not isinstance(version, Text):
        raise WrongFile(root.line, 'the version is missing: write "version: 1"')
    if version.value != str(VERSION):
        raise WrongFile(
            version.line, f"version is {version.value!a}, this fsctl reads version {VERSION}"
        )
    for node in _list(root, "groups"):
        yield _group(node)


def _group(node: _Node) -> RawGroup:
    if not isinstance(node, _Map):
        raise WrongFile(node.line, 'a group is written as "name: ..." and what else it has')
    _refuse_unknown(node, (*GROUP_FIELDS, "numbers", "members"), "a group")
    numbers: list[Text] = []
    for number in _list(node, "numbers"):
        if not isinstance(number, Text):
            raise WrongFile(number.line, "a number is one text")
        numbers.append(number)
    members: list[RawMember] = []
    for member in _list(node, "members"):
        if not isinstance(member, _Map):
            raise WrongFile(member.line, 'a member is written as "user: ..." and what else it has')
        _refuse_unknown(member, MEMBER_FIELDS, "a member")
        members.append(RawMember(member.line, _texts(member, MEMBER_FIELDS)))
    return RawGroup(node.line, _texts(node, GROUP_FIELDS), numbers, members)


def _texts(node: _Map, names: Iterable[str]) -> dict[str, Text]:
    found: dict[str, Text] = {}
    for name in names:
        value = node.items.get(name)
        if isinstance(value, Text):
            found[name] = value
        elif value is not None:
            raise WrongFile(value.line, f"{name} is one text, not a list or a table")
    return found


def _list(node: _Map, name: str) -> list[_Node]:
    value = node.items.get(name, _List(node.line, []))
    if isinstance(value, _List):
        return value.items
    if isinstance(value, Text) and not value.value:
        return []
    raise WrongFile(value.line, f'{name} is a list: write each on a line of its own after "- "')


def _refuse_unknown(node: _Map, known: tuple[str, ...], what: str) -> None:
    for name, value in node.items.items():
        if name not in known:
            raise WrongFile(value.line, f"{what} has no {name!a}, only: {', '.join(known)}")


def _document(events: Iterator[Any]) -> _Node | None:
    """Return the one document of a file; None for an empty file."""
    root: _Node | None = None
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            if root is not None:
                raise WrongFile(_line(event.start_mark), "a second document begins here")
            root = _node(next(events), events, 0)
    return root


def _line(mark: Any) -> int:
    """Return the line of a place in the file, as people count; 1 where the parser knows none."""
    return 1 if mark is None else int(mark.line) + 1


def _node(event: Any, events: Iterator[Any], depth: int) -> _Node:
    line = _line(event.start_mark)
    if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
        raise WrongFile(
            line, "aliases and anchors are not read: write quotes round what begins with * or &"
        )
    if event.tag is not None:
        raise WrongFile(line, "tags are not read: write quotes round what begins with !")
    if isinstance(event, yaml.ScalarEvent):
        nothing = event.implicit[0] and event.value in _NOTHING
        return Text("" if nothing else event.value, line)
    if depth == _DEEPEST:
        raise _too_deep(line)
    if isinstance(event, yaml.SequenceStartEvent):
        items: list[_Node] = []
        while not isinstance(inner := next(events), yaml.SequenceEndEvent):
            items.append(_node(inner, events, depth + 1))
        return _List(line, items)
    return _Map(line, _entries(events, depth))


def _entries(events: Iterator[Any], depth: int) -> dict[str, _Node]:
    found: dict[str, _Node] = {}
    while not isinstance(event := next(events), yaml.MappingEndEvent):
        key = _node(event, events, depth + 1)
        if not isinstance(key, Text):
            raise WrongFile(key.line, "a name is one text")
        if key.value in found:
            raise WrongFile(key.line, f"{key.value!a} is here twice")
        found[key.value] = _node(next(events), events, depth + 1)
    return found
