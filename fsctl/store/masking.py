"""What is hidden of callers when calls are shown: as many last digits as a setting says.

Every call that is shown comes from ``call_queries`` or ``live``, and both hide here what a reader
may not see. So does the filter by caller: what is hidden cannot be found by trying.
"""

from itertools import groupby

from msgspec import structs
from sqlalchemy import ColumnElement, and_, false, func
from sqlalchemy.orm import InstrumentedAttribute

from fsctl.store.call_keys import caller_key, mask_name, mask_number
from fsctl.store.call_records import CallRecord
from fsctl.store.call_tables import LONGEST_NUMBER

_LETTERS_AND_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
"""What a caller's key can have where its number is masked: keys are folded."""


def hide_caller(record: CallRecord, hidden: int) -> CallRecord:
    """Return a call without its caller's last ``hidden`` digits; without name and user, if any."""
    return structs.replace(
        record,
        caller_number=mask_number(record.caller_number, hidden),
        caller_name=mask_name(record.caller_name, hidden),
        caller_user=mask_name(record.caller_user, hidden),
    )


def is_caller(key: InstrumentedAttribute[str], number: str, hidden: int) -> ColumnElement[bool]:
    """Return the condition that the caller with this key is shown as the caller ``number`` is.

    Without hidden digits that is the same caller, however written. A ``*`` in ``number`` is a
    hidden digit, so a number can be looked for as it is shown.
    """
    if not hidden:
        return key == caller_key(number)
    wanted = caller_key(number.replace("*", "0"))
    if not wanted.isascii() or len(wanted) > LONGEST_NUMBER:
        return false()
    conditions: list[ColumnElement[bool]] = [func.length(key) == len(wanted)]
    place = 0
    for masked, run in groupby(mask_number(wanted, hidden), lambda char: char == "*"):
        length = len(list(run))
        there = func.substr(key, place + 1, length)
        visible = wanted[place : place + length]
        conditions.append(
            func.ltrim(there, _LETTERS_AND_DIGITS) == "" if masked else there == visible
        )
        place += length
    return and_(*conditions)
