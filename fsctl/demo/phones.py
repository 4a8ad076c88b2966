"""Scripted telephones: members' phones that are called, and the caller's phone.

Owns how a telephone behaves and what it sees; every sight and act goes to ``Switch.saw``. Phones
are exact to the millisecond: only the switch is coarse about time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import gevent

from fsctl.demo import calls, causes
from fsctl.demo.channel import Channel

if TYPE_CHECKING:
    from fsctl.demo.switch import Switch

#: Seconds that one SIP message takes from telephone to switch or back.
NETWORK = 0.002

#: How often a leg without ``outbound_redirect_fatal`` is invited anew after a 302. FreeSWITCH
#: knows no end (field notes); a demonstration has to.
_REDIRECTS = 10


@dataclass(frozen=True, slots=True)
class Script:
    """How a member's phone behaves towards every call. All times are seconds.

    It answers ``answer_after`` its INVITE (None: never) and hangs up ``hang_up_after`` that answer;
    ``press_after`` that many seconds after its answer somebody presses 1;
    or it refuses with the SIP status ``refuse`` after ``refuse_after``. ``early_media`` sends 183
    with media where others send 180. ``dead`` reacts to nothing.
    """

    answer_after: float | None = None
    hang_up_after: float | None = None
    refuse: int | None = None
    refuse_after: float = 0.0
    early_media: bool = False
    press_after: float | None = None
    dead: bool = False


@dataclass(frozen=True, slots=True)
class Phone:
    """One registered telephone: ``label`` is its name in the log, ``port`` its SIP port."""

    user: str
    label: str
    port: int
    script: Script
    forwards: tuple[str, str] | None = None
    """The extension to which the directory forwards its calls, and the way: loopback or sip."""


#: What a refusal is called in the log; "reject" for the rest.
_REFUSALS = {486: "busy", 600: "busy", 300: "redirect", 301: "redirect", 302: "redirect"}


class MemberCall:
    """One call at a member's phone."""

    def __init__(self, switch: Switch, phone: Phone) -> None:
        self.switch = switch
        self.phone = phone
        self.channel: Channel | None = None
        self._pending: list[gevent.Greenlet[..., None]] = []
        self._rings = False
        self._off_hook = False
        self._up = False
        self._invites = 0
        self._over = False

    def invite(self, channel: Channel) -> None:
        """Send the INVITE."""
        self.channel = channel
        if not self.phone.script.dead:
            self._later(NETWORK, self._invited)

    def ringing(self, early: bool) -> None:
        """Nothing: a called phone rings by itself."""

    def answered(self) -> None:
        """Nothing: a called phone answers by itself."""

    def ended(self, cause: str, elsewhere: bool) -> None:
        """Be told to stop ringing (CANCEL), or that the conversation is over (BYE)."""
        reason = causes.reason_header(cause, elsewhere)
        gevent.spawn_later(NETWORK, self._told, reason)

    def pick_up(self) -> None:
        """Answer now, if it rings."""
        if self._rings and not self._off_hook and not self._over:
            self._answer()

    def _told(self, reason: str) -> None:
        if self._over or (self._off_hook and not self._up):
            return  # a CANCEL that finds the phone answered changes nothing
        if self._off_hook:
            self.switch.saw(self.phone.label, "bye", reason=reason)
        elif self._rings:
            self.switch.saw(self.phone.label, "cancel", reason=reason)
        self._forget()
        for waiting in self._pending:
            waiting.kill(block=False)

    def _forget(self) -> None:
        self._over = True
        self.switch.ringing.discard(self)

    def _later(self, delay: float, act: Callable[[], None]) -> None:
        self._pending.append(gevent.spawn_later(delay, act))

    def _invited(self) -> None:
        channel, script = self.channel, self.phone.script
        if channel is None or channel.down:
            self._over = True
            return
        self._invites += 1
        self._rings = True
        self.switch.ringing.add(self)
        self.switch.saw(
            self.phone.label,
            "invite",
            number=channel.profile.orig_number,
            name=channel.profile.orig_name,
            alert_info=channel.get("sip_h_Alert-Info") or "",
            diversion=channel.get("sip_h_Diversion") or "",
            hidden="hide_number" in (channel.get("origination_privacy") or ""),
            headers=_headers(channel),
        )
        if script.refuse is not None and script.refuse_after <= 0:
            self._refuse()
            return
        self._later(NETWORK, self._progress)
        if script.refuse is not None:
            self._later(script.refuse_after, self._refuse)
        elif script.answer_after is not None:
            self._later(script.answer_after, self._answer)

    def _progress(self) -> None:
        if self.channel is None:
            return
        self._heard_of()
        if self.phone.script.early_media:
            calls.pre_answer(self.switch, self.channel)
        else:
            calls.ring_ready(self.switch, self.channel)

    def _refuse(self) -> None:
        status = self.phone.script.refuse or 0
        self.switch.saw(self.phone.label, _REFUSALS.get(status, "reject"), code=status)
        self._rings = False
        if self.channel is None:
            return
        fatal = self.channel.true("outbound_redirect_fatal")
        if status // 100 == 3 and not fatal and self._invites <= _REDIRECTS:
            self._later(2 * NETWORK, self._invited)
            return
        self._later(NETWORK, self._refused)

    def _heard_of(self) -> None:
        """Let the switch know the phone's address, which it learns from the first response."""
        if self.channel is not None:
            self.channel.profile = replace(self.channel.profile, network_addr="127.0.0.1")

    def _refused(self) -> None:
        self._forget()
        self._heard_of()
        status = self.phone.script.refuse or 0
        if self.channel is not None:
            # As in the captures; the channel's last event carries both.
            self.channel.set("sip_invite_failure_status", str(status))
            self.channel.set("sip_term_status", str(status))
            calls.hangup(self.switch, self.channel, causes.from_sip(status))

    def _answer(self) -> None:
        if self._off_hook:
            return
        self._off_hook = True
        self.switch.ringing.discard(self)
        self.switch.saw(self.phone.label, "answer")
        self._later(NETWORK, self._picked_up)
        self._later(2 * NETWORK, self._acknowledged)
        press = self.phone.script.press_after
        if press is not None:
            self._later(press + 2 * NETWORK, self._press)
        after = self.phone.script.hang_up_after
        if after is not None:
            self._later(max(after, 2 * NETWORK), self._hang_up)

    def _picked_up(self) -> None:
        if self.channel is None:
            return
        self._up = True
        if self.channel.down:  # the 200 crossed a CANCEL: it is acknowledged, then comes a BYE
            self.ended(self.channel.cause, self.channel.elsewhere)
        else:
            calls.mark_answered(self.switch, self.channel)

    def _acknowledged(self) -> None:
        self.switch.saw(self.phone.label, "talking")

    def _press(self) -> None:
        """Press 1, which counts only while the switch asks for it."""
        if self.channel is not None and not self.channel.down:
            self.channel.confirmed = self.channel.get("group_confirm_key") == "1"
            self.channel.wake()

    def _hang_up(self) -> None:
        self._over = True
        gevent.spawn_later(NETWORK, self._bye)

    def _bye(self) -> None:
        if self.channel is not None:
            calls.hangup(self.switch, self.channel, "NORMAL_CLEARING")


