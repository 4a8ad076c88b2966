"""The caller's telephone: places a call, gives it up, and tells the log what it saw.

Owns the calling side of RFC 3261 on UDP. Must not know members, groups or how the switch is set up.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from gevent import Greenlet

from tests.live import sip
from tests.live.dialog import Dialog
from tests.live.endpoint import Address, Endpoint
from tests.live.log import PhoneLog


@dataclass(frozen=True, slots=True)
class Placing:
    """How a call is placed: whom it asks for, as whom, and the password if it may be asked for.

    ``sender`` is a From header's value as it is, in place of the one made of user and name.
    """

    number: str
    domain: str
    user: str
    name: str
    controllers: str
    password: str = ""
    sender: str = ""
    extra: tuple[tuple[str, str], ...] = ()
    """More headers of the INVITE."""
    late_offer: bool = False
    """Whether the INVITE has no SDP: the switch offers one in its 200, and the ACK answers it."""


class OutgoingCall(Dialog):
    """One call placed through the switch at ``switch``.

    Its Call-ID is a uuid, which the switch takes over as its channel's (the sofia profile's
    ``inbound-use-callid-as-uuid``).
    """

    def __init__(
        self, endpoint: Endpoint, log: PhoneLog, who: str, switch: Address, placing: Placing
    ) -> None:
        super().__init__(endpoint, log, who, str(uuid.uuid4()), switch)
        self.gave_up = False
        self._placing = placing
        self._heard_ringing: set[bool] = set()
        self._target = f"sip:{placing.number}@{placing.domain}"
        own = f"<sip:{placing.user}@{placing.domain}>"
        own = f"{sip.quoted(placing.name)} {own}" if placing.name else own
        self._local = f"{placing.sender or own};tag={sip.token()}"
        self._remote = f"<{self._target}>"
        self._repeating: Greenlet[..., None] | None = None
        self._ack: sip.Message | None = None
        self._invite = self._build()
        at = self._place()
        log.record(who, "calling", at, number=placing.number)

    @property
    def uuid(self) -> str:
        """The caller's channel, once the switch has taken the call."""
        return self.call_id

    def hang_up(self) -> None:
        """Give up at once: CANCEL before the answer, BYE after it."""
        if self.over or self.gave_up:
            return
        self.gave_up = True
        if self.talking:
            at = self.say_bye()
        else:
            cancel = sip.request("CANCEL", self._target, self._of_invite("CANCEL"))
            at = self._endpoint.send(cancel, self._switch)
            self._endpoint.see_through(cancel, self._switch)
        self._log.record(self.who, "gave up", at)

    def stop_calling(self) -> None:
        """Repeat the INVITE no more."""
        if self._repeating is not None:
            self._repeating.kill(block=False)
            self._repeating = None

    def on_response(self, message: sip.Message, sender: Address, at: float) -> None:
        if message.method != "INVITE" or message.sequence != self._invite.sequence:
            return
        self.stop_calling()
        if message.status < 200:
            self._progress(message, at)
        elif message.status < 300:
            self._answered(message, sender, at)
        else:
            self._failed(message, at)

    def end(self) -> None:
        self.stop_calling()
        super().end()

    def _build(self, *proof: tuple[str, str]) -> sip.Message:
        headers = [
            *self.headers("INVITE", sip.branch()),
            ("Contact", self._endpoint.contact("caller")),
            ("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE"),
            ("X-Controllers", self._placing.controllers),
            *self._placing.extra,
            *proof,
        ]
        return sip.request("INVITE", self._target, headers, self._sdp(self._placing.late_offer))

    def _sdp(self, later: bool) -> str:
        return "" if later else sip.sdp(self.voice.port)

    def _place(self) -> float:
        at = self._endpoint.send(self._invite, self._switch)
        self._repeating = self._endpoint.repeat(self._invite, self._switch)
        return at

    def _of_invite(self, method: str, to: str = "") -> list[tuple[str, str]]:
        """Headers of a request that belongs to the INVITE's own transaction."""
        sequence = f"{self._invite.sequence} {method}"
        return [
            ("Via", self._invite.get("Via")),
            ("Max-Forwards", "70"),
            ("From", self._local),
            ("To", to or self._remote),
            ("Call-ID", self.call_id),
            ("CSeq", sequence),
        ]

    def _progress(self, message: sip.Message, at: float) -> None:
        if message.status in (180, 183):
            early = bool(message.body)
            if early not in self._heard_ringing:
                self._heard_ringing.add(early)
                self._log.record(self.who, "ringing", at, early=early)

    def _answered(self, message: sip.Message, sender: Address, at: float) -> None:
        if self._ack is not None:
            self._endpoint.send(self._ack, sender)
            return
        self._remote = message.get("To")
        self._target = sip.uri(message.get("Contact"))
        body = self._sdp(not self._placing.late_offer)
        self._ack = sip.request("ACK", self._target, self.headers("ACK", sip.branch()), body)
        self._endpoint.send(self._ack, sender)
        self._log.record(self.who, "answered", at)
        if self.gave_up:
            self.say_bye()
            return
        self.talking = True
        self.voice.start(sip.media_address(message.body))

    def _failed(self, message: sip.Message, at: float) -> None:
        ack = self._of_invite("ACK", message.get("To"))
        self._endpoint.send(sip.request("ACK", self._target, ack), self._switch)
        if message.status in (401, 407) and self._placing.password and self._sequence == 1:
            self._authenticate(message)
            return
        if self.over:
            return
        if not self.gave_up:
            reason = message.get("Reason")
            self._log.record(self.who, "released", at, code=message.status, reason=reason)
        self.end()

    def _authenticate(self, message: sip.Message) -> None:
        ours = message.status == 401
        challenge = message.get("WWW-Authenticate" if ours else "Proxy-Authenticate")
        placing = self._placing
        proof = sip.authorization(challenge, "INVITE", self._target, placing.user, placing.password)
        self._sequence += 1
        self._invite = self._build(("Authorization" if ours else "Proxy-Authorization", proof))
        self._place()
