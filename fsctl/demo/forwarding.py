"""A leg whose directory entry leads back into the dialplan: by loopback, or by SIP.

Owns the second end of it, which is a caller of its own, and what the two ends tell each other.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fsctl.demo import calls
from fsctl.demo.channel import Channel

if TYPE_CHECKING:
    from fsctl.demo.phones import Phone
    from fsctl.demo.switch import Switch


class Forwarded:
    """The called end of a leg: a call to the dialplan instead of a telephone."""

    def __init__(self, switch: Switch, phone: Phone) -> None:
        self.switch = switch
        self.phone = phone
        self._further: Channel | None = None

    def invite(self, leg: Channel) -> None:
        """Call the extension. Loopback keeps the leg's variables, SIP its headers only."""
        extension, way = self.phone.forwards or ("", "")
        end = FurtherEnd(self.switch, leg)
        further = self._further = Channel(
            name=f"loopback/{extension}-b",
            inbound=True,
            profile=replace(leg.profile, dialplan="XML", destination=extension),
            phone=end,
            hit_dialplan=True,
            callstate="RINGING",
        )
        kept = "" if way == "loopback" else "sip_h_"
        for name, value in leg.variables.items():
            if name.startswith(kept):
                further.set(name, value)
        further.set("uuid", further.uuid)
        where = ("socket", f"{end.controllers} async full")
        further.queued = [where, ("demo_fallback", None), *self.switch.fallback]
        calls.create(self.switch, further)
        self.switch.start_session(further)

    def ringing(self, early: bool) -> None:
        """Nothing: the further end says so itself."""

    def answered(self) -> None:
        """Nothing: the further end says so itself."""

    def ended(self, cause: str, elsewhere: bool) -> None:  # noqa: ARG002 - as every telephone
        """Hang the further end up."""
        if self._further is not None:
            calls.hangup(self.switch, self._further, cause)


class FurtherEnd:
    """The telephone of the call to the dialplan: whatever it hears, the leg hears."""

    def __init__(self, switch: Switch, leg: Channel) -> None:
        self.controllers = switch.controllers
        self._switch = switch
        self._leg = leg

    def ringing(self, early: bool) -> None:
        """Let the leg ring."""
        (calls.pre_answer if early else calls.ring_ready)(self._switch, self._leg)

    def answered(self) -> None:
        """Let the leg be answered."""
        calls.mark_answered(self._switch, self._leg)

    def ended(self, cause: str, elsewhere: bool) -> None:  # noqa: ARG002 - as every telephone
        """End the leg."""
        calls.hangup(self._switch, self._leg, cause)
