"""What is left of a hunt that is over: legs end, and a conversation is followed to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsctl.controller import handover
from fsctl.esl import commands
from fsctl.hunt import events as ev
from fsctl.hunt.machine import Hunt, Phase
from fsctl.hunt.outcomes import CALLER_GONE, CONVERSATION_OVER, TRANSFERRED

if TYPE_CHECKING:
    from fsctl.controller.call import HuntedCall

STRAGGLER_TIME = 0.5
"""Seconds after which a leg that should have ended is ended once more, and again."""
CROSSING = 1.0
"""Seconds within which a bound and a winner who takes it back may pass each other on the way."""
MEMBER_TIME = 1.0
"""Seconds after the caller's hang-up within which the switch tells of the member's. Whom the caller
has transferred talks on, to somebody else."""
_FAR = 86_400.0


def leave(call: HuntedCall, hunt: Hunt) -> None:
    """Take back what the switch would have done without us, if the winner has not."""
    caller, over = call.caller, hunt.began + (hunt.over_at or 0.0)
    if not call.parting.stands and (not hunt.winner or over < caller.bounded_at + CROSSING):
        caller.unbind()
    if hunt.winner:
        leg = call.legs[hunt.winner.number]
        leg.cancelled = ""
        if hunt.winner.ended is None:
            caller.talks()
        elif not leg.bridged:
            # Hung up before the two were bridged: the switch leaves the caller, who has been
            # answered, alone in silence (tried). Any other conversation it ends by itself, and who
            # had one may have been transferred.
            call.session.send(commands.kill(caller.uuid, CONVERSATION_OVER))
    call.session.flush()


def see_off(call: HuntedCall, hunt: Hunt) -> None:
    """Stay until every leg that was called off has ended, and the conversation too.

    A caller who hunts on or stands in line does not wait for legs that call no phone.
    """
    if hunt.winner is None and call.parting.goes_on and not call.legs.may_ring:
        return
    caller, winner = call.caller, hunt.winner.number if hunt.winner else None
    again = call.clock() + STRAGGLER_TIME
    end = call.clock() + (_FAR if hunt.phase is Phase.CONNECTED else handover.LINGER)
    while (still := call.legs.open) and call.clock() < end:
        alone = all(leg.number == winner for leg in still)
        if alone and not caller.over.is_set():
            caller.over.set()
        event = call.session.next_event(min(again, end))
        if event is not None:
            call.take_in(event, hunt)
            if caller.gone and hunt.phase is Phase.CONNECTED:
                end = min(end, call.clock() + (MEMBER_TIME if alone else handover.LINGER))
            elif winner and alone and caller.leaving:
                _let_go(call, hunt, winner)
        elif call.clock() >= again:
            again = call.clock() + STRAGGLER_TIME
            _end_stragglers(call, hunt)
    if winner and caller.gone_at is not None:
        hunt.handle(ev.LegEnded(winner, TRANSFERRED), caller.gone_at)


def _let_go(call: HuntedCall, hunt: Hunt, winner: int) -> None:
    """End the conversation of a caller who is about to be transferred."""
    call.caller.closes_in_time()
    call.legs[winner].over = True
    hunt.handle(ev.LegEnded(winner, TRANSFERRED), call.clock())


def _end_stragglers(call: HuntedCall, hunt: Hunt) -> None:
    """End once more whom the first order missed, though we may never have heard of a channel.

    After a disconnect notice that was not as foreseen nothing is heard any more.
    """
    if hunt.phase is Phase.GONE:
        call.session.post(commands.end_all(call.caller.uuid, hunt.cause or CALLER_GONE))
        return
    for leg in call.legs.open:
        if leg.cancelled:
            call.cancel(leg.number, leg.cancelled)
