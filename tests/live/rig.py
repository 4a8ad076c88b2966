"""A real FreeSWITCH with telephones of our own, as ``tests.scenarios.rig.Rig`` wants it.

Owns the wiring of switch, phones and callers, and putting all of it back between tests. Must not
know the controller beyond its address.
"""

from __future__ import annotations

from gevent.pool import Pool

from tests.live.caller import OutgoingCall, Placing
from tests.live.configuration import BEFORE, DOMAIN, USERS
from tests.live.directory import SlowDirectory
from tests.live.endpoint import Address, Endpoint
from tests.live.freeswitch import FreeSwitch
from tests.live.log import PhoneLog
from tests.live.phone import Phone, RingingCall
from tests.live.rtp import both_ways
from tests.scenarios.rig import Actions, Script


class LiveCall:
    """One call placed by a caller; implements ``tests.scenarios.rig.Call``."""

    def __init__(self, rig: FreeSwitchRig, call: OutgoingCall) -> None:
        self.who = call.who
        self._rig = rig
        self._call = call

    @property
    def uuid(self) -> str:
        return self._call.uuid

    def hang_up(self) -> None:
        self._call.hang_up()

    def hears(self, user: str, timeout: float = 3.0) -> bool:
        talking = [call for call in self._rig.calls_of(user) if call.talking]
        pool = Pool()
        heard = pool.map(lambda call: both_ways(self._call.voice, call.voice, timeout), talking)
        return self._call.talking and any(heard)

    def first_voices(self, user: str, timeout: float = 3.0) -> tuple[float, float]:
        """Return when the caller heard a user who talks first, and the other way round
        (``time.monotonic()``, seconds). AssertionError when they do not hear each other in time."""
        [other] = [call for call in self._rig.calls_of(user) if call.talking]
        own = self._call.voice
        assert both_ways(own, other.voice, timeout)
        return own.first_heard[other.voice.pattern], other.voice.first_heard[own.pattern]

    def talks_with(self, other: LiveCall, timeout: float = 3.0) -> bool:
        both = self._call.talking and other._call.talking
        return both and both_ways(self._call.voice, other._call.voice, timeout)

    def listens(self, timeout: float = 3.0) -> bool:
        return self._call.voice.hears_sound(timeout)


