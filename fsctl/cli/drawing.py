"""A hunt as lines of text: who rang from when to when. In ASCII, for any terminal."""

from collections.abc import Iterator, Sequence

from fsctl.hunt.ledger import Leg
from fsctl.hunt.outcomes import (
    CALLER_GONE,
    DO_NOT_DISTURB,
    GOT_THE_CALLER,
    ON_THE_PHONE,
    Outcome,
)

WIDTH = 60
"""Columns that the group's wait time takes."""


def seconds(value: float) -> str:
    """Return a duration as a person writes it: ``6 s``, ``0.5 s``."""
    return f"{value:.3f}".rstrip("0").rstrip(".") + " s"


def timeline(legs: Sequence[Leg], wait: float, ended: float) -> Iterator[str]:
    """Yield one line per leg under a scale of seconds; ``=`` rings, ``*`` has the caller.

    ``wait`` and ``ended`` are seconds from the start of the hunt.
    """
    name = max((len(leg.member) for leg in legs), default=0)
    per_column = wait / WIDTH
    yield " " * (name + 2) + scale(wait)
    for leg in legs:
        start = round(leg.started / per_column)
        until = leg.connected if leg.connected is not None else leg.ended
        stop = round((ended if until is None else until) / per_column)
        bar = " " * start + ("=" * (stop - start) or "|")
        if leg.outcome in GOT_THE_CALLER:
            bar += "*"
        yield f"{leg.member:<{name}}  {bar:<{WIDTH + 1}}  {story(leg)}"


def scale(wait: float) -> str:
    """Return marks at the quarters of so many seconds, over ``WIDTH`` columns."""
    line = ""
    for quarter in range(5):
        line = line.ljust(quarter * WIDTH // 4) + seconds(wait * quarter / 4)
    return line


def story(leg: Leg) -> str:
    """Return what happened to a leg, for a person."""
    began = f"from {seconds(leg.started)}"
    if leg.outcome is Outcome.ANSWERED:
        return f"{began}: answered at {seconds(leg.connected or 0.0)}, has the caller"
    if leg.outcome is Outcome.PICKED_UP:
        return f"at {seconds(leg.started)}: picked the caller up by the code"
    if leg.outcome is None:
        return f"{began}: rings"
    if leg.cause in NOT_RUNG:
        return f"{began}: not rung, {NOT_RUNG[leg.cause]}"
    rang = f" to {seconds(leg.ended or 0.0)}" if leg.ended != leg.started else ""
    if leg.outcome is Outcome.CANCELLED:
        why = "the caller gave up" if leg.cause == CALLER_GONE else "another member was first"
        return f"{began}{rang}: stopped, {why}"
    return f"{began}{rang}: {_ENDS[leg.outcome]}"


NOT_RUNG = {ON_THE_PHONE: "on the phone", DO_NOT_DISTURB: "wants no calls"}
"""Why a member whose turn it was is passed over, by cause."""
_ENDS = {
    Outcome.NO_ANSWER: "no answer",
    Outcome.BUSY: "busy",
    Outcome.REJECTED: "rejected the call",
    Outcome.UNREACHABLE: "not reachable",
    Outcome.FAILED: "failed",
}
