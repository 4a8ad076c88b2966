"""The switch as a whole: its users, its channels, its dialplan, and the way in for callers.

Owns what there is one of. Each thing that can happen lives in a module of its own.
"""

from __future__ import annotations

import itertools
import time
import uuid as uuids
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import gevent
import gevent.event

from fsctl.demo import api, apps, calls, listener, sounds
from fsctl.demo.channel import Action, Channel, Profile
from fsctl.demo.clock import Scheduler, stamp
from fsctl.demo.events import Bus
from fsctl.demo.expand import expand
from fsctl.demo.limits import Limits, Throttle
from fsctl.demo.phones import NETWORK, CallerCall, MemberCall, Phone, Script

#: What an observer gets: the telephone's label, what it saw or did, and details. The words are
#: those of the scenario log (invite, answer, talking, cancel, bye, busy, reject, redirect, calling,
#: ringing, answered, released, gave up), and "fallback" for a caller who came past its controllers.
Observer = Callable[[str, str, Mapping[str, object]], None]

#: What the dialplan does with a caller whose controllers are all gone.
FALLBACK: tuple[Action, ...] = (("hangup", "NORMAL_TEMPORARY_FAILURE"),)

_FIRST_PORT = 20000


class PlacedCall:
    """A caller's call, from the caller's side."""

    def __init__(self, switch: Switch, channel: Channel, phone: CallerCall) -> None:
        self._switch = switch
        self._channel = channel
        self._phone = phone
        self.who = phone.label

    @property
    def uuid(self) -> str:
        """The caller's channel."""
        return self._channel.uuid

    def hang_up(self) -> None:
        """Give up: CANCEL before the answer, BYE after it."""
        self._phone.hang_up(self._channel)

    def talks_to(self, user: str, timeout: float = 0.0) -> bool:
        """Tell whether this call is, or within ``timeout`` seconds gets, bridged with the user."""
        return self._comes(lambda: self._partner() == user, timeout)

    def talks_with(self, other: PlacedCall, timeout: float = 0.0) -> bool:
        """Tell whether this call is, or gets, bridged with that one."""
        return self._comes(lambda: self._channel.partner is other._channel, timeout)

    def plays(self, timeout: float = 0.0) -> bool:
        """Tell whether the caller hears a sound, or does within ``timeout`` seconds."""
        return self._comes(lambda: sounds.audible(self._channel.playing), timeout)

    def _comes(self, condition: Callable[[], bool], timeout: float) -> bool:
        """Wait until something about the channel is so."""
        changed = gevent.event.Event()
        self._channel.watchers.append(changed)
        deadline = time.monotonic() + timeout
        try:
            while not condition():
                changed.clear()
                if not changed.wait(max(0.0, deadline - time.monotonic())):
                    return False
            return True
        finally:
            self._channel.watchers.remove(changed)

    def _partner(self) -> str | None:
        partner = self._channel.partner
        return (
            partner.phone.phone.user if partner and isinstance(partner.phone, MemberCall) else None
        )


