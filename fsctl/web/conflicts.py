"""What a page shows when somebody else has changed meanwhile what its user wants to change.

Nothing of what the user typed is lost: it stands in the form again, beside what is stored now, and
the form carries the new version. To save it again is to decide.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flask import request

from fsctl.admin.audit import lines_of, list_changes
from fsctl.admin.terms import GROUP_TERMS, MEMBER_TERMS, Terms
from fsctl.admin.versions import Conflict
from fsctl.hunt.group import Group, Member
from fsctl.hunt.strategies.parts import in_order
from fsctl.store.audit import Entry
from fsctl.web.fields import GROUP_LABELS, MEMBER_LABELS
from fsctl.web.languages import NAMES
from fsctl.web.languages import gettext as _
from fsctl.web.navigation import role_name
from fsctl.web.panel import panel

Row = tuple[str, str, str]
"""What it is, as it is stored now, as the user has it."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The change that was in the way, where the audit log has it, and both versions."""

    entry: Entry | None
    lines: list[str]
    rows: list[Row]


def seen() -> str | None:
    """Return the version that the form was made from; None for a form without one."""
    return request.form.get("seen")


def shown(conflict: Conflict, wanted: Group | None = None) -> Shown:
    """Return what to show of a conflict about a group; ``wanted`` is what the user would have."""
    now = conflict.now
    if now is None:
        return Shown(None, [], [])
    entries = list_changes(panel().engine, domain=now.domain, group=now.name, limit=1)
    entry = entries[0] if entries else None
    rows = list(_rows(now, wanted)) if wanted else []
    return Shown(entry, lines_of(entry)[1:] if entry else [], rows)


def shown_of_user(now: Mapping[str, str], mine: Mapping[str, str]) -> Shown:
    """Return what to show of a conflict about a user: role, domain and language."""
    domain, browsers = _("all domains"), _("the browser's")
    rows = [
        (_("Role"), *(role_name(one.get("role", "")) for one in (now, mine))),
        (_("Domain"), *(one.get("domain") or domain for one in (now, mine))),
        (_("Language"), *(NAMES.get(one.get("language", ""), browsers) for one in (now, mine))),
    ]
    return Shown(None, [], [(what, one, other) for what, one, other in rows if one != other])


def _rows(now: Group, mine: Group) -> Iterator[Row]:
    if now.name != mine.name:
        yield _("Name"), now.name, mine.name
    yield from _differences(GROUP_TERMS, _("Description"), now, mine)
    if now.numbers != mine.numbers:
        yield _("Numbers"), ", ".join(now.numbers), ", ".join(mine.numbers)
    theirs, ours = ({one.user.casefold(): one for one in in_order(group)} for group in (now, mine))
    for key, member in {**theirs, **ours}.items():
        before, after = theirs.get(key), ours.get(key)
        if before is None or after is None:
            there, absent = _("member"), _("no member")
            yield member.user, there if before else absent, there if after else absent
        else:
            for label, one, other in _differences(MEMBER_TERMS, "", before, after):
                yield f"{member.user}: {label}", one, other
    if theirs.keys() == ours.keys() and list(theirs) != list(ours):
        yield _("Order"), _users(theirs), _users(ours)


def _users(members: Mapping[str, Member]) -> str:
    return ", ".join(member.user for member in members.values())


def _differences(
    terms: Terms, description: str, now: Group | Member, mine: Group | Member
) -> Iterator[Row]:
    labels = {**GROUP_LABELS, "description": (description, "")}
    labels = MEMBER_LABELS if isinstance(now, Member) else labels
    for name, term in terms.items():
        one, other = getattr(now, name), getattr(mine, name)
        if one != other and name in labels:
            yield _(labels[name][0]), term.show(one), term.show(other)
