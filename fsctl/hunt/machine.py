"""The hunt of one call: a schedule, what the legs report and the time -> what to do next.

How it works. A hunt walks through its schedule: a line whose time has come becomes a leg. The
caller is given to a member *inside the switch*, by the leg itself (field notes, "Claiming the
caller"), so the machine never chooses a winner; it learns of one. Phases:

    HUNTING ──── LegConnected ───> CONNECTED   a member has the caller
       │ ╲────── CallerGone ─────> GONE        the caller gave up
       │                             ▲
       └─ wait over, nobody left ─> RELEASING ─┘ (or CONNECTED, when a member was faster)

Releasing is a phase of its own because a member can win in the very instant in which the wait ends:
``Release`` is carried out by the switch only when nobody holds the claim, so the machine waits to
see which it was.

An answered leg that vanishes before it has the caller has already silenced the others. They are
rung again at once: their members never refused. Legs that are silenced although nobody is known to
have answered were silenced by somebody of whom the switch will tell: they wait for the news.

Somebody may pick the caller up who was not rung. To the machine that is a leg which begins with its
answer: it claims, wins or vanishes like any other.

Moving up. When everyone who was ringing has failed and the schedule says ``advance``, the next line
starts at once, with all that were to start with it; in a schedule ``in_turn`` everything after it
moves up as much. So a caller never waits while nobody rings, but for one case: a phone that refused
is left alone for ``REST`` seconds, unless its time has come. A member who rejected the call is not
rung by it again.

A phone that is to ring again in the moment in which it would stop is one leg, which rings on.

Each method returns the actions to carry out, in order. Time is passed in (seconds, from any fixed
origin, never going back); ``due`` says when ``tick`` wants to be called next.
"""

from dataclasses import replace
from enum import Enum

from fsctl.hunt import events as ev
from fsctl.hunt.ledger import Leg
from fsctl.hunt.outcomes import (
    CALLER_GONE,
    COMPLETED_ELSEWHERE,
    NO_ANSWER,
    PREEMPTED,
    Outcome,
    outcome_of,
    release_cause,
)
from fsctl.hunt.schedule import Ring, Schedule

CLAIM_TIME = 3.0
"""Seconds that an answered leg has to get the caller (14 ms are usual) before it counts as lost."""
NEWS_TIME = 0.5
"""Seconds in which nobody new is rung after a leg ended as it does when the caller gives up, or is
taken: the switch cancels the legs and may tell of them first. A phone can end so by itself,
though."""
SIGN_TIME = 4.0
"""Seconds from the start of a leg that its phones have to ring when one of them has refused the
call: a phone that is registered and cannot be reached never does."""
REST = 5.0
"""Seconds after which a phone that refused may be called again before its time: else a group of
busy phones would be called as often as the switch can."""


def _reached(at: float, moment: float) -> bool:
    """Whether ``moment`` has come; a microsecond early counts, for sums of floats come out so."""
    return at > moment - 1e-6


def _moved(ring: Ring, by: float) -> Ring:
    return replace(ring, start=ring.start + by)


def _patience(leg: Leg) -> float:
    """Return until when a leg may go on: ringing, or claiming the caller."""
    if leg.answered is not None and not leg.rings_on:
        return leg.answered + CLAIM_TIME
    return min(leg.stop_at, leg.started + SIGN_TIME) if leg.refused else leg.stop_at


class Phase(Enum):
    """Where a hunt is."""

    HUNTING = "hunting"
    RELEASING = "releasing"
    CONNECTED = "connected"
    GONE = "gone"