class Switch:
    """A switch with registered telephones that hands every caller to a controller.

    ``controllers`` is the list given to the ``socket`` application (``host:port|host:port``);
    ``fallback`` are the dialplan's actions after it, as (application, argument) pairs. ``context``
    is where all of that stands.
    """

    def __init__(
        self,
        controllers: str,
        *,
        domain: str = "pbx.test",
        context: str = "default",
        fallback: Sequence[Action] = FALLBACK,
    ) -> None:
        self.controllers = controllers
        self.domain = domain
        self.context = context
        self.fallback = list(fallback)
        self.core_uuid = str(uuids.uuid4())
        self.started = time.monotonic()
        self.bus = Bus()
        self.limits = Limits()
        self.throttle = Throttle()
        self.scheduler = Scheduler()
        self.channels: dict[str, Channel] = {}
        self.listeners: set[listener.Listener] = set()
        self.observers: list[Observer] = []
        self.ringing: set[MemberCall] = set()
        self.quiet = gevent.event.Event()
        self.fallen_back: list[str] = []
        self.hash: dict[tuple[str, str], str] = {}
        self.look_up: dict[str, float] = {}
        """Seconds that it takes to find a user in the directory, where it is slow."""
        self.sessions = 0
        self.peak = 0
        self._phones: dict[str, list[Phone]] = {}
        self._arriving: set[Channel] = set()
        self._ports = itertools.count(_FIRST_PORT)
        self._sequence = itertools.count(1)

    def register(self, user: str, script: Script | None = None, phones: int = 1) -> None:
        """Give a user so many telephones, all with one script; 0 leaves it known, unregistered.

        A user that begins with ``+`` is a telephone number outside: ``sofia/PROFILE/NUMBER@HOST``.
        """
        self.register_phones(user, *[script or Script()] * phones)

    def register_phones(self, user: str, *scripts: Script) -> None:
        """Register a phone of a user for each script."""
        self._phones[user] = [
            Phone(user, f"{user}#{number}" if number > 1 else user, next(self._ports), script)
            for number, script in enumerate(scripts, 1)
        ]

    def forward(self, user: str, extension: str, way: str) -> None:
        """Have a user's directory entry call an extension of the dialplan, by "loopback" or "sip".

        Loopback keeps the leg's variables, SIP its headers only.
        """
        self._phones[user] = [
            replace(phone, forwards=(extension, way)) for phone in self._phones.get(user, [])
        ]

    def forget_users(self) -> None:
        """Forget every user."""
        self._phones.clear()

    def phones_of(self, user: str) -> list[Phone] | None:
        """Return a user's telephones; None for a user that the directory does not know."""
        return self._phones.get(user)

    def locate(self, uuid: str) -> Channel | None:
        """Return a channel by its uuid; one that is ending cannot be found any more."""
        channel = self.channels.get(uuid)
        return None if channel is None or channel.down else channel

    def dial(
        self,
        number: str,
        *,
        caller_number: str = "+48600100200",
        caller_name: str = "Kowalski",
        who: str = "caller",
        controllers: str | None = None,
        user: str | None = None,
        hidden: bool = False,
        before: Sequence[Action] = (),
        flags: str = "async full",
        headers: Sequence[tuple[str, str]] = (),
    ) -> PlacedCall:
        """Place a call. With ``user`` it comes from that user's own telephone; a ``hidden`` caller
        asks not to be shown. ``before`` is what the dialplan does first; ``flags`` are those of
        ``socket``; ``headers`` are more of the INVITE's."""
        if user is not None:
            caller_number, caller_name = user, user
        phone = CallerCall(self, who)
        profile = Profile(
            username=caller_number,
            dialplan="XML",
            context=self.context,
            cid_name=caller_name,
            cid_number=caller_number,
            orig_name=caller_name,
            orig_number=caller_number,
            network_addr="127.0.0.1",
            ani=caller_number,
            destination=number,
            privacy="id" if hidden else "",
        )
        channel = Channel(
            name=f"sofia/internal/{caller_number}@127.0.0.1",
            inbound=True,
            profile=profile,
            phone=phone,
            hit_dialplan=True,
            callstate="RINGING",
        )
        channel.variables.update(_caller_variables(self, channel, user))
        for name, value in headers:
            channel.set(f"sip_h_{name}", value)
        phone.controllers = controllers or self.controllers
        where = f"{phone.controllers} {flags}".rstrip()
        channel.queued = [*before, ("socket", where), ("demo_fallback", None), *self.fallback]
        self._arriving.add(channel)
        self.saw(who, "calling", number=number)
        gevent.spawn_later(NETWORK, self._arrive, channel)
        return PlacedCall(self, channel, phone)

    def _arrive(self, channel: Channel) -> None:
        if channel.down or channel not in self._arriving:
            return
        self._arriving.discard(channel)
        self.throttle.admits(0)  # an arriving call is let in, and counts
        calls.create(self, channel)
        self.peak = max(self.peak, len(self.channels))
        self.start_session(channel)

    def start_session(self, channel: Channel) -> None:
        """Give a channel its thread."""
        channel.has_thread = True
        gevent.spawn(
            calls.session, self, channel, lambda *action: apps.execute(self, channel, *action)
        )

    def control(self, channel: Channel, argument: str) -> None:
        """Run the ``socket`` application."""
        listener.control(self, channel, argument)

    def execute(self, channel: Channel, name: str, argument: str) -> None:
        """Run an application on a channel from outside of its thread."""
        apps.execute(self, channel, name, argument)

    def parse_messages(self, channel: Channel) -> None:
        """Do what waits to be done on a channel's thread."""
        apps.parse_messages(self, channel)

    def pick_up(self, *users: str) -> None:
        """Let every telephone of these users that rings be answered at this same moment."""
        for call in [call for call in self.ringing if call.phone.user in users]:
            call.pick_up()

    def fell_back(self, channel: Channel) -> None:
        """Note that a caller has come to the dialplan's fallback."""
        self.fallen_back.append(channel.uuid)
        if isinstance(channel.phone, CallerCall):
            self.saw(channel.phone.label, "fallback")

    def api(self, name: str, argument: str | None = None) -> str:
        """Run an api command and return its answer."""
        return api.execute(self, name, argument)

    def expand(self, channel: Channel | None, text: str) -> str:
        """Expand variables of a channel, and api calls, in a text."""

        def variable(name: str) -> str | None:
            value = channel.get(name) if channel else None
            return self.domain if value is None and name == "domain" else value

        return expand(text, variable, self.api)

    def saw(self, who: str, what: str, **detail: object) -> None:
        """Tell the observers what a telephone saw or did."""
        for observer in self.observers:
            observer(who, what, detail)

    def until_epoch(self, second: int) -> float:
        """Return how many seconds it is until a second since 1970 begins; 0.0 if it is past."""
        return max(0.0, second - time.time())

    def next_sequence(self) -> int:
        """Return the next event's number."""
        return next(self._sequence)

    def next_session(self) -> int:
        """Return the next channel's session number."""
        self.sessions += 1
        return self.sessions

    def reset(self) -> None:
        """Hang everything up, drop every socket, forget users and fallbacks; waits for the end."""
        self._arriving.clear()
        for open_socket in list(self.listeners):
            open_socket.close()
        self.listeners.clear()
        self.scheduler.close()
        for channel in list(self.channels.values()):
            channel.set("api_hangup_hook", None)
            calls.hangup(self, channel, "MANAGER_REQUEST")
        if self.channels:
            self.quiet.wait()
            gevent.sleep(2 * NETWORK)
        self.forget_users()
        self.look_up.clear()
        self.throttle = Throttle()
        self.fallen_back.clear()
        self.hash.clear()

    def close(self) -> None:
        """Stop for good."""
        self.reset()
        self.observers.clear()


