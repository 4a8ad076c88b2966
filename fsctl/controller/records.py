"""What is written down of a call: its record, made of what the call knows when it is over."""

from typing import Any

from fsctl.controller.arrival import Arrival
from fsctl.controller.call import HuntedCall
from fsctl.controller.caller import Caller
from fsctl.controller.recorder import controller_name
from fsctl.controller.stay import Stay
from fsctl.hunt.admission import Refusal
from fsctl.hunt.group import Group
from fsctl.store.call_records import (
    CallOutcome,
    CallRecord,
    call_outcome,
    group_text,
)


def record_of(call: HuntedCall, now: float) -> CallRecord:
    """Return the record of a call that hunted; ``now`` is the time in epoch seconds.

    While the conversation goes on it says nothing of its length.
    """
    hunt, stay, arrival = call.hunt, call.stay, call.caller.arrival
    winner = hunt.winner
    talk = None
    if winner and winner.ended is not None and winner.connected is not None:
        talk = winner.ended - winner.connected
    before = max(0.0, call.came - stay.began)
    wait = before + (now - call.came if hunt.over_at is None else hunt.over_at)
    return CallRecord(
        **_facts_of(arrival, call.group),
        began=stay.began,
        wait_seconds=wait,
        outcome=str(_outcome_of(call)),
        cause=hunt.cause,
        ended=stay.began + wait + (talk or 0.0),
        answered_by=winner.member if winner else None,
        talk_seconds=talk,
        attempts=stay.attempts_with(call),
        onward=call.parting.went,
        line_seconds=stay.line_seconds,
    )


def _outcome_of(call: HuntedCall) -> CallOutcome:
    if call.hunt.winner:
        return CallOutcome.ANSWERED
    if not call.hunt.ended:
        return given_up(call.caller)
    return call.parting.came_to or call_outcome(call.hunt)


def given_up(caller: Caller) -> CallOutcome:
    """Return what became of a caller whom nobody serves any more although they wait."""
    return CallOutcome.SWITCH_LOST if caller.lost else CallOutcome.HANDED_BACK


def line_record(stay: Stay, outcome: CallOutcome, cause: str, now: float) -> CallRecord:
    """Return the record of a call whose last hunt found everybody busy, if there was any."""
    return CallRecord(
        **_facts_of(stay.caller.arrival, stay.group),
        began=stay.began,
        wait_seconds=now - stay.began,
        outcome=str(outcome),
        cause=cause,
        ended=now,
        attempts=tuple(stay.attempts),
        line_seconds=stay.line_seconds,
    )


def refusal_of(arrival: Arrival, group: Group | None, refusal: Refusal, now: float) -> CallRecord:
    """Return the record of a call for which nobody rang."""
    return CallRecord(
        **_facts_of(arrival, group),
        began=now,
        wait_seconds=0.0,
        outcome=refusal.outcome,
        cause=refusal.value,
        ended=now,
    )


def _facts_of(arrival: Arrival, group: Group | None) -> dict[str, Any]:
    """Return what a record says of the caller, whatever became of the call, and of its group."""
    return {
        "uuid": arrival.uuid,
        "domain": group.domain if group else arrival.domain,
        "group": group.name if group else "",
        "number": arrival.number,
        "caller_number": arrival.caller.number,
        "caller_name": arrival.caller.name,
        "caller_user": arrival.user or "",
        "caller_hidden": arrival.caller.hidden,
        "group_as_it_was": group_text(group) if group else "",
        "controller": controller_name(),
    }
