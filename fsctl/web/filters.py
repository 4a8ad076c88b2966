"""Which past calls a request is about."""

import math
from datetime import datetime, timedelta

from flask import request

from fsctl.admin.errors import WrongValue
from fsctl.store.call_queries import CallFilter
from fsctl.store.call_records import CallOutcome
from fsctl.web.panel import panel

LONGEST = 100
OUTCOMES = frozenset(outcome.value for outcome in CallOutcome)


def chosen_calls(domain: str) -> CallFilter:
    """Return the filter that the query asks for. Raises WrongValue."""
    asked = {key: _text(text) for key, text in request.args.items()}
    outcome = asked.get("outcome")
    if outcome and outcome not in OUTCOMES:
        raise WrongValue(f"outcome is one of {', '.join(sorted(OUTCOMES))}")
    return CallFilter(
        domain=domain or None,
        group=asked.get("group"),
        member=asked.get("member"),
        caller=asked.get("caller"),
        outcome=CallOutcome(outcome) if outcome else None,
        since=_moment(asked.get("since"), until=False),
        until=_moment(asked.get("until"), until=True),
        hidden=panel().settings.mask_numbers,
    )


def _text(text: str) -> str | None:
    return text.strip()[:LONGEST].replace("\0", "") or None


def _moment(text: str | None, *, until: bool) -> float | None:
    """Read a day, or a day with a time, of the machine's zone; ``until`` a day goes to its end."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
        if until and len(text) == len("2024-05-14"):
            found += timedelta(days=1)
        epoch = found.timestamp()
    except (ValueError, OverflowError, OSError):
        raise WrongValue(f"{text!a} is not a day: write for example 2024-05-14") from None
    return epoch if math.isfinite(epoch) else None
