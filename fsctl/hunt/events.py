"""What a hunt is told and what it asks for: its whole vocabulary.

Legs are numbered from 1 in the order in which they start.
"""

from msgspec import Struct


class PickedUp(Struct, frozen=True, gc=False):
    """Somebody who was not rung picks the caller up by a code: a new leg, which has answered."""

    leg: int
    member: str


class LegRinging(Struct, frozen=True, gc=False):
    """A phone of this leg rings."""

    leg: int


class LegAnswered(Struct, frozen=True, gc=False):
    """A member picked up; the leg now claims the caller inside the switch."""

    leg: int


class AnswerLost(Struct, frozen=True, gc=False):
    """The phone that was picked up has hung up already; another phone of this leg rings on."""

    leg: int


class LegConnected(Struct, frozen=True, gc=False):
    """The leg won: caller and member are bridged."""

    leg: int


class LegEnded(Struct, frozen=True, gc=False):
    """The leg is over, with FreeSWITCH's hangup cause."""

    leg: int
    cause: str


class PhoneRefused(Struct, frozen=True, gc=False):
    """One of several phones of this leg refused the call, with FreeSWITCH's hangup cause.

    ``for_all``: its member wants no phone of theirs to ring. Otherwise no other phone of the leg
    rings yet, though it may be about to.
    """

    leg: int
    cause: str
    for_all: bool


class CallerGone(Struct, frozen=True, gc=False):
    """The caller's channel is over, whoever ended it."""

    cause: str


Event = (
    PickedUp
    | LegRinging
    | LegAnswered
    | AnswerLost
    | LegConnected
    | LegEnded
    | PhoneRefused
    | CallerGone
)


class StartLeg(Struct, frozen=True, gc=False):
    """Originate a leg to ``member``; nobody needs it after ``ring_for`` seconds."""

    leg: int
    member: str
    ring_for: float


class CancelLeg(Struct, frozen=True, gc=False):
    """End this leg with ``cause``, whether or not its channel exists yet."""

    leg: int
    cause: str


class CancelAll(Struct, frozen=True, gc=False):
    """End every leg that still rings with ``cause``; a leg that has claimed the caller stays."""

    cause: str


class Release(Struct, frozen=True, gc=False):
    """Hang the caller up with ``cause``, unless a member has claimed the call in this instant."""

    cause: str


Action = StartLeg | CancelLeg | CancelAll | Release
