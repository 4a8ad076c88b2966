"""A group as a document: what files, the audit log and differences are made of.

Owns the names and the order of its parts; they are a promise to whoever keeps such files. Whatever
an administrator can set of a group is in it.
"""

from typing import Any

from fsctl.hunt.group import Group, Member

Document = dict[str, Any]


def document_of(group: Group) -> Document:
    """Return the document of a group; times are seconds, a domain is there where there is one."""
    return {
        "name": group.name,
        **({"domain": group.domain} if group.domain else {}),
        "description": group.description,
        "enabled": group.enabled,
        "wait": number(group.wait),
        "advance": group.advance,
        "numbers": list(group.numbers),
        "members": [_member(member) for member in group.members],
    }


def _member(member: Member) -> Document:
    return {"user": member.user, "delay": number(member.delay), "enabled": member.enabled}


def number(value: float) -> int | float:
    """Write whole seconds without a fraction."""
    return int(value) if value == int(value) else value
