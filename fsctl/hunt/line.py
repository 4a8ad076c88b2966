"""A group's line: who waits for a member to be free, who is first, and when he may try. Pure.

How it works. A caller's ticket says when he came to the group; the line is all tickets in that
order, of this process and of the others that have told of theirs. The first who is not out hunting
may hunt when there is reason to: a member's conversation has ended, a place among those who hunt
has become free, or nobody of the line has tried for a while. A hunt that finds everybody busy
brings its caller back to where he stood, and is no reason for anybody else.

Nobody is overtaken: while anybody waits, or is out hunting, a newcomer joins the line, and as he
came last he is last. Times are seconds; a ticket's are epoch seconds, since processes compare them.
"""

import math
from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from fsctl.hunt.template import fill

SETTLE = 0.5
"""Seconds after a member was given a caller in which nobody of the line tries: meanwhile the
switches tell that this member is on the phone."""
SAID_AT_ONCE = 5.0
"""Seconds between two tellings of a caller's place at least, when it changes often."""
POSITION = "position"
"""The placeholder of a caller's place in a sound that tells it."""
NAMED = 20
"""The highest number that FreeSWITCH's sound packs have a file of by itself, with all below it."""
_JOINED = "file_string://"


@dataclass(frozen=True, slots=True, order=True)
class Ticket:
    """A caller's claim to a place: when he came to the group, and his channel."""

    came: float
    uuid: str


@dataclass(frozen=True, slots=True)
class Others:
    """What other processes have told of a group: how many callers they hunt for, how many stand in
    line there, the tickets of the first of those in order, and which of them are out hunting."""

    hunting: int = 0
    standing: int = 0
    tickets: tuple[Ticket, ...] = ()
    out: frozenset[Ticket] = frozenset()

    @property
    def first(self) -> Ticket | None:
        """The first who is not out hunting."""
        return next((one for one in self.tickets if one not in self.out), None)

    def before(self, ticket: Ticket) -> int:
        """Return how many stand before a ticket; those only counted do when all others do."""
        found = bisect_left(self.tickets, ticket)
        return self.standing if found == len(self.tickets) else found


def together(told: Iterable[Others]) -> Others:
    """Return what several processes have told as one."""
    all_told = list(told)
    return Others(
        sum(one.hunting for one in all_told),
        sum(one.standing for one in all_told),
        tuple(sorted(ticket for one in all_told for ticket in one.tickets)),
        frozenset(ticket for one in all_told for ticket in one.out),
    )


class Welcome(Enum):
    """What becomes of a caller who comes."""

    HUNT = "hunt"
    STAND = "stand"
    """He joins the line."""
    FULL = "full"


@dataclass(slots=True)
class Line:
    """The line of one group, as one process knows it."""

    others: Others = Others()
    hunting: int = 0
    """Callers of this process that are hunted for in the group."""
    _tickets: list[Ticket] = field(default_factory=list)
    _out: set[Ticket] = field(default_factory=set)
    _open_at: float = math.inf
    """From when on there is reason to hunt."""
    _again_at: float = -math.inf
    """When the first tries again without any."""

    # Coming and going

    @property
    def tickets(self) -> tuple[Ticket, ...]:
        """Those of this process who stand in line, in order."""
        return tuple(self._tickets)

    @property
    def out(self) -> frozenset[Ticket]:
        """Those of them who are out hunting."""
        return frozenset(self._out)

    def __len__(self) -> int:
        return len(self._tickets) + self.others.standing

    def welcome(self, most: int | None, places: int | None) -> Welcome:
        """Return what becomes of a newcomer to a group that hunts for ``most`` callers at once and
        has so many ``places`` in line."""
        if not (places and len(self)) and (most is None or self._hunting_anywhere < most):
            return Welcome.HUNT
        return Welcome.STAND if self.has_room(places) else Welcome.FULL

    def has_room(self, places: int | None) -> bool:
        """Whether one more may stand in line."""
        return bool(places) and len(self) < (places or 0)

    def join(self, ticket: Ticket) -> None:
        """Stand in line; who comes back from a hunt does so where he stood."""
        self._out.discard(ticket)
        if ticket not in self:
            insort(self._tickets, ticket)

    def keep(self, ticket: Ticket) -> None:
        """Give a place to who is hunted for and has none yet."""
        self.join(ticket)
        self._out.add(ticket)

    def leave(self, ticket: Ticket) -> None:
        """Stand in line no more; who never did changes nothing."""
        self._out.discard(ticket)
        if ticket in self:
            del self._tickets[bisect_left(self._tickets, ticket)]

    def __contains__(self, ticket: Ticket) -> bool:
        place = bisect_left(self._tickets, ticket)
        return place < len(self._tickets) and self._tickets[place] == ticket

    # Who is where

    def position(self, ticket: Ticket) -> int:
        """Return a ticket's place, from 1; those before it count who are out hunting, too."""
        return 1 + bisect_left(self._tickets, ticket) + self.others.before(ticket)

    @property
    def first(self) -> Ticket | None:
        """The first of this process who is not out hunting."""
        return next((one for one in self._tickets if one not in self._out), None)

    @property
    def _hunting_anywhere(self) -> int:
        return self.hunting + self.others.hunting

    # Hunting

    def due(self, ticket: Ticket, most: int | None) -> float:
        """Return when this ticket may hunt if nothing else happens; infinity: not by itself."""
        elsewhere = self.others.first
        if ticket != self.first or (elsewhere is not None and elsewhere < ticket):
            return math.inf
        if most is not None and self._hunting_anywhere >= most:
            return math.inf
        out = self._out or self.others.out
        return self._open_at if out else min(self._open_at, self._again_at)

    def begin(self, ticket: Ticket, now: float, most: int | None, again: float) -> None:
        """A caller is hunted for, of the line or not; the next tries ``again`` so much later."""
        self.hunting += 1
        if ticket in self:
            self._out.add(ticket)
            more = most is not None and self._hunting_anywhere < most
            self._open_at = now if more and self._open_at <= now else math.inf
        self._again_at = now + again

    def end(self, now: float, again: float, busy: bool, answered: bool) -> None:
        """A hunt is over. ``busy``: it found everybody so; ``answered``: a member has the caller.

        Whose hunt it was joins again, or leaves.
        """
        self.hunting -= 1
        self._again_at = now + again
        if not busy:
            self.open(now + SETTLE if answered else now)

    def open(self, at: float) -> None:
        """There is reason to hunt from a moment on: somebody may be free, or there is a place."""
        self._open_at = min(self._open_at, at)

    def hear(self, others: Others, now: float) -> bool:
        """Take in what the others tell, and return whether it is anything new."""
        before, self.others = self.others, others
        standing = set(others.tickets)
        back = (before.out - others.out) & standing  # they found everybody busy
        if others.hunting + len(back) < before.hunting or set(before.tickets) - standing:
            self.open(now)
        return others != before


# What tells a place


def parts_of(sound: str) -> list[str]:
    """Return the sounds of which one is made, each of which can be played alone."""
    return sound.removeprefix(_JOINED).split("!") if sound.startswith(_JOINED) else [sound]


def told(sound: str, position: int) -> str:
    """Return the sound that tells a place: beyond ``NAMED`` digit by digit, for want of files."""
    said = [str(position)] if position <= NAMED else list(str(position))
    parts = [
        fill(part, {POSITION: word})
        for part in parts_of(sound)
        for word in (said if f"{{{POSITION}}}" in part else said[:1])
    ]
    return _JOINED + "!".join(parts) if len(parts) > 1 else parts[0]
