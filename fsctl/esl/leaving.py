"""A caller is transferred elsewhere by others than us: our socket closes before they go.

Why. When an outbound socket closes, FreeSWITCH ends whatever ``park`` its channel is in, and resets
the channel when ``socket_resume`` is true (``listener_run`` in ``mod_event_socket.c`` clears
``CF_CONTROLLED`` and sets ``CS_RESET``), without asking whose ``park`` that is. A caller who was
transferred to another group is parked by a second socket, or by an application of the dialplan: the
first socket must be gone by then. It must not go earlier: it tells when the conversation is over.

How. Every transfer, by REFER or by command, first runs what ``execute_on_blind_transfer`` says
(``switch_ivr_session_transfer`` in ``switch_ivr.c``). So a caller who waits carries four steps:
tell us, wait, take these steps off, wait again. Our socket closes in the first wait. Steps that are
gone by then, or another socket's, say that the time may be over; the socket then stays until the
hang-up.

The steps of a caller who talks do not wait themselves: in a semi-attended transfer the phone that
is called may be answered meanwhile, and take the caller. They have the caller's own thread wait,
between the end of the conversation and what comes next (``api_after_bridge`` in
``switch_ivr_bridge.c``), whatever that is by then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsctl.esl.moving import LEAVING
from fsctl.esl.quoting import token

if TYPE_CHECKING:
    from fsctl.esl.events import Event

STEPS = "execute_on_blind_transfer_fsctl"
"""Variable of a caller: what the switch does before a transfer. FreeSWITCH looks for all variables
whose names begin so, and an operator's own stays what it is."""
_AFTER = tuple(f"api_after_bridge_fsctl{number}" for number in (1, 2, 3))
"""Variables of a caller who is transferred from a conversation: what is done after it."""
TELLS = "CHANNEL_APPLICATION"
"""The event that tells of a transfer to come."""
_SIGN = "fsctl-leaves"
"""Header of that event."""


def steps(sign: str) -> str:
    """Return the value of ``STEPS`` for a caller who waits; by ``sign`` a socket knows its own."""
    nap = f"sleep:{LEAVING // 2}"
    return "ARRAY::" + "|:".join((f"event:{_SIGN}={token(sign)}", nap, f"unset:{STEPS}", nap))


def while_talking(caller: str, sign: str) -> str:
    """Return the command that gives a caller the steps of one who has a member."""
    caller, nap = token(caller), f"msleep {LEAVING // 2}"
    off = ";".join(f"{name}=" for name in (STEPS, *_AFTER))
    then = (nap, f"uuid_setvar_multi {caller} {off}", nap)
    what = [f"set:{name}={do}" for name, do in zip(_AFTER, then, strict=True)]
    return f"api uuid_setvar {caller} {STEPS} ARRAY::" + "|:".join(
        (f"event:{_SIGN}={token(sign)}", *what)
    )


def forget(caller: str) -> str:
    """Return the command that takes the steps off a caller whom we transfer ourselves."""
    return f"api uuid_setvar {token(caller)} {STEPS}"


def still_here(caller: str) -> str:
    """Return the command that asks for the steps of a caller who is about to be transferred."""
    return f"api uuid_getvar {token(caller)} {STEPS}"


def is_still_here(answer: str, sign: str) -> bool:
    """Whether the answer says that the first wait is not over."""
    return sign in answer


def is_leaving(event: Event, sign: str) -> bool:
    """Whether an event says that the caller of a socket is about to be transferred."""
    return event.name == TELLS and event.get(_SIGN) == sign
