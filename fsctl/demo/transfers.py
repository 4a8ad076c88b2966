"""Channels that are sent elsewhere: through the dialplan again, or to applications in a command.

Owns what comes before every transfer and what a channel finds there, as FreeSWITCH does it
(``switch_ivr_session_transfer`` in switch_ivr.c), and the telephones that ask for one (REFER).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import gevent

from fsctl.demo import calls
from fsctl.demo.channel import Channel
from fsctl.demo.phones import NETWORK, CallerCall, MemberCall
from fsctl.demo.quoting import inline_actions

if TYPE_CHECKING:
    from fsctl.demo.switch import Switch


def transfer(switch: Switch, channel: Channel, extension: str = "") -> None:
    """Send a channel through the dialplan again, or to the fallback; its claims go.

    In a context of which the dialplan knows nothing it is hung up.
    """
    if _goes(switch, channel):
        return
    switch.limits.release(channel)
    if channel.partner:
        channel.become("CS_ROUTING")
        gevent.spawn(_after_bridge, switch, channel, extension)
    else:
        _route(switch, channel, extension)


def _after_bridge(switch: Switch, channel: Channel, extension: str) -> None:
    """Do what comes after a conversation, on the channel's own thread, and go on."""
    calls.run_hooks(switch, channel, "api_after_bridge")
    if not channel.down:
        _route(switch, channel, extension)


def _route(switch: Switch, channel: Channel, extension: str) -> None:
    if extension and channel.profile.context != switch.context:
        calls.hangup(switch, channel, "NO_ROUTE_DESTINATION")
        return
    channel.queued = [("demo_fallback", None), *switch.fallback]
    where = getattr(channel.phone, "controllers", switch.controllers)
    if extension and where:
        channel.clone_profile(destination=extension)
        again = [("set", "socket_resume=true"), ("socket", f"{where} async full")]
        channel.queued[:0] = again
    channel.become("CS_ROUTING")


def send_inline(switch: Switch, channel: Channel, actions: str) -> None:
    """Send a channel to an inline dialplan, away from whatever it does."""
    if _goes(switch, channel):
        return
    channel.queued = list(inline_actions(actions))
    channel.state = "CS_ROUTING"
    channel.wake()
    if not channel.has_thread:
        switch.start_session(channel)


def _goes(switch: Switch, channel: Channel) -> bool:
    """Do what comes before every transfer; True when the channel is gone."""
    if not channel.down:
        calls.run_steps(switch, channel, "execute_on_blind_transfer")
    return channel.down


def refer(switch: Switch, who: str, extension: str, controllers: str | None = None) -> None:
    """Let a telephone transfer whom it talks to (REFER) to an extension.

    ``who`` is a user, or a caller's label. ``controllers`` serve a caller from there on, or those
    who did before.
    """
    for channel in list(switch.channels.values()):
        phone, other = channel.phone, channel.partner
        if isinstance(phone, MemberCall):
            label = phone.phone.user
        else:
            label = phone.label if isinstance(phone, CallerCall) else ""
        if label == who and other:
            if controllers and isinstance(other.phone, CallerCall):
                other.phone.controllers = controllers
            gevent.spawn_later(NETWORK, transfer, switch, other, extension)
