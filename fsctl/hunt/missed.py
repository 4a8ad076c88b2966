"""Which calls a group missed, of which its addresses are told. Pure.

A call is missed when it reached nobody of any group that it came to. Each group says which ways of
reaching nobody it wants to hear of (``missed_when``), and who hears of them (``missed_mail``).
"""

from collections.abc import Iterable
from enum import Enum

from fsctl.hunt.admission import Refusal
from fsctl.hunt.course import Step
from fsctl.hunt.endings import Kind, Reason, read_ending
from fsctl.hunt.group import Group
from fsctl.hunt.outcomes import CALLER_GONE, Outcome, outcome_of

GAVE_UP = "caller gave up"
LINE_OVER = "waited too long"
EVERY = "all"
OUTCOMES = (
    Outcome.NO_ANSWER.value,
    Outcome.BUSY.value,
    Outcome.REJECTED.value,
    Outcome.UNREACHABLE.value,
    Outcome.FAILED.value,
    GAVE_UP,
    Refusal.CLOSED.outcome,
    Refusal.DISABLED.outcome,
    Refusal.NO_MEMBERS.outcome,
    Refusal.FULL.outcome,
    LINE_OVER,
    Refusal.TOO_MANY_HOPS.outcome,
)
"""Outcomes of calls, as records have them, in which a caller reached nobody. A call that was handed
back to the dialplan is not among them: somebody may have taken it there."""


class After(Enum):
    """What may come after a group that did not take a call, told by where the call went on."""

    OVER = "nothing of ours"
    HUNTS_ON = "another group hunts at once, and has a record of its own"
    MAY_COME_BACK = "the dialplan, which may bring the call to another of our groups"


def after(onward: str) -> After:
    """Return what may come after; ``onward`` is an ending as a record has it, "" for a release."""
    try:
        kind = read_ending(onward).kind if onward else Kind.RELEASE
    except ValueError:  # of a newer fsctl
        return After.MAY_COME_BACK
    if kind is Kind.GROUP:
        return After.HUNTS_ON
    return After.MAY_COME_BACK if kind in (Kind.EXTENSION, Kind.EXTERNAL) else After.OVER


def read_outcomes(text: str) -> str:
    """Return a comma list of outcomes in its one form, "all" for every one. Raises ValueError."""
    wanted = {" ".join(part.lower().split()) for part in text.split(",")} - {""}
    if not wanted or wanted == {EVERY}:
        return EVERY
    if not wanted <= set(OUTCOMES):
        raise ValueError(f"write {EVERY}, or some of these with commas: {', '.join(OUTCOMES)}")
    return ", ".join(one for one in OUTCOMES if one in wanted)


def told(group: Group, outcome: str) -> tuple[str, ...]:
    """Return the addresses that hear of a call to this group with this outcome, if it is missed."""
    if not group.missed_mail or outcome not in OUTCOMES:
        return ()
    wanted = group.missed_when
    if wanted != EVERY and outcome not in wanted.split(", "):
        return ()
    return tuple(group.missed_mail.split(","))


def told_of(course: Iterable[Step]) -> list[str]:
    """Return the addresses that would hear of a call that was played to its end."""
    found: list[str] = []
    for step in course:
        if step.stands:
            continue  # the next step tells of the same call
        if not isinstance(step.went, Refusal) and step.went.winner is not None:
            return []
        found += told(step.group, _outcome(step))
    return list(dict.fromkeys(found))


def _outcome(step: Step) -> str:
    if isinstance(step.went, Refusal):
        return step.went.outcome
    if step.reason is Reason.LINE_OVER:
        return LINE_OVER
    return GAVE_UP if step.went.cause == CALLER_GONE else outcome_of(step.went.cause).value
