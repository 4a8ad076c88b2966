"""``originate``: from a dial string to a leg that has answered, or the cause why none has.

Owns the reading of the command and the waiting for its legs (``originate_function`` in
mod_commands.c, ``switch_ivr_originate`` in switch_ivr_originate.c, ``user/`` in mod_dptools.c).
"""

from __future__ import annotations

import uuid as uuids
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import gevent
import gevent.event

from fsctl.demo import calls, causes, sounds
from fsctl.demo.channel import Action, Channel, Profile
from fsctl.demo.clock import epoch, next_tick
from fsctl.demo.forwarding import Forwarded
from fsctl.demo.phones import MemberCall, Phone
from fsctl.demo.quoting import bracketed, inline_actions, mentions_variable, separate

if TYPE_CHECKING:
    from fsctl.demo.switch import Switch

USAGE = (
    "-USAGE: <call url> <exten>|&<application_name>(<app_args>) [<dialplan>] [<context>] "
    "[<cid_name>] [<cid_num>] [<timeout_sec>]\n"
)

#: Seconds from the command to the leg's channel: until then nothing can find it to cancel it.
_CHANNEL_APPEARS = 0.003

_DEFAULT_TIMEOUT = 60


@dataclass(slots=True)
class DialString:
    """A read dial string: variables for every leg, and alternatives of endpoints rung together."""

    variables: dict[str, str]
    alternatives: list[list[tuple[dict[str, str], str]]]


def read_dial_string(text: str) -> DialString:
    """Read ``{vars}[vars]user/a,[vars]user/b|user/c``; ValueError when a bracket never closes."""
    pairs, rest = bracketed(text, "{", "}")
    alternatives = []
    for alternative in separate(_guard(rest), "|", 128):
        endpoints = []
        for peer in separate(alternative, ",", 128):
            own, endpoint = bracketed(_unguard(peer), "[", "]")
            endpoints.append((dict(own), endpoint.strip(" ")))
        alternatives.append(endpoints)
    return DialString(dict(pairs), alternatives)


# Commas inside [] separate variables, not endpoints, so they hide while endpoints are cut.
_HIDDEN = "\x01"


def _guard(text: str) -> str:
    out, depth = [], 0
    for at, char in enumerate(text):
        depth += (char == "[") - (char == "]")
        hide = char == "," and depth > 0 and text[at - 1 : at] != "\\"
        out.append(_HIDDEN if hide else char)
    return "".join(out)


def _unguard(text: str) -> str:
    return text.replace(_HIDDEN, ",")


def read_actions(exten: str, dialplan: str) -> list[Action]:
    """Return what a leg runs once it has answered; the XML dialplan has nothing for it here."""
    if exten.startswith("&") and len(exten) > 1:
        name, _, argument = exten[1:].partition(")")[0].partition("(")
        return [(name, argument or None)]
    return inline_actions(exten) if dialplan == "inline" else []


def originate(switch: Switch, command: str) -> str:
    """Run an ``originate`` command to its end and return its answer.

    ``+OK <uuid>`` as soon as a leg has answered (its actions then run on their own), or
    ``-ERR CAUSE``. Blocks for as long as the telephones ring.
    """
    arguments = separate(command, " ", 10)
    if not 2 <= len(arguments) <= 7:
        return USAGE
    defaults = ["", "", "XML", "default", "", "", str(_DEFAULT_TIMEOUT)]
    given = ["" if argument.lower() == "undef" else argument for argument in arguments]
    padded = [value or default for value, default in zip(given, defaults, strict=False)]
    url, exten, dialplan, context, name, number, timeout = padded + defaults[len(padded) :]
    try:
        dial = read_dial_string(url)
    except ValueError:
        return "-ERR DESTINATION_OUT_OF_ORDER\n"
    if name:
        dial.variables.setdefault("origination_caller_id_name", name)
    if number:
        dial.variables.setdefault("origination_caller_id_number", number)
    cause = "DESTINATION_OUT_OF_ORDER"
    for endpoints in dial.alternatives:
        attempt = Attempt(switch, dial.variables, _whole(timeout))
        leg, cause = attempt.run(endpoints)
        if leg is not None:
            calls.run_hook(switch, leg, "api_on_post_originate")
            _hand_over(switch, leg, exten, dialplan, context)
            return f"+OK {leg.uuid}\n"
    return f"-ERR {cause}\n"


def _whole(text: str | None, default: int = 0) -> int:
    digits = (text or "").strip()
    return int(digits) if digits.isdigit() and len(digits) < 10 else default


