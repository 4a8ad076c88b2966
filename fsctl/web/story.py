"""A past call in words and as a drawing, in the reader's language.

Owns the words; the facts are the record's.
"""

from markupsafe import Markup

from fsctl.hunt.outcomes import CALLER_GONE, Outcome
from fsctl.store.call_records import Attempt, CallOutcome, CallRecord, group_of
from fsctl.web.fields import N_
from fsctl.web.languages import gettext as _
from fsctl.web.languages import seconds
from fsctl.web.timeline import Bar, draw, kind_of

OUTCOMES = {
    CallOutcome.ANSWERED.value: N_("answered"),
    CallOutcome.NO_ANSWER.value: N_("nobody answered"),
    CallOutcome.BUSY.value: N_("busy"),
    CallOutcome.REJECTED.value: N_("rejected"),
    CallOutcome.UNREACHABLE.value: N_("nobody could be reached"),
    CallOutcome.FAILED.value: N_("failed"),
    CallOutcome.GAVE_UP.value: N_("the caller gave up"),
    CallOutcome.NO_SUCH_NUMBER.value: N_("no such number"),
    CallOutcome.DISABLED.value: N_("the group was disabled"),
    CallOutcome.NO_MEMBERS.value: N_("nobody who could ring"),
    CallOutcome.CLOSED.value: N_("the group was closed"),
    CallOutcome.FULL.value: N_("too many callers"),
    CallOutcome.LINE_OVER.value: N_("waited in line for too long"),
    CallOutcome.TOO_MANY_HOPS.value: N_("sent on too often"),
    CallOutcome.HANDED_BACK.value: N_("given back to the dialplan"),
    CallOutcome.SWITCH_LOST.value: N_("the connection to FreeSWITCH was lost"),
    CallOutcome.INTERRUPTED.value: N_("its controller died"),
}
_LEGS = {
    Outcome.NO_ANSWER.value: N_("nobody picked up"),
    Outcome.BUSY.value: N_("the phone was busy"),
    Outcome.REJECTED.value: N_("the call was rejected"),
    Outcome.UNREACHABLE.value: N_("could not be reached"),
    Outcome.FAILED.value: N_("failed on the way to the phone"),
    CallOutcome.INTERRUPTED.value: N_("rang when the controller died"),
}
_CAUSES = {
    "USER_NOT_REGISTERED": N_("the phone was not registered"),
    "ON_THE_PHONE": N_("not rung, on the phone"),
    "DO_NOT_DISTURB": N_("not rung, wants no calls"),
    "SUBSCRIBER_ABSENT": N_("FreeSWITCH's directory has no such user"),
}


def outcome_name(outcome: str) -> str:
    """Return what an outcome is called."""
    return _(OUTCOMES[outcome]) if outcome in OUTCOMES else outcome


def drawing(record: CallRecord) -> Markup:
    """Draw who rang from when to when."""
    group = group_of(record.group_as_it_was)
    ends = [record.wait_seconds, *(one.ended or 0.0 for one in record.attempts), 1.0]
    wait = group.wait if group and group.wait > 0 else max(ends)
    if record.line_seconds is not None:
        wait = max(wait, record.wait_seconds)
    bars = [_bar(attempt, record) for attempt in record.attempts]
    return draw(_("Who rang when"), bars, wait, record.wait_seconds, outcome_name(record.outcome))


def _bar(attempt: Attempt, record: CallRecord) -> Bar:
    ends = (attempt.connected, attempt.ended, record.wait_seconds)
    end = next(one for one in ends if one is not None)
    kind = kind_of(attempt.outcome, attempt.cause)
    return Bar(attempt.member, attempt.started, end, kind, leg_story(attempt, record))


def leg_story(attempt: Attempt, record: CallRecord) -> str:
    """Say what became of a leg."""
    if attempt.outcome == Outcome.PICKED_UP.value:
        return _("picked the caller up by the code at %(at)s", at=seconds(attempt.started))
    began = _("from %(start)s", start=seconds(attempt.started))
    facts = [attempt.cause] if attempt.cause else []
    facts += [f"SIP {attempt.sip_code}"] if attempt.sip_code else []
    detail = f" ({', '.join(facts)})" if facts else ""
    return f"{began}: {_what_came_of(attempt, record)}{detail}"


def _what_came_of(attempt: Attempt, record: CallRecord) -> str:
    if attempt.outcome == Outcome.ANSWERED.value:
        at = attempt.answered if attempt.answered is not None else record.wait_seconds
        return _("answered at %(at)s, has the caller", at=seconds(at))
    if attempt.outcome == Outcome.CANCELLED.value:
        if attempt.cause == CALLER_GONE:
            return _("stopped, the caller gave up")
        return _("stopped, another member was first")
    text = _CAUSES.get(attempt.cause) or _LEGS.get(attempt.outcome)
    return _(text) if text else attempt.outcome
