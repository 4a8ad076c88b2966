"""From which version of a group, or of a user, a change was made.

Somebody else's change in the meantime is a conflict.

A form carries the fingerprint of what it was made from. A change that brings it along is made only
while that is still so, which is looked at within the change's own transaction.
"""

import hashlib
from typing import Any

import orjson

from fsctl.admin.advice import title
from fsctl.admin.documents import document_of
from fsctl.admin.errors import Refused
from fsctl.hunt.group import Group

GENERAL = ("name", "description")
NUMBERS = ("numbers",)
"""What of a group a form is about; nothing: all of it."""


class Conflict(Refused):
    """Somebody else has changed it meanwhile. ``now`` is the group as it is, None for a user."""

    def __init__(self, message: str, now: Group | None = None) -> None:
        super().__init__(message)
        self.now = now


def fingerprint(group: Group, *parts: str) -> str:
    """Return what tells a group, or these parts of it, from what it was before any change."""
    document = document_of(group)
    return digest({part: document.get(part) for part in parts} if parts else document)


def digest(document: Any) -> str:
    """Return what tells a document from every other."""
    return hashlib.sha256(orjson.dumps(document)).hexdigest()[:32]


def refuse_changed(now: Group, seen: str | None, *parts: str) -> None:
    """Refuse a change that was made from another version; without one every version will do."""
    if seen is not None and fingerprint(now, *parts) != seen:
        named = title(now.name, now.domain)
        raise Conflict(f"somebody else has changed {named} meanwhile; look at it again", now)