def _hand_over(switch: Switch, leg: Channel, exten: str, dialplan: str, context: str) -> None:
    """Send an answered leg into its dialplan (``switch_ivr_session_transfer``)."""
    if leg.down:
        return
    source = f"{epoch()}:{uuids.uuid4()}:bl_xfer:{exten}/{context}/{dialplan}"
    leg.clone_profile(
        dialplan=dialplan,
        context=context,
        transfer_source=source,
        cid_name=leg.profile.callee_name,
        cid_number=leg.profile.callee_number,
        callee_name=leg.profile.cid_name,
        callee_number=leg.profile.cid_number,
    )
    leg.set("transfer_history", source)
    leg.set("transfer_source", source)
    leg.hit_dialplan = True
    leg.set("endpoint_disposition", "ANSWER")
    leg.queued = read_actions(exten, dialplan)
    leg.state = "CS_ROUTING"
    switch.start_session(leg)


@dataclass(slots=True)
class Attempt:
    """Legs that ring together, and the watch over them."""

    switch: Switch
    variables: dict[str, str]
    timeout: int
    legs: list[Channel] = field(default_factory=list)
    changed: gevent.event.Event = field(default_factory=gevent.event.Event)

    def run(self, endpoints: list[tuple[dict[str, str], str]]) -> tuple[Channel | None, str]:
        """Ring every endpoint; returns the leg that won, or None and the cause."""
        cause = "DESTINATION_OUT_OF_ORDER"
        timeout = self.timeout
        for own, endpoint in endpoints:
            merged = {**self.variables, **own}
            timeout = _whole(merged.get("originate_timeout")) or timeout
            gevent.sleep(self.switch.look_up.get(endpoint.partition("/")[2].partition("@")[0], 0.0))
            phones, refused = _contacts(self.switch, endpoint)
            if phones:
                gevent.sleep(_CHANNEL_APPEARS)
            for phone in phones:
                refused = self._ring(phone, merged)
            cause = refused or cause
        if not self.legs:
            return None, cause
        try:
            return self._watch(timeout or _DEFAULT_TIMEOUT)
        finally:
            for leg in self.legs:
                leg.watchers.remove(self.changed)

    def _ring(self, phone: Phone, variables: dict[str, str]) -> str:
        leg = _leg(self.switch, phone, variables)
        if leg is None:
            return "DESTINATION_OUT_OF_ORDER"
        leg.watchers.append(self.changed)
        self.legs.append(leg)
        calls.create(self.switch, leg)
        calls.run_hook(self.switch, leg, "api_on_originate")
        if leg.down:
            return ""
        leg.enter("CS_CONSUME_MEDIA")
        call = leg.phone
        if isinstance(call, MemberCall | Forwarded):
            call.invite(leg)
        return ""

    def _watch(self, timeout: int) -> tuple[Channel | None, str]:
        """Look at the legs at every tick that follows a change, and when the time is up.

        ``timeout`` counts whole seconds on the switch's clock, so the first is cut short.
        """
        early = not any(_deaf_to_early_media(leg) for leg in self.legs)
        started = epoch()
        while True:
            for leg in self.legs:
                up = leg.answered or (early and leg.early)
                if up and not leg.down and _confirmed(self.switch, leg):
                    self._cancel("LOSE_RACE", but=leg)
                    return leg, "SUCCESS"
            alive = [leg for leg in self.legs if not leg.down]
            if alive and all(leg.has_thread for leg in alive):  # called away while they were asked
                return None, "ORIGINATOR_CANCEL"
            if all(leg.down for leg in self.legs):
                return None, self.legs[0].cause
            if epoch() - started >= timeout:
                self._cancel("NO_ANSWER")
                return None, "NO_ANSWER"
            self.changed.clear()
            self.changed.wait(self.switch.until_epoch(started + timeout))
            next_tick()

    def _cancel(self, cause: str, but: Channel | None = None) -> None:
        for leg in self.legs:
            if leg is not but:
                if but is not None:
                    leg.set("group_dial_status", "loser")
                calls.hangup(self.switch, leg, cause)


def _confirmed(switch: Switch, leg: Channel) -> bool:
    """Whether a leg's member has pressed the key that it asks for, if it asks for any.

    A prompt that cannot be played ends the leg (``collect_thread_run`` in switch_ivr_originate.c).
    """
    if not leg.get("group_confirm_key") or leg.confirmed:
        return True
    prompt = leg.get("group_confirm_file")
    try:
        leg.playing = prompt or ""
        if prompt:
            sounds.length(prompt)
    except sounds.NotFound:
        calls.hangup(switch, leg, "DESTINATION_OUT_OF_ORDER")
    return False


