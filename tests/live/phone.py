"""A member's telephone: registers, rings as its script says, and tells the log what it saw.

Owns the called side of RFC 3261 on UDP. Must not know the switch's configuration nor the caller.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import gevent
from gevent import Greenlet

from tests.live import sip
from tests.live.dialog import Dialog
from tests.live.endpoint import Address, Endpoint
from tests.live.log import PhoneLog
from tests.scenarios.rig import Script

REFUSALS = {302: "redirect", 486: "busy"}


class Phone:
    """One telephone of ``user``, to be registered; ``label`` is its name in the log."""

    def __init__(
        self,
        label: str,
        domain: str,
        password: str,
        switch: Address,
        log: PhoneLog,
        port: int = 0,
    ) -> None:
        self.label = label
        self.user = label.partition("#")[0]
        self.script = Script()
        self.calls: list[RingingCall] = []
        self.password = password
        self.endpoint = Endpoint(self._stranger, port)
        self._domain = domain
        self._switch = switch
        self._log = log
        self._call_id = sip.token()
        self._tag = sip.token()
        self._sequence = 0

    def register(self, expires: int = 3600) -> None:
        """Register with the switch (0 unregisters); ConnectionError when it refuses."""
        answer = self._register(expires)
        if answer.status == 401:
            uri = f"sip:{self._domain}"
            challenge = answer.get("WWW-Authenticate")
            proof = sip.authorization(challenge, "REGISTER", uri, self.user, self.password)
            answer = self._register(expires, ("Authorization", proof))
        if answer.status != 200:
            raise ConnectionError(f"{self.label} could not register: {answer.start}")

    def _register(self, expires: int, *proof: tuple[str, str]) -> sip.Message:
        self._sequence += 1
        own = f"<sip:{self.user}@{self._domain}>"
        headers = [
            self.endpoint.via(sip.branch()),
            ("Max-Forwards", "70"),
            ("From", f"{own};tag={self._tag}"),
            ("To", own),
            ("Call-ID", self._call_id),
            ("CSeq", f"{self._sequence} REGISTER"),
            ("Contact", self.endpoint.contact(self.user)),
            ("Expires", str(expires)),
            *proof,
        ]
        request = sip.request("REGISTER", f"sip:{self._domain}", headers)
        return self.endpoint.transact(request, self._switch)

    def close(self) -> None:
        """Forget every call and shut the socket; the switch is not told."""
        for call in self.calls:
            call.end()
        self.endpoint.close()

    def _stranger(self, message: sip.Message, sender: Address, at: float) -> None:
        if self.script.dead:
            return
        if message.method == "INVITE" and not message.status:
            self.calls.append(RingingCall(self, self._log, message, sender, at))
        elif not message.status and message.method != "ACK":
            known = message.method in {"OPTIONS", "NOTIFY", "MESSAGE"}
            self.endpoint.send(sip.response(message, 200 if known else 481), sender)


class RingingCall(Dialog):
    """A call that a telephone gets: it rings, is answered, refused or cancelled."""

    def __init__(
        self, phone: Phone, log: PhoneLog, invite: sip.Message, switch: Address, at: float
    ) -> None:
        super().__init__(phone.endpoint, log, phone.label, invite.get("Call-ID"), switch)
        tag = sip.token()
        self.rings = True
        self.acknowledged = False
        """Whether the switch has taken in that this telephone was picked up."""
        self._invite = invite
        self._refused = 0
        self._tag = tag
        self._local = f"{invite.get('To')};tag={tag}"
        self._remote = invite.get("From")
        self._target = sip.uri(invite.get("Contact"))
        self._contact = ("Contact", phone.endpoint.contact(phone.user))
        self._repeating: Greenlet[..., None] | None = None
        self._last: sip.Message | None = None
        self._timers: list[Greenlet[..., object]] = []
        log.record(
            self.who,
            "invite",
            at,
            number=sip.user(self._remote),
            name=sip.display_name(self._remote),
            alert_info=invite.get("Alert-Info"),
            diversion=invite.get("Diversion"),
            hidden="privacy=full" in invite.get("Remote-Party-ID"),
            headers={name: value for name, value in invite.headers if name.startswith("X-")},
        )
        self._press_after = phone.script.press_after
        self._keys_in_voice = phone.script.keys_in_voice
        self._begin(phone.script)

    def _begin(self, script: Script) -> None:
        if script.refuse is not None and script.refuse_after == 0:
            self.refuse(script.refuse)
            return
        if script.early_media:
            self._respond(183, sip.sdp(self.voice.port))
            self.voice.start(sip.media_address(self._invite.body))
        else:
            self._respond(180)
        if script.refuse is not None:
            self._later(script.refuse_after, partial(self.refuse, script.refuse))
        elif script.answer_after is not None:
            self._later(script.answer_after, lambda: self.answer(script.hang_up_after))

    def _later(self, seconds: float, action: Callable[[], object]) -> None:
        self._timers.append(gevent.spawn_later(seconds, action))

    def accept(self) -> sip.Message:
        """The 200 that ``answer`` sends, ready beforehand so that two phones can answer at once."""
        offered = sip.sdp(self.voice.port, keys=self._keys_in_voice)
        return sip.response(self._invite, 200, self._tag, [self._contact], offered)

    def answer(self, hang_up_after: float | None = None) -> None:
        """Pick up now, unless the call is no longer ringing."""
        if self.rings:
            accepted = self.accept()
            self.accepted(accepted, self._endpoint.send(accepted, self._switch), hang_up_after)

    def send(self, datagram: bytes) -> float:
        """Send a message made ready before; returns the moment just before it left."""
        return self._endpoint.send_datagram(datagram, self._switch)

    def accepted(self, sent: sip.Message, at: float, hang_up_after: float | None = None) -> None:
        """The 200 went out at ``at``: repeat it until the ACK, and speak."""
        self.rings = False
        self._last = sent
        self._log.record(self.who, "answer", at)
        self._repeating = self._endpoint.repeat(sent, self._switch)
        self.voice.start(sip.media_address(self._invite.body))
        if self._press_after is not None:
            self._later(self._press_after, self.press)
        if hang_up_after is not None:
            self._later(hang_up_after, self.hang_up)

    def press(self) -> None:
        """Press 1."""
        if self.over:
            return
        if self._keys_in_voice:
            self.voice.press(1)
        else:
            self.say_digit("1")

    def hang_up(self) -> None:
        """Hang up an answered call; nothing when it is over already."""
        if not self.over and not self.rings:
            self.say_bye()

    def refuse(self, code: int) -> None:
        """Answer with this final status, unless the call is no longer ringing."""
        if not self.rings:
            return
        at = self._finish(code)
        self._refused = code
        self._log.record(self.who, REFUSALS.get(code, "reject"), at, code=code)

    def on_cancel(self, message: sip.Message, sender: Address, at: float) -> None:
        super().on_cancel(message, sender, at)
        if self.rings:
            self.told = at, message.get("Reason")
            self._log.record(self.who, "cancel", at, reason=message.get("Reason"))
            self._finish(487)

    def on_ack(self, at: float) -> None:
        if self._repeating is not None:
            self._repeating.kill(block=False)
            self._repeating = None
            if not self.over:
                self.acknowledged = True
                self.talking = True
                self._log.record(self.who, "talking", at)

    def on_invite(self, message: sip.Message, sender: Address, _at: float) -> None:
        if message.sequence != self._invite.sequence and self._refused:
            # The switch tries once more by itself, as RFC 4028 wants after a 422.
            self._invite = message
            self._respond(self._refused)
        elif message.sequence != self._invite.sequence:
            super().on_invite(message, sender, _at)
        elif self._last is not None:
            self._endpoint.send(self._last, sender)

    def end(self) -> None:
        for timer in self._timers:
            if timer is not gevent.getcurrent():
                timer.kill(block=False)
        if self._repeating is not None and not self.rings:
            self._repeating.kill(block=False)
        self.rings = False
        super().end()

    def _respond(self, status: int, body: str = "") -> float:
        headers = [self._contact] if status < 400 else []
        self._last = sip.response(self._invite, status, self._tag, headers, body)
        return self._endpoint.send(self._last, self._switch)

    def _finish(self, status: int) -> float:
        at = self._respond(status)
        self.end()
        if self._last is not None:
            self._repeating = self._endpoint.repeat(self._last, self._switch)
        return at
