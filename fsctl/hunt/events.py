"""What a hunt is told and what it asks for: its whole vocabulary.

Legs are numbered from 1 in the order in which they start.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PickedUp:
    """Somebody who was not rung picks the caller up by a code: a new leg, which has answered."""

    leg: int
    member: str


@dataclass(frozen=True, slots=True)
class LegRinging:
    """A phone of this leg rings."""

    leg: int


@dataclass(frozen=True, slots=True)
class LegAnswered:
    """A member picked up; the leg now claims the caller inside the switch."""

    leg: int


@dataclass(frozen=True, slots=True)
class LegConnected:
    """The leg won: caller and member are bridged."""

    leg: int


@dataclass(frozen=True, slots=True)
class LegEnded:
    """The leg is over, with FreeSWITCH's hangup cause."""

    leg: int
    cause: str


@dataclass(frozen=True, slots=True)
class CallerGone:
    """The caller's channel is over, whoever ended it."""

    cause: str


Event = PickedUp | LegRinging | LegAnswered | LegConnected | LegEnded | CallerGone


@dataclass(frozen=True, slots=True)
class StartLeg:
    """Originate a leg to ``member``; nobody needs it after ``ring_for`` seconds."""

    leg: int
    member: str
    ring_for: float


@dataclass(frozen=True, slots=True)
class CancelLeg:
    """End this leg with ``cause``, whether or not its channel exists yet."""

    leg: int
    cause: str


@dataclass(frozen=True, slots=True)
class CancelAll:
    """End every leg that still rings with ``cause``; a leg that has claimed the caller stays."""

    cause: str


@dataclass(frozen=True, slots=True)
class Release:
    """Hang the caller up with ``cause``, unless a member has claimed the call in this instant."""

    cause: str


Action = StartLeg | CancelLeg | CancelAll | Release
