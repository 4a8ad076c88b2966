"""The Python switch as a rig for scenarios.

Owns the wiring of ``fsctl.demo`` to the words of ``tests.scenarios.rig``, nothing more.
"""

from __future__ import annotations

from collections.abc import Mapping

from fsctl.demo import PlacedCall, Switch
from fsctl.demo import Script as PhoneScript
from fsctl.demo.inbound import EventSocket
from fsctl.demo.transfers import refer
from tests.live.configuration import DOMAIN, USERS
from tests.live.log import PhoneLog
from tests.scenarios.rig import Actions, Script


class PythonCall:
    """One call placed by a caller; implements ``tests.scenarios.rig.Call``."""

    def __init__(self, placed: PlacedCall) -> None:
        self.who = placed.who
        self._placed = placed

    @property
    def uuid(self) -> str:
        return self._placed.uuid

    def hang_up(self) -> None:
        self._placed.hang_up()

    def hears(self, user: str, timeout: float = 3.0) -> bool:
        return self._placed.talks_to(user, timeout)

    def talks_with(self, other: PythonCall, timeout: float = 3.0) -> bool:
        return self._placed.talks_with(other._placed, timeout)

    def listens(self, timeout: float = 3.0) -> bool:
        return self._placed.plays(timeout)


def _script(wanted: Script) -> PhoneScript:
    return PhoneScript(
        answer_after=wanted.answer_after,
        hang_up_after=wanted.hang_up_after,
        refuse=wanted.refuse,
        refuse_after=wanted.refuse_after,
        early_media=wanted.early_media,
        press_after=wanted.press_after,
        dead=wanted.dead,
    )


class PythonRig:
    """The Python switch and its telephones; ``controllers`` may be changed between calls."""

    name = "python"
    domain = DOMAIN

    def __init__(self, controllers: str = "127.0.0.1:8084") -> None:
        self.controllers = controllers
        self.log = PhoneLog()
        self.switch = Switch(controllers, domain=DOMAIN, context="rig", fallback=[("park", None)])
        self.switch.observers.append(self._saw)
        self._event_socket = EventSocket(self.switch)
        self._know_users()

    @property
    def esl_url(self) -> str:
        return self._event_socket.url

    def api(self, command: str) -> str:
        name, _, argument = command.partition(" ")
        return self.switch.api(name, argument)

    def _know_users(self) -> None:
        for user in USERS:
            self.switch.register(user, phones=0)

    def _saw(self, who: str, what: str, detail: Mapping[str, object]) -> None:
        self.log.record(who, what, None, **detail)

    def phone(self, user: str, script: Script | None = None, phones: int = 1) -> None:
        self.phones(user, *[script or Script()] * phones)

    def phones(self, user: str, *scripts: Script) -> None:
        self.switch.register_phones(user, *map(_script, scripts))

    def slow_directory(self, user: str, seconds: float) -> None:
        self.switch.look_up[user] = seconds

    def forward(self, user: str, number: str, way: str) -> None:
        self.switch.register(user)
        self.switch.forward(user, number, way)

    def answer_together(self, *users: str) -> None:
        """Every phone of these users that rings now picks up at the same moment."""
        self.switch.pick_up(*users)

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
    ) -> PythonCall:
        resumption = (("set", "socket_resume=true"),) if resumes else ()
        placed = self.switch.dial(
            number,
            caller_number=caller_number,
            caller_name=caller_name,
            user=user,
            who=who,
            controllers=controllers or self.controllers,
            hidden=hidden,
            before=(*resumption, *before, *(((("answer", ""),)) if late_offer else ())),
            flags=flags,
            headers=headers,
        )
        return PythonCall(placed)

    def transfer(self, user: str, number: str, controllers: str | None = None) -> None:
        refer(self.switch, user, number, controllers)

    def channels(self) -> list[str]:
        return list(self.switch.channels)

    def fallbacks(self) -> list[str]:
        return list(self.switch.fallen_back)

    def reset(self) -> None:
        self.switch.reset()
        self.log.clear()
        self._know_users()

    def close(self) -> None:
        self._event_socket.stop(timeout=0)
        self.switch.close()