class Hunt:
    """One call's way through a schedule, begun at ``now`` (seconds)."""

    def __init__(self, schedule: Schedule, now: float) -> None:
        self.schedule = schedule
        self.began = now
        self.phase = Phase.HUNTING
        self.legs: dict[int, Leg] = {}
        self.winner: Leg | None = None
        self.cause = ""
        """The cause the caller is released with, or left with; empty while it is open."""
        self.over_at: float | None = None
        """Seconds from the beginning at which the caller got a member, was let go, or left."""
        self._pending: list[Ring] = sorted(schedule.rings, key=lambda ring: ring.start)
        self._silenced: list[Leg] = []
        self._claim_failed = False
        self._hold_until = 0.0
        self._rerings = len(schedule.rings)

    # What the controller calls

    @property
    def ended(self) -> bool:
        """Whether the caller is with a member or gone: nothing more will be started."""
        return self.phase in (Phase.CONNECTED, Phase.GONE)

    @property
    def due(self) -> float | None:
        """When ``tick`` is wanted at the latest, as seconds like ``now``; None once it is over."""
        if self.phase is not Phase.HUNTING:
            return None
        live = self._live()
        first = self.schedule.wait
        claiming = False
        for leg in live:
            first = min(first, _patience(leg))
            claiming = claiming or (leg.answered is not None and not leg.rings_on)
        if not claiming:
            if self._pending:
                first = min(first, max(self._next_start(live), self._hold_until))
            elif not live:
                first = min(first, self._hold_until)
        return self.began + first

    def tick(self, now: float) -> list[ev.Action]:
        """Do what the time asks for: start who is due, stop who rang long enough, release."""
        return self._walk(now - self.began) if self.phase is Phase.HUNTING else []

    def handle(self, event: ev.Event, now: float) -> list[ev.Action]:
        """Take in one event. Repeated, late and impossible ones change nothing."""
        at = now - self.began
        if isinstance(event, ev.CallerGone):
            return self._caller_gone(event.cause, at)
        if isinstance(event, ev.PickedUp):
            return self._picked_up(event, now)
        leg = self.legs.get(event.leg)
        if leg is None or leg.ended is not None:
            return []
        if isinstance(event, ev.LegRinging):
            leg.refused = ""
            if leg.ringing is None:
                leg.ringing = at
            return []
        stopped: list[ev.Action] = []
        if isinstance(event, ev.PhoneRefused):
            stopped = self._phone_refused(leg, event)
        elif isinstance(event, ev.LegAnswered):
            leg.refused = ""
            if leg.answered is None or leg.rings_on:
                leg.answered = at
            leg.rings_on = False
        elif isinstance(event, ev.AnswerLost):
            self._claim_failed |= leg.claiming
            leg.rings_on = leg.answered is not None
        elif isinstance(event, ev.LegConnected):
            return self._connected(leg, at)
        else:
            self._leg_ended(leg, event.cause, at)
        return stopped + self.tick(now)

    def _phone_refused(self, leg: Leg, event: ev.PhoneRefused) -> list[ev.Action]:
        """Let a phone's refusal count for its member, at once or unless another phone rings."""
        if not leg.live or leg.claiming or self.phase is not Phase.HUNTING:
            return []
        leg.refused = event.cause
        if not event.for_all:
            return []
        self._heed_rejection(leg.member, event.cause)
        return [self._cancel(leg, COMPLETED_ELSEWHERE, event.cause)]

    def _picked_up(self, event: ev.PickedUp, now: float) -> list[ev.Action]:
        if self.ended or event.leg in self.legs:
            return []
        at, until = now - self.began, self.schedule.wait
        leg = Leg(event.leg, event.member, at, until, answered=at, picked_up=True)
        self.legs[leg.number] = leg
        return self.tick(now)

    # How it decides; ``at`` is seconds from the start of the hunt

    def _live(self) -> list[Leg]:
        return [leg for leg in self.legs.values() if leg.ended is None and not leg.cancelled]

    def _walk(self, at: float) -> list[ev.Action]:
        """Bring the hunt to where it should be at this moment."""
        if _reached(at, self.schedule.wait):
            return self._release(NO_ANSWER)
        live = self._live()
        ended = [leg for leg in live if _reached(at, _patience(leg))]
        actions: list[ev.Action] = []
        if ended:
            if len(ended) == len(live):
                ended = self._without_those_who_ring_on(ended, at)
            for leg in ended:
                self._claim_failed |= leg.claiming
                actions.append(self._cancel(leg, NO_ANSWER, leg.refused))
            live = self._live()
        if any(leg.answered is not None and not leg.rings_on for leg in live):
            return actions  # somebody is about to have the caller: ring nobody else meanwhile
        if not _reached(at, self._hold_until):
            return actions
        # While others ring and no claim is known to have failed, the winner's answer is merely not
        # reported yet.
        if self._silenced and (self._claim_failed or not live):
            self._ring_silenced_again(at)
        self._claim_failed = False
        while self._pending and _reached(at, self._next_start(live)):
            self._move_up(at)
            if new := self._start(self._pending.pop(0), at, live):
                live.append(new)
                actions.append(ev.StartLeg(new.number, new.member, new.stop_at - at))
        if not self._pending and not live:
            actions += self._release(release_cause(self._refusals()))
        return actions

    def _next_start(self, live: list[Leg]) -> float:
        """Return when the next line starts: in its time, or earlier since everyone has failed."""
        ring = self._pending[0]
        if not self.schedule.advance or not self.legs or live:
            return ring.start
        refused = (
            leg.ended
            for leg in self.legs.values()
            if leg.member == ring.member
            and leg.ended is not None
            and (leg.refused or not leg.cancelled)
        )
        return min(ring.start, max((ended + REST for ended in refused), default=0.0))

    def _without_those_who_ring_on(self, ended: list[Leg], at: float) -> list[Leg]:
        """Return the legs to be stopped, of all there are: not whose next line moves up to now."""
        if not self.schedule.advance or not self._pending:
            return ended
        first = self._pending[0].start
        members = {ring.member for ring in self._pending if ring.start == first}
        ringing_on = [
            leg for leg in ended if leg.member in members and not (leg.claiming or leg.refused)
        ]
        if ringing_on:
            self._move_up(at)
        for leg in ringing_on:
            line = next(ring for ring in self._pending if ring.member == leg.member)
            leg.stop_at = min(at + self._rings_on(line) - line.start, self.schedule.wait)
            self._pending.remove(line)
        return [leg for leg in ended if leg not in ringing_on]

    def _move_up(self, at: float) -> None:
        """Let the next line start now, and with it those that belong to it."""
        first = self._pending[0].start
        if self.schedule.in_turn:
            if abs(first - at) > 1e-6:
                self._pending = [_moved(ring, at - first) for ring in self._pending]
        elif first > at:
            self._pending = [
                _moved(ring, at - first) if ring.start == first else ring for ring in self._pending
            ]

    def _start(self, ring: Ring, at: float, live: list[Leg]) -> Leg | None:
        """Return a line's new leg; None for a phone that rings on."""
        if any(leg.member == ring.member for leg in live):
            return None
        stop_at = min(at + self._rings_on(ring) - ring.start, self.schedule.wait)
        leg = Leg(len(self.legs) + 1, ring.member, at, stop_at)
        self.legs[leg.number] = leg
        return leg

    def _rings_on(self, ring: Ring) -> float:
        """Return until when a line's phone rings, with the lines that follow without a gap."""
        until = ring.start + ring.ring_for
        for later in self._pending:
            if later.member == ring.member and _reached(until, later.start):
                until = max(until, later.start + later.ring_for)
        return until

    def _cancel(self, leg: Leg, cause: str, refused: str = "") -> ev.Action:
        leg.cancelled = cause
        leg.refused = refused
        return ev.CancelLeg(leg.number, cause)

    def _release(self, cause: str) -> list[ev.Action]:
        self.phase = Phase.RELEASING
        self.cause = cause
        return [*self._cancel_all(NO_ANSWER), ev.Release(cause)]

    def _cancel_all(self, cause: str) -> list[ev.Action]:
        live = self._live()
        for leg in live:
            leg.cancelled = cause
            leg.refused = ""
        return [ev.CancelAll(cause)] if live else []

    def _connected(self, leg: Leg, at: float) -> list[ev.Action]:
        if self.ended:
            return []
        self.phase = Phase.CONNECTED
        self.over_at = at
        self.winner = leg
        self.cause = ""
        leg.cancelled = leg.refused = ""
        leg.answered = at if leg.answered is None else leg.answered
        leg.connected = at
        return [self._cancel(one, COMPLETED_ELSEWHERE) for one in self._live() if one is not leg]

    def _caller_gone(self, cause: str, at: float) -> list[ev.Action]:
        if self.ended:
            return []
        self.phase = Phase.GONE
        self.over_at = at
        self.cause = self.cause or cause
        return self._cancel_all(CALLER_GONE)

    def _leg_ended(self, leg: Leg, cause: str, at: float) -> None:
        vanished = leg.claiming and cause not in PREEMPTED
        leg.ended = at
        leg.cause = leg.refused if leg.refused and leg.cancelled else cause
        self._claim_failed |= vanished
        if cause == CALLER_GONE and not leg.cancelled:
            self._hold_until = at + NEWS_TIME
        if cause in PREEMPTED and not leg.cancelled and self.phase is Phase.HUNTING:
            self._silenced.append(leg)
            if all(one.answered is None for one in self.legs.values()):
                self._hold_until = at + NEWS_TIME
        if not leg.cancelled:
            self._heed_rejection(leg.member, cause)

    def _heed_rejection(self, member: str, cause: str) -> None:
        """Take a member who has rejected the call out of the schedule."""
        if outcome_of(cause) is Outcome.REJECTED:
            self._pending = [ring for ring in self._pending if ring.member != member]

    def _ring_silenced_again(self, at: float) -> None:
        """Put members who were silenced for a winner who never was back into the schedule."""
        again = [leg for leg in self._silenced if not _reached(at, leg.stop_at)][: self._rerings]
        self._silenced.clear()
        self._rerings -= len(again)
        self._pending[:0] = [Ring(leg.member, at, leg.stop_at - at) for leg in again]

    def _refusals(self) -> list[str]:
        """Return the causes of all legs, as they count for the cause that the caller gets.

        A phone that we stopped had rung in vain, and so had one that picked up and was gone again;
        but the refusal of a member's phone counts for those that did not ring.
        """
        return [
            (leg.refused or NO_ANSWER)
            if leg.cancelled or (leg.outcome is Outcome.FAILED and leg.answered is not None)
            else leg.cause
            for leg in self.legs.values()
        ]
