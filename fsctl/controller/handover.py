"""Taking a call over from the switch, and giving it back."""

import logging

from fsctl.esl import commands
from fsctl.esl.codec import Frame
from fsctl.esl.errors import EventSocketError
from fsctl.esl.session import CallSession, OnReply
from fsctl.hunt.outcomes import COMPLETED_ELSEWHERE

LINGER = 5
"""Seconds that the socket stays after the caller's hang-up, to see the last leg end."""

log = logging.getLogger(__name__)


GREETING = commands.greeting(LINGER)
"""What the switch is asked as soon as it connects: which call it brings, and to tell of it."""


def meet(session: CallSession, patience: float) -> None:
    """Hear from the switch which call it brings, within so many seconds; it was greeted.

    Raises as ``CallSession.connect``.
    """
    session.connect(patience, LINGER, _AHEAD, sent=True)


def expecting_ok(command: str) -> OnReply:
    """Return what warns of a refusal, unless it only says that the caller has hung up meanwhile, or
    that ``socket`` has no ``full``."""

    def check(reply: Frame) -> None:
        if not reply.data.startswith(_TOLD_ELSEWHERE):
            said = reply.data[:100].strip()
            log.warning("the switch refused %s: %s", command[:60], said)

    return check


_TOLD_ELSEWHERE = ("+OK", "-ERR No such channel", "-ERR command not found")
_AHEAD = tuple((command, expecting_ok(command)) for command in commands.LISTEN)


def lacking(session: CallSession) -> str:
    """Return the flags without which the dialplan called ``socket``, "" when it has both.

    Without ``async`` the caller cannot be taken while the socket is open, and without ``full`` no
    member can be called.
    """
    get = session.session_data.get
    static = get("Socket-Mode") == "static"
    single = get("Control") == "single-channel"
    return " and ".join(["async"] * static + ["full"] * single)


def send_back(session: CallSession) -> None:
    """Let the dialplan have a call again that it handed over with other flags of ``socket``."""
    static = session.session_data.get("Socket-Mode") == "static"
    *orders, last = commands.DECLINE_STATIC if static else commands.DECLINE
    try:
        for order in orders:
            session.post(order)
        session.send(last)  # to close before it is read could take it back
    except EventSocketError as error:
        log.debug("could not be given back: %s", error)


def give_back(session: CallSession, begun: bool) -> None:
    """Let the dialplan have the call again: our fault must not cost the caller.

    Once a hunt has ``begun`` its legs stop as "completed elsewhere", since the dialplan is about to
    ring the same phones; FreeSWITCH moves on when our socket closes and no leg is left.
    """
    orders = (
        (commands.unbind(session.uuid), commands.cancel_all(session.uuid, COMPLETED_ELSEWHERE))
        if begun
        else commands.DECLINE
    )
    try:
        for order in orders:
            session.post(order)
        session.flush()
    except EventSocketError as error:
        log.warning("could not be given back: %s", error)
