"""What a leg came to, and the cause with which a caller is released when no member answers.

One table turns every hangup cause that a leg can have into one of a few outcomes. The causes are
FreeSWITCH's (``switch_call_cause_t`` in ``src/include/switch_types.h``, 1.10.12); what a SIP
phone's refusal becomes is ``sofia_glue_sip_cause_to_freeswitch`` in ``mod_sofia/sofia_glue.c``.
"""

from collections.abc import Iterable
from enum import Enum


class Outcome(Enum):
    """What became of one leg."""

    ANSWERED = "answered"
    """The member got the caller."""
    PICKED_UP = "picked up"
    """Somebody got the caller by a code, without being rung."""
    NO_ANSWER = "no answer"
    """The phone rang in vain, or the switch gave up on it."""
    BUSY = "busy"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    """Not registered, unknown, or the phone did not react."""
    CANCELLED = "cancelled"
    """Another member was first, or the caller gave up."""
    FAILED = "failed"
    """Anything else: a fault on the way to the phone."""


NO_ANSWER = "NO_ANSWER"
"""Cause of a member who rang in vain, and of a caller nobody answered (SIP 480)."""
COMPLETED_ELSEWHERE = "LOSE_RACE"
"""Cause that tells a phone "Call completed elsewhere": no missed call (field notes, "Legs")."""
CALLER_GONE = "ORIGINATOR_CANCEL"
"""Cause that tells a phone that the caller gave up: a missed call (field notes, "Legs")."""
CONVERSATION_OVER = "NORMAL_CLEARING"
"""Cause with which a caller is hung up when the member hung up."""
TRANSFERRED = "BLIND_TRANSFER"
"""Cause of a member whose caller was transferred, as FreeSWITCH calls it."""
TEMPORARY_FAILURE = "NORMAL_TEMPORARY_FAILURE"
"""Cause of a caller released because of faults only (SIP 503)."""
NOT_REGISTERED = "USER_NOT_REGISTERED"
"""Cause of a caller whose group has no phone registered (SIP 480)."""
NO_ROOM = "SWITCH_CONGESTION"
"""Cause of a leg for which the switch had no channel while its member was to ring."""
ON_THE_PHONE = "ON_THE_PHONE"
"""Cause of our own of a member who was not rung, being in a conversation."""
DO_NOT_DISTURB = "DO_NOT_DISTURB"
"""Cause of our own of a member who was not rung, wanting no calls."""

_CAUSES: dict[Outcome, frozenset[str]] = {
    Outcome.NO_ANSWER: frozenset(
        {NO_ANSWER, "ALLOTTED_TIMEOUT", "PROGRESS_TIMEOUT", "NO_PICKUP", "MEDIA_TIMEOUT"}
    ),
    # 486 and 600
    Outcome.BUSY: frozenset({"USER_BUSY", "BUSY_EVERYWHERE", ON_THE_PHONE, DO_NOT_DISTURB}),
    # 401 to 403, 407, 603 and 608; UNWANTED is 607
    Outcome.REJECTED: frozenset(
        {"CALL_REJECTED", "DECLINE", "REJECT_ALL", "UNWANTED", "INCOMING_CALL_BARRED"}
    ),
    Outcome.UNREACHABLE: frozenset(
        {
            NOT_REGISTERED,
            "SUBSCRIBER_ABSENT",  # a user the directory does not know
            "NO_USER_RESPONSE",  # 480 from the phone
            "RECOVERY_ON_TIMER_EXPIRE",  # 408 and 504, or no reply to the INVITE at all
            "UNALLOCATED_NUMBER",  # 404
            "NO_ROUTE_DESTINATION",  # 485 and 604
            "NUMBER_CHANGED",  # 410
            "DESTINATION_OUT_OF_ORDER",
            "INVALID_GATEWAY",
            "GATEWAY_DOWN",
            "DOES_NOT_EXIST_ANYWHERE",
        }
    ),
    # ORIGINATOR_CANCEL is also a phone's own 487, to an INVITE that nobody took back
    Outcome.CANCELLED: frozenset({COMPLETED_ELSEWHERE, "PICKED_OFF", CALLER_GONE}),
}
_OUTCOME: dict[str, Outcome] = {
    cause: outcome for outcome, causes in _CAUSES.items() for cause in causes
}

GOT_THE_CALLER = (Outcome.ANSWERED, Outcome.PICKED_UP)
"""Outcomes of the one leg that has the caller."""

PREEMPTED = frozenset({COMPLETED_ELSEWHERE, "PICKED_OFF"})
"""Causes of a leg that stopped because another member took the caller."""

# Which refusal the caller is told of when members failed in different ways: the one that says most
# about trying again. Somebody's phone rang: try again, they may come back. Somebody is busy: try
# later. Somebody rejected: they know of the call. Only then: nobody could be reached, or faults.
_PRECEDENCE: tuple[tuple[Outcome, str], ...] = (
    (Outcome.NO_ANSWER, NO_ANSWER),
    (Outcome.BUSY, "USER_BUSY"),
    (Outcome.REJECTED, "CALL_REJECTED"),
    (Outcome.UNREACHABLE, NOT_REGISTERED),
    (Outcome.FAILED, TEMPORARY_FAILURE),
)


def outcome_of(cause: str) -> Outcome:
    """Return what a leg that ended unanswered with this hangup cause came to.

    A cause that the table does not know is ``FAILED``: a phone that refuses in an odd way must not
    end the hunt.
    """
    return _OUTCOME.get(cause, Outcome.FAILED)


def release_cause(causes: Iterable[str]) -> str:
    """Return the hangup cause for a caller whose members ended with ``causes``.

    The outcome that comes first in the order no answer, busy, rejected, unreachable, failed
    decides. When every unreachable member has the same cause (all unregistered, or all
    unknown), the caller gets that very cause. Cancelled legs do not count; with nothing left the
    cause is ``NO_ANSWER``.
    """
    causes = tuple(causes)
    outcomes = {outcome_of(cause) for cause in causes}
    for outcome, told in _PRECEDENCE:
        if outcome is Outcome.UNREACHABLE and outcome in outcomes:
            kinds = {cause for cause in causes if outcome_of(cause) is outcome}
            return kinds.pop() if len(kinds) == 1 else told
        if outcome in outcomes:
            return told
    return NO_ANSWER
