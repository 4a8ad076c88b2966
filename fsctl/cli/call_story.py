"""A past call in plain sentences and as a drawing: why each telephone rang, stopped, or was silent.

Owns the words. Knows a record, and no database.
"""

from collections.abc import Iterator

from fsctl.cli.drawing import NOT_RUNG, seconds, timeline
from fsctl.hunt.group import Group, Member, is_external, same_user
from fsctl.hunt.ledger import Leg
from fsctl.hunt.outcomes import CALLER_GONE, Outcome
from fsctl.store.call_keys import HIDDEN
from fsctl.store.call_records import Attempt, CallOutcome, CallRecord, group_of, was_picked_up

_REFUSALS = {
    CallOutcome.NO_SUCH_NUMBER.value: "no group served the number",
    CallOutcome.DISABLED.value: "the group was disabled",
    CallOutcome.CLOSED.value: "the group was closed",
    CallOutcome.NO_MEMBERS.value: "the group had nobody who could ring",
    CallOutcome.FULL.value: "there were too many callers",
}
_ENDINGS = {
    CallOutcome.NO_ANSWER.value: "nobody answered",
    CallOutcome.BUSY.value: "released as busy",
    CallOutcome.REJECTED.value: "released as rejected",
    CallOutcome.UNREACHABLE.value: "nobody could be reached",
    CallOutcome.FAILED.value: "every attempt failed",
    CallOutcome.GAVE_UP.value: "the caller gave up",
    CallOutcome.LINE_OVER.value: "waited in line for too long and was let go",
    CallOutcome.HANDED_BACK.value: "given back to the dialplan",
    CallOutcome.SWITCH_LOST.value: "the connection to FreeSWITCH was lost",
    CallOutcome.INTERRUPTED.value: "its controller died",
}
_CAUSES = {
    "USER_NOT_REGISTERED": "its phone was not registered",
    "SUBSCRIBER_ABSENT": "FreeSWITCH's directory has no such user",
    "NO_USER_RESPONSE": "its phone did not take the call",
    "RECOVERY_ON_TIMER_EXPIRE": "its phone did not react",
}
_OUTCOMES = {
    Outcome.NO_ANSWER.value: "nobody picked up",
    Outcome.BUSY.value: "its phone was busy",
    Outcome.REJECTED.value: "the call was rejected",
    Outcome.UNREACHABLE.value: "it could not be reached",
    Outcome.FAILED.value: "it failed on the way to the phone",
    CallOutcome.INTERRUPTED.value: "it rang when the controller died",
}


def verdict(record: CallRecord) -> str:
    """Return how the call ended, as half a sentence."""
    after = seconds(record.wait_seconds)
    if record.outcome in _REFUSALS:
        return f"refused: {_REFUSALS[record.outcome]}"
    if record.outcome != CallOutcome.ANSWERED:
        return f"{_ENDINGS.get(record.outcome, record.outcome)} after {after}"
    talked = "" if record.talk_seconds is None else f", then {seconds(record.talk_seconds)} of talk"
    how = "picked up" if was_picked_up(record) else "answered"
    return f"{how} by {record.answered_by or 'a member'} after {after}{talked}"


def drawing(record: CallRecord) -> Iterator[str]:
    """Yield the legs of a call as lines under a scale of the group's wait time."""
    group = group_of(record.group_as_it_was)
    longest = max((attempt.ended or 0.0 for attempt in record.attempts), default=0.0)
    wait = group.wait if group and group.wait > 0 else max(record.wait_seconds, longest, 1.0)
    if record.line_seconds is not None:
        wait = max(wait, record.wait_seconds)
    legs = [_leg(number, attempt, record) for number, attempt in enumerate(record.attempts, 1)]
    yield from timeline(legs, wait, record.wait_seconds)


def _leg(number: int, attempt: Attempt, record: CallRecord) -> Leg:
    """Return the leg that an attempt was; one not seen to end went on while the caller waited."""
    over = record.wait_seconds if attempt.connected is None else None
    return Leg(
        number,
        attempt.member,
        attempt.started,
        record.wait_seconds,
        attempt.ringing,
        attempt.answered,
        attempt.connected,
        over if attempt.ended is None else attempt.ended,
        attempt.cause,
        picked_up=attempt.outcome == Outcome.PICKED_UP.value,
    )


def leg_sentence(attempt: Attempt, record: CallRecord) -> str:
    """Return what one leg was and came to."""
    if attempt.cause in NOT_RUNG:
        at = seconds(attempt.started)
        return f"{attempt.member}: not rung at {at}, {NOT_RUNG[attempt.cause]} ({attempt.cause})."
    if attempt.outcome == Outcome.PICKED_UP.value:
        at = seconds(attempt.started)
        return f"{attempt.member}: picked the caller up by the code at {at}."
    called = f"called at {seconds(attempt.started)}"
    if attempt.ringing is not None:
        until = attempt.connected if attempt.connected is not None else attempt.ended
        until = record.wait_seconds if until is None else until
        rang = f", rang for {seconds(max(0.0, until - attempt.ringing))}"
    else:
        rang = ", no ringing was reported"
    facts = [attempt.cause] if attempt.cause else []
    facts += [f"SIP {attempt.sip_code}"] if attempt.sip_code else []
    detail = f" ({', '.join(facts)})" if facts else ""
    return f"{attempt.member}: {called}{rang}; {_why(attempt, record)}{detail}."


def _why(attempt: Attempt, record: CallRecord) -> str:
    if attempt.outcome == Outcome.ANSWERED.value:
        return "picked up and got the caller"
    if attempt.outcome == Outcome.CANCELLED.value:
        if attempt.cause == CALLER_GONE:
            return "stopped because the caller gave up"
        return f"stopped because {record.answered_by or 'another member'} was first"
    if attempt.outcome == Outcome.FAILED.value and attempt.answered is not None:
        return "picked up, but was gone before the caller was there"
    return _CAUSES.get(attempt.cause) or _OUTCOMES.get(attempt.outcome, attempt.outcome)


def silence_sentence(user: str, record: CallRecord) -> str:
    """Return why a member of the group was not rung."""
    group = group_of(record.group_as_it_was)
    member = next((one for one in group.members if one.user == user), None) if group else None
    why = _why_silent(member, group, record) if member and group else "it was not tried"
    return f"{user}: not rung; {why}."


def _why_silent(member: Member, group: Group, record: CallRecord) -> str:
    if record.outcome in (CallOutcome.DISABLED, CallOutcome.CLOSED):
        return _REFUSALS[record.outcome]
    if not member.rings:
        return f"the member was {'signed off' if member.enabled else 'disabled'}"
    if record.caller_user and same_user(member.user, record.caller_user):
        return "it was the caller's own phone"
    delayed = group.strategy == "delayed"
    if delayed and member.delay >= group.wait:
        return (
            f"its delay of {seconds(member.delay)} was beyond the group's wait time of "
            f"{seconds(group.wait)}"
        )
    if record.outcome in _REFUSALS:
        return _REFUSALS[record.outcome]
    return _not_yet(member, delayed, record)


def _not_yet(member: Member, delayed: bool, record: CallRecord) -> str:
    if record.caller_user == HIDDEN:  # naming the caller's own phone would reveal who called
        return f"it had not been called when the call was over: {verdict(record)}"
    turn = f" (at {seconds(member.delay)})" if delayed and member.delay else ""
    not_yet = f"its turn{turn} had not come when the call was over: {verdict(record)}"
    due = delayed and member.delay < record.wait_seconds
    return "telephone numbers were not called" if due and is_external(member.user) else not_yet