def _headers(channel: Channel) -> dict[str, str]:
    """Return the headers of a leg's INVITE that are its own."""
    own = "sip_h_"
    return {
        name.removeprefix(own): channel.get(name) or ""
        for name in channel.variables
        if name.startswith(f"{own}X-")
    }


class CallerCall:
    """The caller's end of a call."""

    def __init__(self, switch: Switch, label: str) -> None:
        self.switch = switch
        self.label = label
        self.controllers = ""
        self._answered = False
        self._over = False
        self._coming: deque[tuple[str, dict[str, object]]] = deque()

    def ringing(self, early: bool) -> None:
        """Hear a 180, or a 183."""
        self._later("ringing", early=early)

    def answered(self) -> None:
        """Hear the 200."""
        self._answered = True
        self._later("answered")

    def ended(self, cause: str, elsewhere: bool) -> None:
        """Be hung up, or be refused with the status that the cause stands for."""
        reason = causes.reason_header(cause, elsewhere)
        if self._answered:
            self._later("bye", reason=reason)
        else:
            self._later("released", code=causes.sip_status(cause), reason=reason)

    def hang_up(self, channel: Channel) -> None:
        """Give up: CANCEL before the answer, BYE after it."""
        if self._over:
            return
        self._over = True
        self.switch.saw(self.label, "gave up")
        cause = "NORMAL_CLEARING" if self._answered else "ORIGINATOR_CANCEL"
        gevent.spawn_later(NETWORK, calls.hangup, self.switch, channel, cause)

    def _later(self, what: str, **detail: object) -> None:
        self._coming.append((what, detail))
        gevent.spawn_later(NETWORK, self._see)

    def _see(self) -> None:
        what, detail = self._coming.popleft()
        if not self._over:
            self._over = what in ("bye", "released")
            self.switch.saw(self.label, what, **detail)
