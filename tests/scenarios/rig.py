"""What a scenario may do with a switch, be it the Python one or a real FreeSWITCH.

A scenario scripts the phones, places calls as a stranger or a colleague would, and then reads what
the phones themselves saw: nothing in here asks the controller. Both rigs fill the same log with the
same words, so one scenario body serves both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

Actions = tuple[tuple[str, str], ...]
"""Actions of a dialplan: applications with their arguments."""


FORWARDED = tuple(f"forward{number}" for number in range(1, 7))
"""Users whose calls go elsewhere, as ``Rig.forward`` says."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing that one telephone saw or did.

    ``at`` is ``time.monotonic()`` in seconds. ``who`` is the phone: ``test002``, ``test002#2`` for
    a user's second phone, or the caller's label (``caller`` unless named otherwise). ``what`` is

    ========== ===================================================== =============================
    what       means                                                 detail
    ========== ===================================================== =============================
    invite     a member's phone starts to be called                  number, name (of the caller),
                                                                     alert_info, diversion, hidden,
                                                                     headers (those with X-)
    answer     a member's phone picks up (sends 200)
    talking    a member's phone has the caller's ACK after its 200
    cancel     a ringing phone is told to stop                       reason (SIP Reason value, "")
    bye        an answered phone or caller is hung up by the switch  reason
    busy       a member's phone refuses with 486
    reject     a member's phone refuses with 603
    redirect   a member's phone answers 302
    calling    the caller's INVITE leaves                            number
    ringing    the caller hears ringing (180; 183 has early=True)    early
    answered   the caller's call is answered (200)
    released   the caller's call ends without an answer              code (int), reason
    gave up    the caller hangs up (CANCEL before, BYE after answer)
    fallback   the caller reaches the action after ``socket``
    ========== ===================================================== =============================
    """

    at: float
    who: str
    what: str
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Script:
    """How a member's phone behaves towards every call it gets.

    ``ring`` is sent (180) at once. ``answer_after`` picks up so many seconds after the INVITE; None
    lets it ring for ever. ``hang_up_after`` hangs an answered call up so many seconds after the
    answer. ``refuse`` is a final SIP status to answer with (486, 603, 302, 480 ...) after
    ``refuse_after`` seconds. ``early_media`` sends 183 with SDP instead of 180. ``press_after``
    presses 1 so many seconds after the answer: by SIP INFO, or by RFC 4733 with ``keys_in_voice``
    (the Python switch knows no difference). ``dead`` is a phone that is registered and reacts to
    nothing, as behind a router that has forgotten it.
    """

    answer_after: float | None = None
    hang_up_after: float | None = None
    refuse: int | None = None
    refuse_after: float = 0.0
    early_media: bool = False
    press_after: float | None = None
    keys_in_voice: bool = False
    dead: bool = False


class Log(Protocol):
    """What the phones saw, in the order of time."""

    def all(self, who: str | None = None, what: str | None = None) -> list[Seen]:
        """Everything seen so far, filtered."""

    def wait(self, who: str, what: str, timeout: float = 10.0, count: int = 1) -> Seen:
        """Return the ``count``-th such entry, waiting for it. AssertionError if it is late."""

    def until(self, condition: Callable[[], bool], timeout: float) -> bool:
        """Wait until something that the phones may change is so; False when it is not in time."""

    def absent(self, who: str, what: str) -> None:
        """Assert that nothing of the kind was seen so far."""


class Call(Protocol):
    """One call placed by a caller."""

    who: str

    @property
    def uuid(self) -> str:
        """The caller's channel in the switch ("" while unknown)."""

    def hang_up(self) -> None:
        """The caller gives up: CANCEL before the answer, BYE after it."""

    def hears(self, user: str, timeout: float = 3.0) -> bool:
        """Whether voice goes both ways between the caller and this member's phone."""

    def talks_with(self, other: Call, timeout: float = 3.0) -> bool:
        """Whether voice goes both ways between this caller and that one, who picked it up."""

    def listens(self, timeout: float = 3.0) -> bool:
        """Whether the switch itself plays something to the caller, not counting silence."""


class Rig(Protocol):
    """A switch with telephones."""

    name: str
    log: Log

    @property
    def esl_url(self) -> str:
        """The switch's own event socket, as the setting has it."""

    def api(self, command: str) -> str:
        """Run an api command in the switch, as an operator's dialplan may."""

    def phone(self, user: str, script: Script | None = None, phones: int = 1) -> None:
        """Register ``phones`` telephones for the user (0 leaves the user known, unregistered).

        A user that begins with ``+`` is a telephone number: a telephone outside, one at a time.
        """

    def phones(self, user: str, *scripts: Script) -> None:
        """Register a phone for each script, in the log ``user``, ``user#2`` and so on."""

    def slow_directory(self, user: str, seconds: float) -> None:
        """Have the directory take so long to find a user, until the next ``reset``."""

    def forward(self, user: str, number: str, way: str) -> None:
        """Have a user's directory entry call a number, which comes to the controller.

        The user is one of ``FORWARDED``, and the ``way`` is "loopback" or "sip"; a real FreeSWITCH
        also knows "bridge" and "transfer", by the dialplan.
        """

    def dial(
        self,
        number: str,
        *,
        caller_number: str = "+48600100200",
        caller_name: str = "Kowalski",
        user: str | None = None,
        who: str = "caller",
        controllers: str | None = None,
        hidden: bool = False,
        before: Actions = (),
        flags: str = "async full",
        resumes: bool = True,
        late_offer: bool = False,
        headers: Actions = (),
    ) -> Call:
        """Place a call to ``number``; a ``hidden`` caller asks not to be shown (RFC 3323).

        ``before`` are what the dialplan does before ``socket``, whose ``flags`` may be others than
        usual, with or without ``socket_resume`` (``resumes``). The INVITE of a ``late_offer`` has
        no SDP (RFC 3261, 13.2.1); ``headers`` are more of its headers.

        ``user`` places it from that user's own telephone (a colleague). ``controllers`` is the
        ``host:port|host:port`` list handed to ``socket``; by default the rig's own controller.
        """

    def answer_together(self, *users: str) -> None:
        """Every phone of these users that rings now picks up, all in the same instant."""

    def transfer(self, user: str, number: str, controllers: str | None = None) -> None:
        """A phone transfers whom it talks to (REFER) to a number: a member's, or ``caller``'s.

        ``controllers`` is what ``socket`` is handed from then on, by default what it was before.
        """

    def channels(self) -> list[str]:
        """Uuids of every channel that the switch has now."""

    def fallbacks(self) -> list[str]:
        """Uuids of callers that went on to the dialplan's next action after ``socket``."""

    def reset(self) -> None:
        """Hang every call up, unregister every phone, forget the log."""

    def close(self) -> None:
        """Stop everything; for real."""
