"""One call as one telephone has it, from whichever side it was begun.

Owns what both sides share once a call stands: its voice, hanging up and being hung up, a second
offer of media. Must not know how a call is begun, nor scripts.
"""

from __future__ import annotations

from tests.live import sip
from tests.live.endpoint import Address, Endpoint
from tests.live.log import PhoneLog
from tests.live.rtp import Voice


class Dialog:
    """A call between ``local`` and ``remote`` (From or To header values, ours with its tag)."""

    def __init__(
        self, endpoint: Endpoint, log: PhoneLog, who: str, call_id: str, switch: Address
    ) -> None:
        self.who = who
        self.call_id = call_id
        self.talking = False
        self.over = False
        self.told: tuple[float, str] | None = None
        """When the switch ended this call, and the SIP Reason it gave."""
        self.voice = Voice()
        self._endpoint = endpoint
        self._log = log
        self._switch = switch
        self._local = ""
        self._remote = ""
        self._target = ""
        self._sequence = 1
        self._media_version = 1
        endpoint.attach(call_id, self.receive)

    def receive(self, message: sip.Message, sender: Address, at: float) -> None:
        """Take one message of this call."""
        if message.status:
            self.on_response(message, sender, at)
        elif message.method == "BYE":
            self._endpoint.send(sip.response(message, 200), sender)
            if not self.over:
                self.told = at, message.get("Reason")
                self._log.record(self.who, "bye", at, reason=message.get("Reason"))
                self.end()
        elif message.method == "INVITE":
            self.on_invite(message, sender, at)
        elif message.method == "ACK":
            self.on_ack(at)
        elif message.method == "CANCEL":
            self.on_cancel(message, sender, at)
        else:
            self._endpoint.send(sip.response(message, 200), sender)

    def on_response(self, message: sip.Message, sender: Address, at: float) -> None:
        """A response to a request of ours; most need nothing more."""

    def on_ack(self, at: float) -> None:
        """The switch acknowledges a final response of ours."""

    def on_cancel(self, message: sip.Message, sender: Address, _at: float) -> None:
        """Too late to cancel anything: RFC 3261 section 9.2 still wants a 200."""
        self._endpoint.send(sip.response(message, 200), sender)

    def on_invite(self, message: sip.Message, sender: Address, _at: float) -> None:
        """A second offer within the call (a moved stream, a session timer)."""
        self._media_version += 1
        answer = sip.response(
            message,
            200,
            headers=[("Contact", self._endpoint.contact(self.who.partition("#")[0]))],
            body=sip.sdp(self.voice.port, self._media_version),
        )
        self._endpoint.send(answer, sender)
        self.voice.start(sip.media_address(message.body))

    def say_bye(self) -> float:
        """Hang an answered call up; returns the moment it was sent."""
        self._sequence += 1
        bye = sip.request("BYE", self._target, self.headers("BYE", sip.branch()))
        at = self._endpoint.send(bye, self._switch)
        self._endpoint.see_through(bye, self._switch)
        self.end()
        return at

    def say_digit(self, digit: str) -> None:
        """Press a key, as SIP INFO tells it (application/dtmf-relay)."""
        self._sequence += 1
        info = sip.request("INFO", self._target, self.headers("INFO", sip.branch()))
        info.headers.append(("Content-Type", "application/dtmf-relay"))
        info.body = f"Signal={digit}\r\nDuration=160\r\n"
        self._endpoint.send(info, self._switch)
        self._endpoint.see_through(info, self._switch)

    def transfer(self, target: str) -> None:
        """Have the switch connect the other side with somebody else (REFER, RFC 3515)."""
        self._sequence += 1
        refer = sip.request("REFER", self._target, self.headers("REFER", sip.branch()))
        refer.headers.append(("Contact", self._endpoint.contact(self.who.partition("#")[0])))
        refer.headers.append(("Refer-To", f"<{target}>"))
        self._endpoint.send(refer, self._switch)
        self._endpoint.see_through(refer, self._switch)

    def headers(self, method: str, branch: str) -> list[tuple[str, str]]:
        return [
            self._endpoint.via(branch),
            ("Max-Forwards", "70"),
            ("From", self._local),
            ("To", self._remote),
            ("Call-ID", self.call_id),
            ("CSeq", f"{self._sequence} {method}"),
        ]

    def end(self) -> None:
        """The call is over for this telephone; late messages are still answered."""
        self.talking = False
        self.over = True
        self.voice.close()
