"""What is hidden of callers when calls are shown: as many last digits as a setting says."""

from dataclasses import replace
from typing import TypeVar

from msgspec import structs

from fsctl.store.call_keys import mask_name, mask_number
from fsctl.store.call_queries import StoredCall
from fsctl.store.call_records import CallRecord
from fsctl.store.live import LiveHunt

_Shown = TypeVar("_Shown", CallRecord, LiveHunt)


def hide_caller(shown: _Shown, hidden: int) -> _Shown:
    """Return a call without its caller's last ``hidden`` digits; without the name, too, if any."""
    number, name = mask_number(shown.caller_number, hidden), mask_name(shown.caller_name, hidden)
    if isinstance(shown, CallRecord):
        return structs.replace(shown, caller_number=number, caller_name=name)
    return replace(shown, caller_number=number, caller_name=name)


def masked(call: StoredCall, hidden: int) -> StoredCall:
    """Return a stored call as it may be shown."""
    return replace(call, record=hide_caller(call.record, hidden))
