"""How two documents of the same group, or user of the panel, differ, in lines for people.

Knows no group: a document of an earlier fsctl, with other parts, is compared as well.
"""

from collections.abc import Iterator
from typing import Any

from fsctl.admin.documents import GROUP_DEFAULTS, MEMBER_DEFAULTS, Document, lean, lean_member

PASSWORD, SIGN_OUT = "set password", "sign out user"
"""What is done with a user and changes nothing that is told of them."""
_USER_ACTIONS = {PASSWORD: "password changed", SIGN_OUT: "signed out everywhere"}
_NAMED_BY = {"members": "user"}
_DEFAULTS = {"members": MEMBER_DEFAULTS}


def title(document: Document) -> str:
    """Name the group that a document is of."""
    domain = document.get("domain")
    return f'group "{document.get("name")}"' + (f" of {domain}" if domain else "")


def summary(document: Document) -> str:
    """Say on one line what a group is."""
    return ", ".join(_parts(lean(document)))


def differences(before: Document, after: Document) -> list[str]:
    """Return a line for each part that is not the same."""
    return list(_differences(before, after, GROUP_DEFAULTS))


def told(before: Document | None, after: Document | None) -> list[str]:
    """Tell of a change: of which group, then a line for each part; one line if it came or went."""
    if before and after:
        return [title(before), *differences(before, after)]
    document = after or before or {}
    return [f"{title(document)} {'added' if after else 'removed'}: {summary(document)}"]


def told_of_user(action: str, before: Document | None, after: Document | None) -> list[str]:
    """Tell of a change of a user of the panel, like ``told``."""
    document = after or before or {}
    domain = document.get("domain")
    name = f'user "{document.get("name")}"' + (f" of {domain}" if domain else "")
    if before and after:
        return [name, *_differences(before, after, {}), *_spoken(action)]
    parts = ", ".join(part for part in _parts(document) if part != "tokens none")
    return [f"{name} {'added' if after else 'removed'}: {parts}"]


def _spoken(action: str) -> Iterator[str]:
    if action in _USER_ACTIONS:
        yield _USER_ACTIONS[action]


def _differences(before: Document, after: Document, defaults: Document) -> Iterator[str]:
    for key in dict.fromkeys([*after, *before]):
        old, new = (document.get(key, defaults.get(key)) for document in (before, after))
        if old == new:
            continue
        if isinstance(old, list) or isinstance(new, list):
            yield from _list_differences(key, old or [], new or [])
        else:
            yield f"{_words(key)} {_show(old)} -> {_show(new)}"


def _list_differences(key: str, old: list[Any], new: list[Any]) -> Iterator[str]:
    one = key.removesuffix("s")
    before = {_name(key, item): item for item in old}
    after = {_name(key, item): item for item in new}
    yield from (f"{one} {name} removed" for name in before if name not in after)
    for name, item in after.items():
        if name not in before:
            terms = _terms(key, item)
            yield f"{one} {name} added" + (f": {terms}" if terms else "")
        elif isinstance(item, dict) and isinstance(was := before[name], dict):
            yield from (
                f"{one} {name}: {line}" for line in _differences(was, item, _DEFAULTS.get(key, {}))
            )
    kept_before = [name for name in before if name in after]
    kept_after = [name for name in after if name in before]
    if kept_before != kept_after:
        yield f"{key} in the order {', '.join(after)}"


def _parts(document: Document) -> Iterator[str]:
    for key, value in document.items():
        if key in ("name", "domain") or value == "":
            continue
        if isinstance(value, list):
            yield f"{key} {' '.join(_name(key, item) for item in value) or 'none'}"
        else:
            yield f"{_words(key)} {_show(value)}"


def _terms(key: str, item: Any) -> str:
    if not isinstance(item, dict):
        return ""
    told = lean_member(item) if key == "members" else item
    return ", ".join(f"{_words(k)} {_show(v)}" for k, v in told.items() if k != _NAMED_BY.get(key))


def _name(key: str, item: Any) -> str:
    return str(item.get(_NAMED_BY.get(key, ""))) if isinstance(item, dict) else str(item)


def _words(key: str) -> str:
    return key.replace("_", " ")


def _show(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f'"{value}"' if isinstance(value, str) else str(value)
