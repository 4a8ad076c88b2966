"""A caller is transferred elsewhere by others than us: our socket closes before they go.

Why. When an outbound socket closes, FreeSWITCH ends whatever ``park`` its channel is in, and resets
the channel when ``socket_resume`` is true (``listener_run`` in ``mod_event_socket.c`` clears
``CF_CONTROLLED`` and sets ``CS_RESET``), without asking whose ``park`` that is. A caller who was
transferred to another group is parked by a second socket, or by an application of the dialplan: the
first socket must be gone by then. It must not go earlier: it tells when the conversation is over.

How. Every transfer, by REFER or by command, first runs what ``execute_on_blind_transfer`` says, and
a conversation goes on meanwhile (``switch_ivr_session_transfer`` in ``switch_ivr.c``). So a caller
carries four steps: tell us, wait, take these steps off, wait again. Our socket closes in the first
wait. Steps that are gone by then, or another socket's, say that the time may be over; the socket
then stays until the caller hangs up.
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
TELLS = "CHANNEL_APPLICATION"
"""The event that tells of a transfer to come."""
_SIGN = "fsctl-leaves"
"""Header of that event."""


def steps(sign: str) -> str:
    """Return the value of ``STEPS``; by ``sign`` a socket knows its own."""
    nap = f"sleep:{LEAVING // 2}"
    return "ARRAY::" + "|:".join((f"event:{_SIGN}={token(sign)}", nap, f"unset:{STEPS}", nap))


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
