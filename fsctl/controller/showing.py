"""What a group has its members see of a call, and where the conversation is recorded."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from fsctl.esl.errors import Unquotable
from fsctl.esl.presentation import Shown, diversion_of
from fsctl.esl.quoting import clean, folder_name, part_of_path, path
from fsctl.hunt.clock import wall_clock
from fsctl.hunt.group import Group
from fsctl.hunt.template import fill

if TYPE_CHECKING:
    from fsctl.controller.arrival import Arrival

log = logging.getLogger(__name__)


def shown_of(group: Group, arrival: Arrival) -> Shown:
    """Return what members' telephones show of a call to this group."""
    caller = arrival.caller
    texts = {**caller.texts, "group": group.name, "dialled": clean(arrival.number)}
    name, number = fill(group.caller_name, texts), fill(group.caller_number, texts)
    diversion = diversion_of(arrival.number, arrival.host) if group.diversion else ""
    try:
        return Shown.of(
            number, name, caller.hidden, group.alert_info or "", diversion, arrival.forwards
        )
    except Unquotable as error:  # a newer fsctl may know other rings
        log.warning("the group %r rings as usual: %s", group.name, error)
        return Shown.of(number, name, caller.hidden)


def recording_of(group: Group, arrival: Arrival, member: str, began: float) -> str:
    """Return the file for a conversation with this member, "" for none."""
    if group.recording is None:
        return ""
    moment = wall_clock(began, group.time_zone)
    parts = {
        "group": folder_name(group.name, group.domain),
        "number": part_of_path(arrival.caller.texts["number"]),
        "dialled": folder_name(arrival.number),
        "member": folder_name(member),
        "date": f"{moment:%Y-%m-%d}",
        "time": f"{moment:%H-%M-%S}",
        "uuid": part_of_path(arrival.uuid),
    }
    try:
        return path(fill(group.recording, parts))
    except Unquotable as error:
        log.warning("the group %r is not recorded: %s", group.name, error)
        return ""
