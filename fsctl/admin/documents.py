"""A group as a document: what files, the audit log and differences are made of.

Owns the names and the order of its parts; they are a promise to whoever keeps such files. Whatever
an administrator can set of a group is in it.
"""

from typing import Any

from fsctl.admin.terms import GROUP_TERMS, MEMBER_TERMS, Terms
from fsctl.hunt.group import Group, Member

Document = dict[str, Any]


def _defaults(terms: Terms) -> Document:
    return {term.name: term.document(term.default) for term in terms.values()}


GROUP_DEFAULTS = _defaults(GROUP_TERMS)
MEMBER_DEFAULTS = _defaults(MEMBER_TERMS)
"""What a document means that does not say."""


def document_of(group: Group) -> Document:
    """Return the document of a group; times are seconds, a domain is there where there is one."""
    return {
        "name": group.name,
        **({"domain": group.domain} if group.domain else {}),
        **_settings(GROUP_TERMS, group),
        "numbers": list(group.numbers),
        "members": [
            {"user": member.user, **_settings(MEMBER_TERMS, member)} for member in group.members
        ],
    }


def lean(document: Document) -> Document:
    """Return a group's document without what has its default and need not be told."""
    found = _told(GROUP_TERMS, document)
    if "members" in found:
        found["members"] = [lean_member(member) for member in found["members"]]
    return found


def lean_member(document: Document) -> Document:
    """Return the same of a member."""
    return _told(MEMBER_TERMS, document)


def _settings(terms: Terms, plain: Group | Member) -> Document:
    return {term.name: term.document(getattr(plain, term.name)) for term in terms.values()}


def _told(terms: Terms, document: Document) -> Document:
    """Leave out what is not worth telling; what no term knows stays."""
    return {
        key: value
        for key, value in document.items()
        if key not in terms or terms[key].always or value != terms[key].document(terms[key].default)
    }
