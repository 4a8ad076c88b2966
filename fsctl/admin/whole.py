"""A group as a whole: changed in one piece by who has seen it, copied, and taken back.

Errors and transactions are as in ``fsctl.admin.groups``. A change in one piece says what it was
made from; when the group is not that any more, somebody else was quicker and must be looked at
first.
"""

from dataclasses import replace

import orjson
from sqlalchemy.orm import Session

from fsctl.admin.advice import title
from fsctl.admin.change import Change, changed, transaction
from fsctl.admin.configuration import WrongFile, read_groups
from fsctl.admin.documents import Document, document_of
from fsctl.admin.errors import Refused, Taken, WrongValue
from fsctl.admin.groups import add_group, capital, existing_group, named, remove_group, set_group
from fsctl.admin.transfer import become
from fsctl.admin.versions import GENERAL, refuse_changed
from fsctl.admin.yaml_file import read_yaml
from fsctl.hunt.group import Group
from fsctl.store.audit import latest_entry
from fsctl.store.groups import number_owners, to_group
from fsctl.store.tables import HuntGroup


@transaction
def change_group(
    session: Session, name: str, wanted: Group, *, seen: str, domain: str = ""
) -> Change:
    """Give a group the settings and members of ``wanted``; its name and numbers stay.

    ``seen`` is the fingerprint of the group from which ``wanted`` was made.
    """
    row = existing_group(session, name, domain)
    now = to_group(row)
    refuse_changed(now, seen)
    become(session, row, replace(wanted, name=now.name, domain=now.domain, numbers=now.numbers))
    return changed(session, row, f"{capital(row)} is changed.")


@transaction
def describe_group(
    session: Session,
    name: str,
    new_name: str,
    description: str,
    *,
    domain: str = "",
    seen: str | None = None,
) -> Change:
    """Give a group a name and a description; ``seen`` is the fingerprint of these as they were."""
    refuse_changed(to_group(existing_group(session, name, domain)), seen, *GENERAL)
    return set_group(session, name, new_name=new_name, domain=domain, description=description)


@transaction
def put_group(
    session: Session,
    document: Document,
    name: str | None = None,
    *,
    region: str,
    seen: str | None = None,
) -> Change:
    """Make the group of that name, or a new one, be what a document says, its name and all.

    What the document does not say has its default; numbers are read by the plan of ``region``.
    ``seen`` is the fingerprint of the group as it was.
    """
    wanted = _group(document, region)
    if name is not None:
        refuse_changed(to_group(existing_group(session, name, wanted.domain)), seen)
    if name is None:
        add_group(session, wanted.name, domain=wanted.domain)
    elif name != wanted.name:
        set_group(session, name, new_name=wanted.name, domain=wanted.domain)
    row = existing_group(session, wanted.name, wanted.domain)
    _refuse_taken_numbers(session, row, wanted)
    become(session, row, wanted)
    return changed(session, row, f"{capital(row)} is as the document says.")


@transaction
def copy_group(
    session: Session, name: str, new_name: str, *, domain: str = "", seen: str | None = None
) -> Change:
    """Add a group that is like another, but for its numbers: they are one group's.

    ``seen`` is the fingerprint of the group that was to be copied.
    """
    source = to_group(existing_group(session, name, domain))
    refuse_changed(source, seen)
    add_group(session, new_name, domain=domain)
    row = existing_group(session, new_name, domain)
    become(session, row, replace(source, name=row.name, numbers=()))
    return changed(session, row, f"{capital(row)} is a copy of {title(source.name, domain)}.")


@transaction
def undo(session: Session, entry_id: int, *, domain: str = "") -> Change:
    """Take back a change of a group, if it is the last one of that group.

    A group that was added is removed, one that was removed is there again. With a ``domain``, only
    that domain's changes are known.
    """
    entry = latest_entry(session, entry_id)
    if entry is None or (domain and entry.domain != domain):
        raise Refused("that is not the last change of its group; only the last can be taken back")
    if entry.before is None:
        return remove_group(session, _name(entry.after), domain=entry.domain)
    before = _group(entry.before)
    if entry.after is None:
        add_group(session, before.name, domain=before.domain)
    elif _name(entry.after) != before.name:
        set_group(session, _name(entry.after), new_name=before.name, domain=before.domain)
    row = existing_group(session, before.name, before.domain)
    if entry.after is not None:
        _refuse_other(row, entry.after)
    _refuse_taken_numbers(session, row, before)
    become(session, row, before)
    return changed(session, row, f"{capital(row)} is as it was before.")


def _refuse_other(row: HuntGroup, after: Document) -> None:
    """Refuse to go back when the group is not what the change has made of it."""
    now = document_of(to_group(row))
    if any(now.get(key) != after.get(key) for key in now if key != "name"):
        raise Refused(f"{named(row)} was changed in another way since; nothing was taken back")


def _refuse_taken_numbers(session: Session, row: HuntGroup, before: Group) -> None:
    for number, owner in number_owners(session, before.numbers, row.domain).items():
        if owner is not row:
            raise Taken(f"{number} belongs to {named(owner)}", number, owner.domain)


def _group(document: Document, region: str | None = None) -> Group:
    """Return the group that a document is of, whichever fsctl wrote it. Raises WrongValue.

    Numbers that fsctl wrote are in E.164 already: without a region they are taken as they are.
    """
    text = orjson.dumps({"version": 1, "groups": [document]}).decode()
    try:
        return read_groups(read_yaml(text), region)[0]
    except WrongFile as error:  # it has one line, which says nothing
        raise WrongValue(str(error).partition(": ")[2]) from None


def _name(document: Document | None) -> str:
    return str((document or {}).get("name", ""))
