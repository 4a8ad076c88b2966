"""A group of its own with telephones of its own, so that many trials can go on at once.

Owns one number, its members' telephones and the callers who dial it. Must not know what is tried.
"""

from __future__ import annotations

from gevent import Greenlet

from tests.live.caller import OutgoingCall, Placing
from tests.live.configuration import DOMAIN
from tests.live.endpoint import Address, Endpoint
from tests.live.freeswitch import FreeSwitch
from tests.live.log import PhoneLog
from tests.live.phone import Phone, RingingCall
from tests.scenarios.rig import Script


class Desk:
    """One number with its members; ``phones`` are in the order of the users, ``each`` of a user."""

    def __init__(
        self, switch: FreeSwitch, number: str, users: tuple[str, ...], each: int = 1
    ) -> None:
        self.number = number
        self.log = PhoneLog()
        self.callers: list[OutgoingCall] = []
        self._switch = switch
        self._endpoint = Endpoint(lambda _message, _sender, _at: None)
        internal: Address = ("127.0.0.1", switch.ports.internal)
        labels = [f"{user}#{n}" if n else user for user in users for n in range(each)]
        self.phones = [Phone(own, DOMAIN, switch.password, internal, self.log) for own in labels]
        for phone in self.phones:
            phone.register()

    def clear(self, script: Script | None = None) -> None:
        """Begin anew: all telephones ring as ``script`` says, nothing was seen yet."""
        for phone in self.phones:
            phone.script = script or Script()
            phone.calls.clear()
        self.callers.clear()
        self.log.clear()

    def dial(
        self, controllers: str, sender: str = "", extra: tuple[tuple[str, str], ...] = ()
    ) -> OutgoingCall:
        """Place a call as a stranger, with a From header and others of one's own if need be."""
        placing = Placing(
            number=self.number,
            domain=DOMAIN,
            user="+48600100200",
            name="Kowalski",
            controllers=controllers,
            sender=sender,
            extra=extra,
        )
        external = ("127.0.0.1", self._switch.ports.external)
        self.callers.append(OutgoingCall(self._endpoint, self.log, "caller", external, placing))
        return self.callers[-1]

    def dial_from(self, phone: Phone, number: str, controllers: str, who: str) -> OutgoingCall:
        """Place a call from a telephone of this desk, which proves whose it is."""
        placing = Placing(
            number=number,
            domain=DOMAIN,
            user=phone.user,
            name=phone.user,
            controllers=controllers,
            password=phone.password,
        )
        internal = ("127.0.0.1", self._switch.ports.internal)
        self.callers.append(OutgoingCall(phone.endpoint, self.log, who, internal, placing))
        return self.callers[-1]

    @property
    def legs(self) -> list[RingingCall]:
        """Every call that a telephone of this desk got since the last ``clear``."""
        return [call for phone in self.phones for call in phone.calls]

    @property
    def live(self) -> list[RingingCall]:
        """The legs that ring or talk now."""
        return [leg for leg in self.legs if not leg.over]

    @property
    def silent(self) -> bool:
        """Whether no telephone rings or talks."""
        return not self.live

    def close(self) -> None:
        """Hang up whoever still talks, and shut the sockets."""
        for caller in self.callers:
            caller.hang_up()
        closing = [Greenlet.spawn(phone.close) for phone in self.phones]
        for greenlet in closing:
            greenlet.join()
        self._endpoint.close()
