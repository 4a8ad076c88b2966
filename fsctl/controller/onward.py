"""Sending a caller on whom no member took: to which place, and whether that came about."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from fsctl.esl import leaving, moving
from fsctl.esl.errors import Unquotable
from fsctl.esl.session import CallSession
from fsctl.hunt.endings import Ending, Kind
from fsctl.hunt.group import Group

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Places:
    """Where endings lead, as the settings say.

    ``context`` is the dialplan context of extensions, "" for the group's domain and, without one,
    ``default``; ``external`` that of numbers outside, "" when no caller is sent there;
    ``voicemail`` is a profile of ``mod_voicemail``, or an extension with ``{user}`` in it.
    """

    context: str = ""
    external: str = ""
    voicemail: str = "default"

    def steps(self, ending: Ending, group: Group, cause: str) -> tuple[moving.Step, ...]:
        """Return what the switch is to do with the caller; nothing when it cannot be done.

        ``cause`` is what the caller would be released with. Raises Unquotable.
        """
        context = ending.context or self.context or group.domain or "default"
        if ending.kind is Kind.EXTENSION:
            return moving.to_extension(ending.to, context)
        if ending.kind is Kind.EXTERNAL and self.external:
            return moving.to_extension(ending.to, self.external)
        if ending.kind is Kind.PLAY:
            return moving.play_and_release(ending.to, ending.cause or cause)
        if ending.kind is Kind.VOICEMAIL:
            user, _, domain = ending.to.partition("@")
            if "{user}" in self.voicemail:
                return moving.to_extension(self.voicemail.replace("{user}", user), context)
            return moving.to_voicemail(self.voicemail, user, domain or group.domain)
        return ()


def send_on(
    session: CallSession,
    places: Places,
    ending: Ending,
    group: Group,
    cause: str,
    hops: int,
    sounds: tuple[str, ...] = (),
) -> bool:
    """Send a caller for whom nobody rings to where an ending says; whether the switch did.

    The session is over then: it must be closed at once.
    """
    try:
        steps = places.steps(ending, group, cause)
    except Unquotable as error:  # a newer fsctl may know more
        log.warning("the caller cannot go to %s: %s", ending, error)
        return False
    if not steps:
        log.warning("the caller cannot go to %s: the settings do not allow it", ending)
        return False
    session.post(leaving.forget(session.uuid))
    reply = session.send(moving.move_on(session.uuid, hops, steps, sounds))
    if not reply.data.startswith("+OK"):
        log.warning("the caller cannot go to %s: %s", ending, reply.data[:100].strip())
        return False
    log.info("goes on to %s", ending)
    return True
