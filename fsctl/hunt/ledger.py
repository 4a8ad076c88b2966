"""What happened to each leg of a hunt: the facts that records and drawings are made of."""

from dataclasses import dataclass

from fsctl.hunt.outcomes import Outcome, outcome_of


@dataclass(slots=True)
class Leg:
    """One call to one member. Times are seconds from the start of the hunt, None while not reached.

    ``stop_at`` is when the phone has rung long enough. ``cancelled`` is the cause with which the
    hunt asked for its end, ``cause`` the one with which it ended. ``picked_up``: nobody rang them,
    they took the caller by a code. ``refused`` is the cause with which a phone of the member
    refused the call, while no other phone of theirs rings. ``rings_on``: who picked up has hung up
    at once, and another phone of the member rings.
    """

    number: int
    member: str
    started: float
    stop_at: float
    ringing: float | None = None
    answered: float | None = None
    connected: float | None = None
    ended: float | None = None
    cause: str = ""
    cancelled: str = ""
    refused: str = ""
    rings_on: bool = False
    picked_up: bool = False

    @property
    def live(self) -> bool:
        """Whether this leg could still win: it has not ended and nobody asked for its end."""
        return self.ended is None and not self.cancelled

    @property
    def claiming(self) -> bool:
        """Whether its member picked up and is about to get the caller."""
        return self.live and self.answered is not None and not self.rings_on

    @property
    def outcome(self) -> Outcome | None:
        """What the leg came to; None while it goes on."""
        if self.connected is not None:
            return Outcome.PICKED_UP if self.picked_up else Outcome.ANSWERED
        if self.ended is None:
            return None
        if self.answered is not None and outcome_of(self.cause) is not Outcome.CANCELLED:
            return Outcome.FAILED  # picked up, but was gone before the caller was there
        return outcome_of(self.cause)