class FreeSwitchRig:
    """FreeSWITCH and its telephones; ``controllers`` may be changed between calls."""

    name = "freeswitch"
    domain = DOMAIN

    def __init__(self, controllers: str = "127.0.0.1:8084", outside: int = 0) -> None:
        self.controllers = controllers
        self._outside = outside
        self.log = PhoneLog()
        self._fallbacks: list[str] = []
        self._phones: dict[str, list[Phone]] = {}
        self._callers: list[OutgoingCall] = []
        self._sockets: list[Endpoint] = []
        self.switch = FreeSwitch(self._on_fallback)
        self._directory: SlowDirectory | None = None

    @property
    def esl_url(self) -> str:
        return f"esl://:{self.switch.password}@127.0.0.1:{self.switch.ports.event_socket}"

    def api(self, command: str) -> str:
        return self.switch.api(command)

    def phone(self, user: str, script: Script | None = None, phones: int = 1) -> None:
        self.phones(user, *[script or Script()] * phones)

    def phones(self, user: str, *scripts: Script) -> None:
        if user.startswith("+"):
            self._ring_outside(user, *scripts)
            return
        if user not in USERS:
            raise ValueError(f"{user!r} is not a user of the rig: {USERS[0]} to {USERS[-1]}")
        own = self._phones.setdefault(user, [])
        while len(own) > len(scripts):
            self._unregister(own.pop())
        while len(own) < len(scripts):
            label = f"{user}#{len(own) + 1}" if own else user
            phone = Phone(label, DOMAIN, self.switch.password, self._internal, self.log)
            own.append(phone)
            phone.register()
        for phone, script in zip(own, scripts, strict=True):
            phone.script = script

    def forward(self, user: str, number: str, way: str) -> None:
        where = {
            "loopback": f"loopback/{number}/rig/XML",
            "sip": f"sofia/internal/{number}@127.0.0.1:{self.switch.ports.external}",
            "bridge": f"loopback/follow-{number}/rig/XML",
            "transfer": f"loopback/move-{number}/rig/XML",
        }[way]
        self.api(f"global_setvar {user}={where}")
        self.api(f"global_setvar controllers={self.controllers}")

    def _ring_outside(self, number: str, script: Script) -> None:
        """Put a telephone of no user where the controller dials telephone numbers."""
        phone = Phone(number, DOMAIN, "", self._external, self.log, self._outside)
        phone.script = script
        self._phones[number] = [phone]

    def slow_directory(self, user: str, seconds: float) -> None:
        if self._directory is None:
            self._directory = SlowDirectory(self.switch)
        self._directory.seconds[user] = seconds

    def calls_of(self, user: str) -> list[RingingCall]:
        return [call for phone in self._phones.get(user, []) for call in phone.calls]

    def answer_together(self, *users: str) -> None:
        """Every phone of these users that rings now picks up, the 200s sent back to back."""
        ready = [
            (call, sent := call.accept(), sent.encode())
            for user in users
            for call in self.calls_of(user)
            if call.rings
        ]
        moments = [call.send(datagram) for call, _, datagram in ready]
        for (call, sent, _), at in zip(ready, moments, strict=True):
            call.accepted(sent, at)

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
    ) -> LiveCall:
        extra = [*headers, *([("Privacy", "id")] if hidden else [])]
        if flags != "async full":
            number = f"flags-{flags or 'none'}-{'true' if resumes else 'false'}"
        if before:
            steps = [*before, ("transfer", f"{number} XML rig")]
            extra.append(("X-Before", "^".join(f"{name}:{data}" for name, data in steps)))
            number = BEFORE
        placing = Placing(
            number=number,
            domain=DOMAIN,
            user=user or caller_number,
            name=caller_name,
            controllers=controllers or self.controllers,
            password=self.switch.password if user else "",
            extra=tuple(extra),
            late_offer=late_offer,
        )
        own = self._phones.get(user, []) if user else []
        endpoint = own[0].endpoint if own else self._socket()
        switch = self._internal if user else self._external
        call = OutgoingCall(endpoint, self.log, who, switch, placing)
        self._callers.append(call)
        return LiveCall(self, call)

    def transfer(self, user: str, number: str, controllers: str | None = None) -> None:
        if controllers:
            self.api(f"uuid_setvar {self._callers[-1].call_id} sip_h_X-Controllers {controllers}")
        own = [*self.calls_of(user), *(one for one in self._callers if one.who == user)]
        [call] = [call for call in own if call.talking]
        call.transfer(f"sip:{number}@{DOMAIN}")

    def channels(self) -> list[str]:
        return self.switch.channels()

    def fallbacks(self) -> list[str]:
        return list(self._fallbacks)

    def reset(self) -> None:
        for caller in self._callers:
            caller.stop_calling()
        self.switch.hang_up_all()
        if self._directory:
            self._directory.close()
            self._directory = None
        everyone = [phone for own in self._phones.values() for phone in own]
        Pool(20).map(self._unregister, everyone)
        for caller in self._callers:
            caller.end()
        for endpoint in self._sockets:
            endpoint.close()
        self._phones.clear()
        self._callers.clear()
        self._sockets.clear()
        self._fallbacks.clear()
        self.log.clear()

    def close(self) -> None:
        try:
            self.reset()
        finally:
            self.switch.stop()

    @property
    def _internal(self) -> Address:
        return "127.0.0.1", self.switch.ports.internal

    @property
    def _external(self) -> Address:
        return "127.0.0.1", self.switch.ports.external

    def _socket(self) -> Endpoint:
        endpoint = Endpoint(lambda _message, _sender, _at: None)
        self._sockets.append(endpoint)
        return endpoint

    def _unregister(self, phone: Phone) -> None:
        try:
            if not phone.user.startswith("+"):
                phone.register(expires=0)
        finally:
            phone.close()

    def _on_fallback(self, uuid: str) -> None:
        self._fallbacks.append(uuid)
        caller = next((call for call in self._callers if call.call_id == uuid), None)
        if caller is not None:
            self.log.record(caller.who, "fallback")