def _deaf_to_early_media(leg: Channel) -> bool:
    how = leg.get("ignore_early_media")
    return how in ("consume", "ring_ready") or leg.true("ignore_early_media")


def _contacts(switch: Switch, endpoint: str) -> tuple[list[Phone], str]:
    """Return the telephones behind an endpoint, or none and the cause."""
    kind, _, rest = endpoint.partition("/")
    if kind == "user":
        name, _, domain = rest.partition("@")
        phones = switch.phones_of(name)
        if phones is None or (domain and domain != switch.domain):
            return [], "SUBSCRIBER_ABSENT"
        return phones, "" if phones else "USER_NOT_REGISTERED"
    if kind == "sofia":
        return _outside(switch, *rest.split("/", 1))
    if kind == "error":
        return [], causes.parse(rest)
    return [], "CHAN_NOT_IMPLEMENTED"


def _outside(switch: Switch, profile: str, address: str = "") -> tuple[list[Phone], str]:
    """Return the telephone outside behind an address of a profile; gateways there are none."""
    if profile == "gateway":
        return [], "INVALID_GATEWAY"
    number = address.partition("@")[0]
    phones = switch.phones_of(number) if number.startswith("+") else None
    return (phones, "") if phones else ([], "NORMAL_TEMPORARY_FAILURE")


def _leg(switch: Switch, phone: Phone, variables: dict[str, str]) -> Channel | None:
    """Make a leg's channel; None when its ``origination_uuid`` is taken ("Duplicate UUID"), or the
    switch has as many as it takes."""
    uuid = variables.get("origination_uuid") or str(uuids.uuid4())
    if uuid in switch.channels or not switch.throttle.admits(len(switch.channels)):
        return None
    address = f"{phone.user}@127.0.0.1:{phone.port}"
    number = variables.get("origination_caller_id_number", "0000000000")
    name = variables.get("origination_caller_id_name", "")
    profile = Profile(
        cid_name=name,
        cid_number=number,
        orig_name=name,
        orig_number=number,
        callee_name="Outbound Call",
        callee_number=phone.user,
        ani=number,
        destination=phone.user,
        source="src/switch_ivr_originate.c",
    )
    presence = _presence(switch, phone.user)
    leg = Channel(
        name=f"sofia/internal/{address}",
        inbound=False,
        profile=profile,
        phone=Forwarded(switch, phone) if phone.forwards else MemberCall(switch, phone),
        presence_id=presence.get("presence_id", ""),
        uuid=uuid,
    )
    for key, value in {
        "direction": "outbound",
        "is_outbound": "true",
        "uuid": uuid,
        "call_uuid": uuid,
        "session_id": str(switch.next_session()),
        "sip_local_network_addr": "127.0.0.1",
        "sip_profile_name": "internal",
        "video_media_flow": "disabled",
        "text_media_flow": "disabled",
        "channel_name": leg.name,
        "sip_destination_url": f"sip:{address}",
        **variables,
        **presence,
        "originate_early_media": "false" if "ignore_early_media" in variables else "true",
        "originate_endpoint": "sofia",
        "rtp_use_codec_string": "PCMU,PCMA",
        "local_media_ip": "127.0.0.1",
        "audio_media_flow": "sendrecv",
        "sip_outgoing_contact_uri": "<sip:mod_sofia@127.0.0.1:5080>",
        "sip_req_uri": address,
        "sip_to_host": f"127.0.0.1:{phone.port}",
        "sip_from_host": switch.domain,
        "sofia_profile_name": "internal",
        "recovery_profile_name": "internal",
        "sofia_profile_url": "sip:mod_sofia@127.0.0.1:5080",
    }.items():
        if variables.get("origination_nested_vars") == "true" or not mentions_variable(value):
            leg.set(key, value)
    return leg


def _presence(switch: Switch, user: str) -> dict[str, str]:
    """Return what ``user/`` and the stock dial-string leave on a leg; nothing of a number."""
    if user.startswith("+"):
        return {}
    return {
        "dialed_user": user,
        "dialed_domain": switch.domain,
        "sip_invite_domain": switch.domain,
        "presence_id": f"{user}@{switch.domain}",
    }
