"""Past calls as rows of a CSV file: the same columns for every face.

The names of the columns are a promise to whoever reads such files.
"""

from datetime import datetime

from fsctl.store.call_queries import StoredCall

COLUMNS = (
    "id",
    "uuid",
    "began",
    "ended",
    "domain",
    "group",
    "number",
    "caller_number",
    "caller_name",
    "outcome",
    "cause",
    "answered_by",
    "wait_seconds",
    "talk_seconds",
    "controller",
)


def call_row(call: StoredCall) -> tuple[object, ...]:
    """Return a call as a row under ``COLUMNS``."""
    record = call.record
    return (
        call.id,
        record.uuid,
        moment(record.began),
        moment(record.ended),
        record.domain,
        record.group,
        record.number,
        record.caller_number,
        record.caller_name,
        record.outcome,
        record.cause,
        record.answered_by,
        record.wait_seconds,
        record.talk_seconds,
        record.controller,
    )


def moment(epoch: float) -> str:
    """Return a moment for programs: ISO 8601, of the machine's time zone, to the millisecond."""
    return datetime.fromtimestamp(epoch).astimezone().isoformat(timespec="milliseconds")
