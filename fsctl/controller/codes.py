"""Calls that are a code and a group's number: members who sign on and off, and who picks up.

Such a call hunts for nobody. It is heard out and released by the switch alone: our socket is closed
as soon as the switch knows what to do.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from fsctl.controller.arrival import Arrival
from fsctl.controller.call import HuntedCall
from fsctl.controller.directory import Unavailable
from fsctl.controller.pickup import PickUps
from fsctl.controller.signing import Signing
from fsctl.esl.errors import Unquotable
from fsctl.esl.moving import leave, tell
from fsctl.esl.session import CallSession
from fsctl.hunt.admission import Refusal
from fsctl.hunt.codes import Code, Codes, member_of, picks_up_as
from fsctl.hunt.group import Group
from fsctl.hunt.outcomes import CONVERSATION_OVER, TEMPORARY_FAILURE

NOT_ALLOWED = "CALL_REJECTED"
"""Cause for who is no member, or whose telephone the switch has not authenticated (SIP 603)."""
NOBODY_WAITS = "NORMAL_UNSPECIFIED"
"""Cause for who finds nobody to pick up (SIP 480)."""

log = logging.getLogger(__name__)

Find = Callable[[str, str], Group | None]
"""Returns the group that a number calls in a domain. Raises Unavailable."""


@dataclass(frozen=True, slots=True)
class CodeSounds:
    """What is heard after a code."""

    signed_on: str = "silence_stream://100"
    signed_off: str = "silence_stream://100"
    refused: str = "silence_stream://100"


class DialledCodes:
    """What is done when a code was dialled; without ``signing`` nobody signs on or off."""

    def __init__(
        self,
        codes: Codes,
        sounds: CodeSounds,
        signing: Signing | None = None,
        pick_ups: PickUps | None = None,
    ) -> None:
        self._codes = codes
        self._sounds = sounds
        self._signing = signing
        self._pick_ups = pick_ups or PickUps()

    def split(self, dialled: str) -> tuple[Code, str] | None:
        """Return the code and the number behind it that were dialled; None for none."""
        return self._codes.split(dialled)

    def serve(
        self,
        session: CallSession,
        arrival: Arrival,
        dialled: tuple[Code, str],
        find: Find,
        calls: Iterable[HuntedCall],
    ) -> bool:
        """Do what was dialled; False when it was refused. Raises EventSocketError."""
        code, number = dialled
        try:
            group = find(number, arrival.domain)
        except Unavailable as error:
            return self._refuse(session, TEMPORARY_FAILURE, str(error))
        if group is None:
            return self._refuse(session, Refusal.NO_SUCH_NUMBER.value, "no group has the number")
        if arrival.user is None:
            return self._refuse(session, NOT_ALLOWED, "the switch has not authenticated the caller")
        try:
            user = _whole(arrival.user, arrival.domain)
            if code is Code.SIGN:
                return self._sign(session, group, user)
            return self._pick_up(session, group, user, calls)
        except Unquotable as error:
            return self._refuse(session, NOT_ALLOWED, str(error))

    def _sign(self, session: CallSession, group: Group, user: str) -> bool:
        member = member_of(group, user)
        if member is None or self._signing is None:
            return self._refuse(session, NOT_ALLOWED, f"{user} is no member of {group.name!r}")
        on = self._signing.toggle(group, member.user, f"telephone of {user}")
        if on is None:
            return self._refuse(session, TEMPORARY_FAILURE, "nothing was changed")
        log.info("%s has signed %s in group %r", user, "on" if on else "off", group.name)
        sound = self._sounds.signed_on if on else self._sounds.signed_off
        _tell(session, sound, CONVERSATION_OVER, answered=True)
        return True

    def _pick_up(
        self, session: CallSession, group: Group, user: str, calls: Iterable[HuntedCall]
    ) -> bool:
        picker = picks_up_as(group, user)
        if picker is None:
            return self._refuse(session, NOT_ALLOWED, f"{user} may not pick up in {group.name!r}")
        if self._pick_ups.take(session, group, picker, calls, self._sounds.refused):
            return True
        return self._refuse(session, NOBODY_WAITS, f"nobody waits in group {group.name!r}")

    def _refuse(self, session: CallSession, cause: str, why: str) -> bool:
        log.info("code refused: %s", why)
        _tell(session, self._sounds.refused, cause, answered=False)
        return False


def _whole(user: str, domain: str) -> str:
    """Return who calls with the domain of the call: two tenants may have users of one name."""
    return f"{user}@{domain}" if domain and "@" not in user else user


def _tell(session: CallSession, sound: str, cause: str, answered: bool) -> None:
    """Have the switch play a sound and release the caller; the session must be closed then."""
    let_go, play = leave(session.uuid, tell(sound, cause, answered))
    session.post(let_go)
    session.send(play)
