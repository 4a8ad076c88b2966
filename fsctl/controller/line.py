"""Callers in line: who they are in this process, what they hear, and whose turn it is.

Owns the lines of all groups as this process knows them (``fsctl.hunt.line`` says who is first), and
the loop of one caller who stands in one: on the connection on which he is hunted for, in the same
greenlet. What other processes tell of theirs is ``fsctl.controller.live``'s to bring.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from fsctl.controller.legs import picks_up
from fsctl.controller.sounds import GREETING_TIME
from fsctl.controller.stay import Stay
from fsctl.esl import commands, picking
from fsctl.esl.events import Event
from fsctl.hunt.group import Group
from fsctl.hunt.line import SAID_AT_ONCE, Line, Others, Ticket, Welcome
from fsctl.hunt.nesting import everybody
from fsctl.store.memory import GroupKey, key_of

TOLD_TWICE = 1.0
"""Seconds within which a member is freed once, who may be told of: a switch and a call of our own
tell of the same end."""
TAKER_NEWS = 0.5
"""Seconds after which it is asked again whether somebody has a caller, of whom nothing is heard."""
_FAR = 86_400.0


class Left(Enum):
    """Why a caller stands in line no more."""

    TURN = "turn"
    GONE = "gone"
    OVER = "over"
    """He has waited for as long as the group lets anybody wait."""
    TAKEN = "taken"
    """A telephone has picked him up, in the moment in which he came to stand here."""


@dataclass(slots=True)
class _Queue:
    """What a group has in this process: its line, and who stands in it."""

    group: Group
    line: Line = field(default_factory=Line)
    standing: dict[Ticket, InLine] = field(default_factory=dict)
    freed: tuple[str, float] = ("", -math.inf)
    names: Mapping[str, set[str]] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        return not self.line.hunting and not self.line.tickets

    def has(self, name: str, domain: str) -> bool:
        """Whether a user, folded, is among those who may ring."""
        if not self.names:
            self.names = _names(self.group)
        domains = self.names.get(name)
        return domains is not None and (not domain or "" in domains or domain in domains)

    def stir(self, behind: Ticket | None = None) -> None:
        """Wake who is first, and who is told a place behind this one."""
        if behind is not None:
            for ticket, one in self.standing.items():
                if ticket > behind and one.stay.sounds.tells:
                    one.wake()
        first = self.line.first
        if first in self.standing:
            self.standing[first].wake()


def _names(group: Group) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for user in everybody(group):
        name, _, domain = user.casefold().partition("@")
        found.setdefault(name, set()).add(domain or group.domain)
    return found


class Lines:
    """The lines of all groups, as this process knows them."""

    def __init__(self) -> None:
        self._queues: dict[GroupKey, _Queue] = {}
        self._others: Mapping[GroupKey, Others] = {}

    # What becomes of callers

    def welcome(self, group: Group) -> Welcome:
        """Return what becomes of a newcomer to a group."""
        return self._queue(group).line.welcome(group.max_callers, group.line)

    def keep_place(self, stay: Stay) -> bool:
        """Give a place to a caller who is still hunted for; whether there is one."""
        queue = self._queue(stay.group)
        if not queue.line.has_room(stay.group.line):
            return False
        queue.line.keep(stay.ticket)
        return True

    def begin(self, stay: Stay) -> None:
        """A caller is hunted for."""
        queue, group = self._queue(stay.group), stay.group
        stay.hunts = True
        queue.line.begin(stay.ticket, time.monotonic(), group.max_callers, group.line_retry)
        queue.stir()

    def end(self, stay: Stay, busy: bool, answered: bool) -> None:
        """He is not any more; twice is once."""
        if stay.hunts:
            stay.hunts = False
            queue = self._queue(stay.group)
            queue.line.end(time.monotonic(), stay.group.line_retry, busy, answered)
            queue.stir()
            self._forget(stay.group)

    def stand(self, one: InLine) -> Line:
        """A caller stands in line from now on."""
        queue = self._queue(one.stay.group)
        queue.line.join(one.stay.ticket)
        queue.standing[one.stay.ticket] = one
        queue.stir(behind=one.stay.ticket)
        return queue.line

    def step_out(self, one: InLine) -> None:
        """He is about to hunt, or gone; his place is his until ``leave``."""
        queue = self._known(one.stay.group)
        if queue is not None:  # who has left already has perhaps been the last
            queue.standing.pop(one.stay.ticket, None)

    def leave(self, stay: Stay) -> None:
        """A caller gives his place up; twice is once."""
        self.end(stay, busy=False, answered=False)
        queue = self._known(stay.group)
        if queue is not None and stay.ticket in queue.line:
            queue.line.leave(stay.ticket)
            queue.stir(behind=stay.ticket)
            self._forget(stay.group)

    # What is heard

    def freed(self, user: str) -> None:
        """A member has hung up: ``NAME@DOMAIN``, ``NAME``, or a number."""
        name, _, domain = user.casefold().partition("@")
        now = time.monotonic()
        for queue in self._queues.values():
            known = queue.freed[0] == name and now < queue.freed[1] + TOLD_TWICE
            if queue.standing and not known and queue.has(name, domain):
                queue.freed = name, now
                queue.line.open(now)
                queue.stir()

    def hear(self, others: Mapping[GroupKey, Others]) -> None:
        """Take in what other processes tell, by group."""
        self._others = others
        now = time.monotonic()
        for key, queue in self._queues.items():
            if queue.line.hear(others.get(key, Others()), now):
                queue.stir(behind=Ticket(0.0, ""))

    def told(self) -> dict[GroupKey, Others]:
        """Return what others should know: of groups with a limit or a line."""
        return {
            key: Others(
                queue.line.hunting, len(queue.line.tickets), queue.line.tickets, queue.line.out
            )
            for key, queue in self._queues.items()
            if queue.group.max_callers is not None or queue.group.line is not None
        }

    def _queue(self, group: Group) -> _Queue:
        key = key_of(group.name, group.domain)
        queue = self._queues.get(key)
        if queue is None:
            queue = self._queues[key] = _Queue(group)
            queue.line.others = self._others.get(key, Others())
        elif queue.group is not group:
            queue.group, queue.names = group, {}
        return queue

    def _known(self, group: Group) -> _Queue | None:
        """Return a group's queue if there is one."""
        return self._queues.get(key_of(group.name, group.domain))

    def _forget(self, group: Group) -> None:
        queue = self._known(group)
        if queue is not None and queue.empty:
            del self._queues[key_of(group.name, group.domain)]


