"""Two channels become one conversation, and what is left when it ends.

Owns ``intercept``, ``uuid_bridge`` and the life of a bridge (switch_ivr_bridge.c). The first
channel of a bridge is its *originator*, which carries on in its dialplan or hangs up afterwards;
the other is its peer. In an ``intercept`` the leg that takes the caller is the originator.
"""

from __future__ import annotations

import uuid as uuids
from typing import TYPE_CHECKING

import gevent
import gevent.event

from fsctl.demo import calls
from fsctl.demo.channel import Channel
from fsctl.demo.clock import epoch, next_tick, stamp
from fsctl.demo.events import Header

if TYPE_CHECKING:
    from fsctl.demo.switch import Switch


def intercept(switch: Switch, leg: Channel, uuid: str) -> bool:
    """Take the channel ``uuid`` away from whatever it does, answer both, and bridge it to the leg.

    False, with nothing done, when it is gone or when the leg's variables forbid it.
    """
    target = switch.locate(uuid)
    if target is None:
        return False
    if leg.true("intercept_unbridged_only") and target.bridged:
        return False
    if leg.true("intercept_unanswered_only") and target.answered:
        return False
    calls.answer(switch, leg)
    former = target.partner if target.partner is not leg else None
    if former:
        former.elsewhere = True
    calls.answer(switch, target)
    target.become("CS_PARK")
    bridged = uuid_bridge(switch, leg.uuid, uuid) is not None
    if former:
        calls.hangup(switch, former, "PICKED_OFF")
    return bridged


def uuid_bridge(switch: Switch, first: str, second: str) -> str | None:
    """Begin to bridge two channels; returns the second uuid, or None where it is refused at once.

    One with media has to be the originator, so an unanswered first channel changes places with an
    answered second. Then the peer without media dies, and the originator with it: the caller gets
    502 although the command said ``+OK`` (field note "uuid_bridge A leg").
    """
    originator, peer = switch.locate(first), switch.locate(second)
    if originator is None or peer is None:
        return None
    if not originator.media:
        if not peer.media:
            return None
        originator, peer = peer, originator
    _introduce(originator, peer)
    for channel in (originator, peer):
        channel.become("CS_HIBERNATE")
    gevent.spawn(_join, switch, originator, peer)
    return second


def _introduce(originator: Channel, peer: Channel) -> None:
    """Leave in both channels who the other one is."""
    for channel, other in ((originator, peer), (peer, originator)):
        source = f"{epoch()}:{uuids.uuid4()}:uuid_br:{other.uuid}"
        channel.set("bridge_channel", other.name)
        channel.set("bridge_uuid", other.uuid)
        channel.set("signal_bond", other.uuid)
        channel.set("original_destination_number", channel.profile.destination)
        channel.set("original_caller_id_name", channel.profile.cid_name)
        channel.set("original_caller_id_number", channel.profile.cid_number)
        channel.set("transfer_history", source)
        channel.set("transfer_source", source)
    leg, caller = originator.profile, peer.profile
    originator.clone_profile(
        transfer_source=originator.get("transfer_source") or "",
    )
    peer.clone_profile(
        transfer_source=peer.get("transfer_source") or "",
        cid_name=leg.cid_name,
        cid_number=leg.cid_number,
        callee_name=caller.cid_name,
        callee_number=caller.cid_number,
    )
    originator.other = ("originatee", peer, caller)
    peer.other = ("originator", originator, leg)


def _join(switch: Switch, originator: Channel, peer: Channel) -> None:
    """Wait until both threads have left what they did, and talk."""
    for channel in (originator, peer):
        while channel.running == "CS_EXECUTE" and not channel.down:
            next_tick()
        if channel.state == "CS_HIBERNATE":
            channel.enter("CS_SOFT_EXECUTE")
    next_tick()
    if not peer.media:
        calls.hangup(switch, peer, "DESTINATION_OUT_OF_ORDER")
    if originator.down:
        # Nobody is left who would end the peer: it stays, answered and in silence (read in
        # uuid_bridge_on_soft_execute and switch_ivr_wait_for_answer).
        return
    if peer.down:
        calls.hangup(switch, originator, "ORIGINATOR_CANCEL")
        return
    _talk(switch, originator, peer)


def _talk(switch: Switch, originator: Channel, peer: Channel) -> None:
    changed = gevent.event.Event()
    if peer.answered:
        calls.answer(switch, originator)
    ends: list[Header] = [
        ("Bridge-A-Unique-ID", originator.uuid),
        ("Bridge-B-Unique-ID", peer.uuid),
    ]
    peer.set("call_uuid", originator.uuid)
    now = stamp()
    originator.mark(bridged=now)
    peer.mark(bridged=now)
    calls.fire(switch, "CHANNEL_BRIDGE", originator, first=ends)
    peer.enter("CS_EXCHANGE_MEDIA")
    for channel, other in ((originator, peer), (peer, originator)):
        channel.set("bridge_to", other.uuid)
        channel.set("last_bridge_to", other.uuid)
        channel.partner, channel.bridged = other, True
        channel.watchers.append(changed)
        channel.wake()
    while _both_stay(originator, peer):
        changed.clear()
        if not (originator.messages or peer.messages):
            changed.wait()
            continue
        next_tick()
        for channel in (originator, peer):
            switch.parse_messages(channel)
    for channel in (originator, peer):
        channel.watchers.remove(changed)
        channel.partner, channel.bridged = None, False
        channel.set("bridge_to", None)
    peer.set("call_uuid", peer.uuid)
    _leave_peer(switch, peer)
    calls.fire(switch, "CHANNEL_UNBRIDGE", originator, first=ends)
    _leave_originator(switch, originator, peer)


def _both_stay(originator: Channel, peer: Channel) -> bool:
    return originator.state == "CS_SOFT_EXECUTE" and peer.state == "CS_EXCHANGE_MEDIA"


def _leave_peer(switch: Switch, peer: Channel) -> None:
    """End the peer unless it was called away itself (``audio_bridge_on_exchange_media``)."""
    if peer.state != "CS_EXCHANGE_MEDIA":
        return
    if peer.elsewhere:
        cause = "PICKED_OFF"
    else:
        cause = "NORMAL_CLEARING" if peer.answered else "ORIGINATOR_CANCEL"
    calls.hangup(switch, peer, cause)


def _leave_originator(switch: Switch, originator: Channel, peer: Channel) -> None:
    """Hang the originator up if it says so, else let it go on in its dialplan."""
    if originator.down or originator.queued is not None:
        return
    if originator.state == "CS_SOFT_EXECUTE" and originator.true("hangup_after_bridge"):
        calls.hangup(switch, originator, peer.cause or "NORMAL_CLEARING")
    else:
        originator.become("CS_EXECUTE")