def _caller_variables(
    switch: Switch, channel: Channel, user: str | None
) -> dict[str, str | list[str]]:
    """Return the variables that SIP leaves in a caller's channel (captures, CHANNEL_DATA)."""
    port = "47382"
    profile = channel.profile
    number, caller, name = profile.destination, profile.cid_number, profile.cid_name
    variables: dict[str, str | list[str]] = {
        "direction": "inbound",
        "uuid": channel.uuid,
        "session_id": str(switch.next_session()),
        "sip_from_user": caller,
        "sip_from_uri": f"{caller}@127.0.0.1",
        "sip_from_host": "127.0.0.1",
        "video_media_flow": "disabled",
        "audio_media_flow": "disabled",
        "text_media_flow": "disabled",
        "channel_name": channel.name,
        "sip_call_id": str(uuids.uuid4()),
        "sip_local_network_addr": "127.0.0.1",
        "sip_network_ip": "127.0.0.1",
        "sip_network_port": port,
        "sip_invite_stamp": str(stamp()),
        "sip_received_ip": "127.0.0.1",
        "sip_received_port": port,
        "sip_via_protocol": "udp",
        "sip_from_user_stripped": caller.removeprefix("+"),
        "sip_from_tag": uuids.uuid4().hex[:8],
        "sofia_profile_name": "internal",
        "sofia_profile_url": "sip:mod_sofia@127.0.0.1:5080",
        "recovery_profile_name": "internal",
        "sip_full_via": f"SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK822217285332",
        "sip_from_display": name,
        "sip_full_from": f'"{name}" <sip:{caller}@127.0.0.1>;tag=c6753179',
        "sip_full_to": f"<sip:{number}@127.0.0.1:5080>",
        "sip_req_user": number,
        "sip_req_port": "5080",
        "sip_req_uri": f"{number}@127.0.0.1:5080",
        "sip_req_host": "127.0.0.1",
        "sip_to_user": number,
        "sip_to_port": "5080",
        "sip_to_uri": f"{number}@127.0.0.1:5080",
        "sip_to_host": "127.0.0.1",
        "sip_contact_user": "rig",
        "sip_contact_port": port,
        "sip_contact_uri": f"rig@127.0.0.1:{port}",
        "sip_contact_host": "127.0.0.1",
        "rtp_use_codec_string": "PCMU,PCMA",
        "sip_via_host": "127.0.0.1",
        "sip_via_port": port,
        "max_forwards": "70",
        "switch_r_sdp": (
            "v=0\r\no=rig 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            "m=audio 47500 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
        ),
        "ep_codec_string": "CORE_PCM_MODULE.PCMU@8000h@20i@64000b",
        "endpoint_disposition": "DELAYED NEGOTIATION",
        "DP_MATCH": [number, number],
        "call_uuid": channel.uuid,
    }
    if user is not None:
        variables |= {"user_name": user, "domain_name": switch.domain, "user_context": "default"}
    return {key: value for key, value in variables.items() if value}