class InLine:
    """A caller who stands in the line of a group."""

    def __init__(self, stay: Stay) -> None:
        self.stay = stay
        self.left = Left.GONE
        self.taker: Event | None = None
        """What says who has picked him up."""
        self.was_taken = False
        """Whether somebody has or had him."""
        self._line = Line()
        self._greeted_at: float | None = None
        """When the greeting has been heard long enough, as long as it is heard."""

    @property
    def position(self) -> int:
        """The caller's place, from 1."""
        return self._line.position(self.stay.ticket)

    def wake(self) -> None:
        """Have the caller's greenlet look at the line."""
        self.stay.caller.session.wake()

    def run(self) -> Left:
        """Stand in line until something else comes, and return what it is.

        Raises EventSocketError when the switch is lost; the caller is then the switch's.
        """
        stay, lines = self.stay, self.stay.lines
        stay.caller.session.begin_anew()
        began = time.monotonic()
        self._line = lines.stand(self)
        try:
            self.left = self._stand(began)
            if self.left is Left.TURN:
                lines.begin(stay)
        finally:
            lines.step_out(self)
            stay.line_seconds = (stay.line_seconds or 0.0) + time.monotonic() - began
        stay.caller.session.begin_anew()
        return self.left

    def _stand(self, now: float) -> Left:
        stay, caller, sounds = self.stay, self.stay.caller, self.stay.sounds
        if stay.deadline is None:
            stay.deadline = now + stay.group.line_wait
        caller.hear_legs()
        caller.look_after()
        caller.session.let_others_first()
        if sounds.greets:
            sounds.greet()
            self._greeted_at = now + GREETING_TIME
        else:
            sounds.stand(now)
        caller.bound(stay.deadline - now, bool(sounds.loaded))
        while True:
            due = self._due(now)
            leaves = min(due, stay.deadline) <= now
            if (leaves or self.was_taken) and not self._is_claimed() and leaves:
                return Left.OVER if now >= stay.deadline else Left.TURN
            if self.was_taken:
                until = now + TAKER_NEWS
            else:
                until = min(due, self._sound(now), stay.deadline)
            event = caller.session.next_event(until)
            now = time.monotonic()
            if event is not None:
                if (left := self._left_by(event)) is not None:
                    return left
                self._take_in(event, now)

    def _is_claimed(self) -> bool:
        """Whether somebody has him, of whom the switch has not told yet."""
        asked = self.stay.caller.session.send(commands.claims(self.stay.caller.uuid))
        self.was_taken = picking.is_claimed(asked.data)
        return self.was_taken

    def _left_by(self, event: Event) -> Left | None:
        """Return why he stands here no more after an event, None if he does."""
        caller = self.stay.caller
        if caller.is_gone(event):
            return Left.GONE
        if picks_up(event, caller.uuid):
            self.taker = event
            return Left.TAKEN
        if event.name == "CHANNEL_BRIDGE" and event.uuid == caller.uuid:
            return self._see_off()
        return None

    def _see_off(self) -> Left:
        """Leave alone a caller who talks to somebody of whom nothing is known, until he is gone."""
        stay, caller = self.stay, self.stay.caller
        self.was_taken = True
        stay.lines.leave(stay)
        caller.unbind()
        caller.over.set()
        while True:
            event = caller.session.next_event(time.monotonic() + _FAR)
            if event is not None and caller.is_gone(event):
                return Left.GONE

    def _due(self, now: float) -> float:
        """Return when he may hunt: not before he has been greeted."""
        if self._greeted_at is not None:
            if now < self._greeted_at:
                return math.inf
            self._end_greeting(now)
        return self._line.due(self.stay.ticket, self.stay.group.max_callers)

    def _take_in(self, event: Event, now: float) -> None:
        if self._greeted_at is None:
            self.stay.sounds.take_in(event)
        elif self.stay.sounds.greeted(event):
            self._end_greeting(now)

    def _end_greeting(self, now: float) -> None:
        self._greeted_at = None
        self.stay.sounds.stand(now)

    def _sound(self, now: float) -> float:
        """Let the caller hear what it is time for, and return when to look again."""
        sounds, group = self.stay.sounds, self.stay.group
        if self._greeted_at is not None:
            return self._greeted_at
        sounds.tick(now)
        if not sounds.tells:
            return sounds.due
        position, (told, told_at) = self.position, self.stay.told
        every = group.line_every if position == told else min(group.line_every, SAID_AT_ONCE)
        if now >= told_at + every:
            self.stay.told, told_at, every = (position, now), now, group.line_every
            sounds.tell(position)
        return min(sounds.due, told_at + every)
