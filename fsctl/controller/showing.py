"""What a group has its members see of a call, and where the conversation is recorded."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from fsctl.esl.errors import Unquotable
from fsctl.esl.presentation import Shown, diversion_of
from fsctl.esl.quoting import clean, part_of_path, path
from fsctl.hunt.group import Group
from fsctl.hunt.template import fill

if TYPE_CHECKING:
    from fsctl.controller.call import Arrival

log = logging.getLogger(__name__)


def shown_of(group: Group, arrival: Arrival) -> Shown:
    """Return what members' telephones show of a call to this group."""
    caller = arrival.caller
    texts = {**caller.texts, "group": group.name, "dialled": clean(arrival.number)}
    name, number = fill(group.caller_name, texts), fill(group.caller_number, texts)
    diversion = diversion_of(arrival.number, arrival.host) if group.diversion else ""
    try:
        return Shown.of(number, name, caller.hidden, group.alert_info or "", diversion)
    except Unquotable as error:  # a newer fsctl may know other rings
        log.warning("the group %r rings as usual: %s", group.name, error)
        return Shown.of(number, name, caller.hidden)


def recording_of(group: Group, arrival: Arrival, member: str, began: float) -> str:
    """Return the file for a conversation with this member, "" for none."""
    if group.recording is None:
        return ""
    moment = time.localtime(began)
    texts = {
        "group": group.name,
        "number": arrival.caller.texts["number"],
        "dialled": arrival.number,
        "member": member,
        "date": time.strftime("%Y-%m-%d", moment),
        "time": time.strftime("%H-%M-%S", moment),
        "uuid": arrival.uuid,
    }
    parts = {name: part_of_path(text) for name, text in texts.items()}
    try:
        return path(fill(group.recording, parts))
    except Unquotable as error:
        log.warning("the group %r is not recorded: %s", group.name, error)
        return ""
