"""How a caller whom nobody took leaves a hunt: released, sent on, or to stand in line.

The switch releases only whom nobody has claimed, and may be slow to say what it did. So a release
is asked for again, and never by force.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from fsctl.controller.onward import Places, send_on
from fsctl.esl import commands
from fsctl.esl.errors import NoReply
from fsctl.hunt import events as ev
from fsctl.hunt.admission import REASONS
from fsctl.hunt.endings import (
    Ending,
    Kind,
    Reason,
    ending_for,
    following,
    reason_of,
)
from fsctl.store.call_records import CallOutcome

if TYPE_CHECKING:
    from fsctl.controller.stay import Stay
    from fsctl.hunt.group import Group
    from fsctl.hunt.machine import Hunt

RELEASE_TIME = 2.0
"""Seconds that the switch has to release a caller (20 ms are usual) before it is asked again."""
RELEASES = 5
"""How often it is asked. It refuses as long as a member has the caller, and may tell of that late:
a switch under overload is behind with its events by seconds (tried)."""

_CAME_TO = {reason: CallOutcome(refusal.outcome) for refusal, reason in REASONS.items()} | {
    Reason.LINE_OVER: CallOutcome.LINE_OVER
}
"""Reasons of which a hunt itself knows nothing."""


class Parting:
    """How one hunt in a group parts from its caller, if no member takes him."""

    def __init__(self, stay: Stay, group: Group, places: Places) -> None:
        self._stay = stay
        self._group = group
        self._places = places
        self._asked_at = 0.0
        self._releases = 0
        self._cause = ""
        """What the caller was last told to be released with."""
        self._ending: Ending | None = None
        """Where the caller is to go as soon as no leg is left."""
        self._to_stand = False
        """Whether he is to stand in line instead."""
        self.stands = False
        """Whether he does."""
        self.came_to: CallOutcome | None = None
        """What it came to for the caller, where that is another thing than the hunt's own."""
        self.sent = False
        """Whether the switch has sent him elsewhere: his connection is to be closed at once."""
        self.went = ""
        """Where the caller went, whom nobody took."""
        self.next_group: Group | None = None
        """The group that hunts for the caller now."""

    @property
    def waits(self) -> bool:
        """Whether the caller goes on as soon as no leg is left."""
        return self._to_stand or self._ending is not None

    @property
    def goes_on(self) -> bool:
        """Whether the caller hunts on, or stands in line, on this connection."""
        return self.stands or self.next_group is not None

    @property
    def due(self) -> float:
        """When the switch is to be asked again, in monotonic seconds."""
        return self._asked_at + RELEASE_TIME

    def give_up(self, cause: str, stood: bool) -> None:
        """Release a caller whom nobody took, or let him go on as soon as no leg is left.

        ``stood``: he stood in line, and who picked him up there is gone again.
        """
        reason: Reason | None = reason_of(cause)
        if reason is Reason.BUSY:
            reason = self._stay.after_busy()
        if stood:
            reason = None  # he stands where he stood
        if reason is None:
            self._to_stand = True
            self._asked_at = time.monotonic()
            return
        self.came_to = _CAME_TO.get(reason)
        ending = ending_for(self._group, reason)
        if ending.kind is Kind.RELEASE:
            self.went = str(ending) if ending.cause else ""
            self._release(ending.cause or cause)
        else:
            self._ending = ending
            self._asked_at = time.monotonic()

    def go(self, hunt: Hunt) -> list[ev.Action]:
        """Let the caller go where an ending says, or be released when that cannot be.

        Returns what that has the hunt do.
        """
        caller = self._stay.caller
        ending, self._ending = self._ending, None
        if ending is None:  # the line renews what bounds his wait
            self.stands = True
            return hunt.handle(ev.CallerGone(hunt.cause), time.monotonic())
        caller.unbind()
        ending, self.next_group = following(self._group, ending, caller.hops)
        if ending.kind not in (Kind.GROUP, Kind.RELEASE):
            about = ending, self._group, hunt.cause, caller.hops + 1, self._stay.sounds.loaded
            self.sent = send_on(caller.session, self._places, *about)
        if self.next_group is None and not self.sent:
            hunt.cause = ending.cause or hunt.cause
            self._release(hunt.cause)
            return []
        self.went = str(ending)
        return hunt.handle(ev.CallerGone(hunt.cause), time.monotonic())

    def _release(self, cause: str) -> None:
        self._cause = cause
        self._asked_at = time.monotonic()
        self._releases += 1
        self._stay.caller.session.post(commands.release(self._stay.caller.uuid, cause))

    def release_again(self, hunt: Hunt) -> None:
        """Ask again, never by force: the caller may be in a conversation that we know nothing of.

        Raises NoReply in the end. A conversation goes on then, and so does a caller who has none,
        in the dialplan.
        """
        self._ending, self._to_stand = None, False  # a leg does not end: it may have the caller
        if self._releases >= RELEASES:
            raise NoReply("the switch does not say what became of the caller")
        self._release(self._cause or hunt.cause)
