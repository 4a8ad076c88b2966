"""What happens to a channel: it comes into being, rings, is answered, ends.

Owns these steps with the events they fire and the variables they leave, in FreeSWITCH's order.
Knows the telephone of a channel only by its three methods, and no sockets.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import gevent

from fsctl.demo import causes
from fsctl.demo.channel import Channel
from fsctl.demo.clock import stamp
from fsctl.demo.events import Event, Header

if TYPE_CHECKING:
    from fsctl.demo.switch import Switch

_STEP = re.compile("[ :]")

#: Seconds between a channel's hangup and the moment that its thread gets to it.
_THREAD_WAKES = 0.001

#: Seconds between the hangup hook and CHANNEL_HANGUP_COMPLETE: legs cancelled by the hook report
#: before the caller does (captures, caller gives up).
_REPORTING = 0.002

_SITES: dict[str, tuple[str, str, str]] = {
    "CHANNEL_APPLICATION": ("mod_dptools.c", "event_function", "1902"),
    "CHANNEL_ANSWER": ("switch_channel.c", "switch_channel_perform_mark_answered", "3846"),
    "CHANNEL_BRIDGE": ("switch_ivr_bridge.c", "switch_ivr_multi_threaded_bridge", "1675"),
    "CHANNEL_CREATE": ("switch_core_state_machine.c", "switch_core_session_run", "626"),
    "CHANNEL_DATA": ("mod_event_socket.c", "parse_command", "2021"),
    "CHANNEL_DESTROY": ("switch_core_session.c", "switch_core_session_perform_destroy", "1577"),
    "CHANNEL_EXECUTE": ("switch_core_session.c", "switch_core_session_exec", "2931"),
    "CHANNEL_EXECUTE_COMPLETE": ("switch_core_session.c", "switch_core_session_exec", "2967"),
    "CHANNEL_HANGUP": ("switch_channel.c", "switch_channel_perform_hangup", "3445"),
    "CHANNEL_HANGUP_COMPLETE": (
        "switch_core_state_machine.c",
        "switch_core_session_reporting_state",
        "943",
    ),
    "CHANNEL_ORIGINATE": ("switch_core_state_machine.c", "switch_core_session_run", "632"),
    "CHANNEL_PARK": ("switch_ivr.c", "switch_ivr_park", "1002"),
    "CHANNEL_PROGRESS": (
        "switch_channel.c",
        "switch_channel_perform_mark_ring_ready_value",
        "3505",
    ),
    "CHANNEL_PROGRESS_MEDIA": (
        "switch_channel.c",
        "switch_channel_perform_mark_pre_answered",
        "3560",
    ),
    "CHANNEL_UNBRIDGE": ("switch_ivr_bridge.c", "switch_ivr_multi_threaded_bridge", "1839"),
    "CHANNEL_UNPARK": ("switch_ivr.c", "switch_ivr_park", "1193"),
    "BACKGROUND_JOB": ("mod_event_socket.c", "api_exec", "1572"),
}


def event(
    switch: Switch,
    name: str,
    headers: Iterable[Header],
    body: str | None = None,
) -> Event:
    """Make an event with the headers that every event begins with."""
    now = time.time()
    file, function, line = _SITES[name]
    rows: list[Header] = [
        ("Event-Name", name),
        ("Core-UUID", switch.core_uuid),
        ("FreeSWITCH-Hostname", "demo"),
        ("FreeSWITCH-Switchname", "demo"),
        ("FreeSWITCH-IPv4", "127.0.0.1"),
        ("FreeSWITCH-IPv6", "::1"),
        ("Event-Date-Local", time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now))),
        ("Event-Date-GMT", time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(now))),
        ("Event-Date-Timestamp", str(stamp())),
        ("Event-Calling-File", file),
        ("Event-Calling-Function", function),
        ("Event-Calling-Line-Number", line),
        ("Event-Sequence", str(switch.next_sequence())),
        *headers,
    ]
    return Event(name, rows, body)


def fire(
    switch: Switch,
    name: str,
    channel: Channel,
    last: Iterable[Header] = (),
    first: Iterable[Header] = (),
) -> None:
    """Fire an event about a channel, with headers before and after the channel's own."""
    if switch.bus.wants(name):
        switch.bus.publish(event(switch, name, [*first, *channel.headers(), *last]))
    else:
        switch.next_sequence()


def create(switch: Switch, channel: Channel) -> None:
    """Let a channel come into being: from here on commands find it."""
    switch.channels[channel.uuid] = channel
    switch.quiet.clear()
    channel.state = "CS_ROUTING"
    fire(switch, "CHANNEL_CREATE", channel)
    if not channel.inbound:
        fire(switch, "CHANNEL_ORIGINATE", channel)


def ring_ready(switch: Switch, channel: Channel) -> None:
    """Ring: tell the caller (180), or note that a member's phone rings."""
    if channel.down or channel.ring_ready or channel.media:
        return
    if channel.inbound:
        channel.phone.ringing(early=False)
    channel.ring_ready = True
    channel.mark(progress=channel.times.progress or stamp())
    fire(switch, "CHANNEL_PROGRESS", channel)
    channel.callstate = "RINGING"
    channel.wake()


def pre_answer(switch: Switch, channel: Channel, *, audible: bool = True) -> None:
    """Open media without answering; the caller hears it as 183 where ``audible``."""
    if channel.down or channel.media:
        return
    if channel.inbound and audible:
        channel.phone.ringing(early=True)
    channel.early = True
    channel.mark(progress_media=stamp())
    _media_variables(channel)
    channel.set("endpoint_disposition", "EARLY MEDIA")
    fire(switch, "CHANNEL_PROGRESS_MEDIA", channel)
    channel.callstate = "EARLY"
    channel.wake()


def answer(switch: Switch, channel: Channel) -> None:
    """Answer a caller. A leg is answered by its phone only: for it this does nothing."""
    if channel.down or channel.answered or not channel.inbound:
        return
    pre_answer(switch, channel, audible=False)
    channel.phone.answered()
    mark_answered(switch, channel)


def mark_answered(switch: Switch, channel: Channel) -> None:
    """Note that a channel is answered."""
    if channel.down or channel.answered:
        return
    channel.answered = True
    channel.mark(answered=stamp())
    _media_variables(channel)
    fire(switch, "CHANNEL_ANSWER", channel)
    channel.callstate = "ACTIVE"
    channel.set("endpoint_disposition", "ANSWER")
    run_hook(switch, channel, "api_on_answer")
    name, _, argument = (channel.get("execute_on_answer") or "").partition(" ")
    if name:
        switch.execute(channel, name, argument)
    channel.wake()


def run_hook(switch: Switch, channel: Channel, variable: str) -> bool:
    """Run the api command that a variable of the channel holds, if any."""
    name, _, arguments = (channel.get(variable) or "").partition(" ")
    if name:
        switch.api(switch.expand(channel, name), switch.expand(channel, arguments))
    return bool(name)


def run_hooks(switch: Switch, channel: Channel, prefix: str) -> None:
    """Run the api commands that a channel's variables hold whose names begin so."""
    found = [value for name, value in channel.variables.items() if name.startswith(prefix)]
    for command in map(str, found):
        name, _, arguments = command.partition(" ")
        switch.api(name, switch.expand(channel, arguments))


def run_steps(switch: Switch, channel: Channel, prefix: str) -> None:
    """Run the applications that a channel's variables hold whose names begin so.

    ``switch_channel_execute_on``: ``NAME ARGUMENT`` or ``NAME:ARGUMENT``, one or a list of them.
    """
    found = [value for name, value in channel.variables.items() if name.startswith(prefix)]
    for value in found:
        for step in value if isinstance(value, list) else [value]:
            name, *argument = _STEP.split(step, maxsplit=1)
            switch.execute(channel, name, "".join(argument))


def hangup(switch: Switch, channel: Channel, cause: str) -> bool:
    """End a channel with a cause; False when it is ending already.

    The event and the release of its limits come at once; phone, hook and CHANNEL_HANGUP_COMPLETE
    follow on the channel's own thread.
    """
    if channel.down:
        return False
    channel.cause = cause
    channel.state = "CS_HANGUP"
    if channel.bridged:
        channel.set("last_bridge_role", _role(channel))
    fire(switch, "CHANNEL_HANGUP", channel)
    switch.limits.release(channel)
    if not channel.has_thread:
        channel.has_thread = True
        gevent.spawn_later(_THREAD_WAKES, finish, switch, channel)
    channel.wake()
    return True


def finish(switch: Switch, channel: Channel) -> None:
    """Run a channel's end on its own thread: telephone, hangup hook, last events."""
    channel.callstate = "HANGUP"
    channel.mark(hangup=stamp())
    channel.running = "CS_HANGUP"
    _record(channel)
    channel.phone.ended(channel.cause, channel.elsewhere)
    if run_hook(switch, channel, "api_hangup_hook"):
        gevent.sleep(_REPORTING)
    channel.running = channel.state = "CS_REPORTING"
    fire(
        switch,
        "CHANNEL_HANGUP_COMPLETE",
        channel,
        first=[("Hangup-Cause", channel.cause)],
    )
    switch.channels.pop(channel.uuid, None)
    if not switch.channels:
        switch.quiet.set()
    fire(switch, "CHANNEL_DESTROY", channel)


def session(switch: Switch, channel: Channel, run: Callable[[str, str | None], bool]) -> None:
    """Be a channel's thread: run its dialplan actions, sleep in other states, end it.

    ``run`` executes one application and tells whether to go on with the next.
    """
    channel.has_thread = True
    while not channel.down:
        if channel.queued is not None:
            channel.actions.clear()
            channel.actions.extend(channel.queued)
            channel.queued = None
            channel.enter("CS_EXECUTE")
        elif channel.state != "CS_EXECUTE":
            channel.running = channel.state
            channel.wait(
                lambda: (
                    channel.down or channel.queued is not None or channel.state != channel.running
                )
            )
            if channel.state == "CS_EXECUTE":
                channel.running = channel.state
        elif channel.actions:
            run(*channel.actions.popleft())
        else:
            hangup(switch, channel, "NORMAL_CLEARING")
    gevent.sleep(_THREAD_WAKES)
    finish(switch, channel)


def _role(channel: Channel) -> str:
    originates = channel.other is not None and channel.other[0] == "originatee"
    return "originator" if originates else "originatee"


def _media_variables(channel: Channel) -> None:
    for name, value in (
        ("audio_media_flow", "sendrecv"),
        ("rtp_use_codec_name", "PCMU"),
        ("rtp_use_codec_rate", "8000"),
        ("read_codec", "PCMU"),
        ("write_codec", "PCMU"),
    ):
        channel.set(name, value)


def _record(channel: Channel) -> None:
    """Leave the variables of a call record (``switch_channel_set_timestamps``)."""
    times = channel.times
    moments = {
        "start": times.created,
        "profile_start": channel.profile.created,
        "answer": times.answered,
        "bridge": times.bridged,
        "progress": times.progress,
        "progress_media": times.progress_media,
        "end": times.hangup,
    }
    channel.set("hangup_cause", channel.cause)
    channel.set("hangup_cause_q850", str(causes.q850(channel.cause)))
    for name, at in moments.items():
        if at:
            local = time.localtime(at // 1_000_000)
            channel.set(f"{name}_stamp", time.strftime("%Y-%m-%d %H:%M:%S", local))
    for name, at in moments.items():
        channel.set(f"{name}_epoch", str(at // 1_000_000))
        channel.set(f"{name}_uepoch", str(at))
    start, end = times.created, times.hangup
    spans = {
        "duration": ("duration", "mduration", "uduration", end - start),
        "bill": ("billsec", "billmsec", "billusec", end - times.answered if times.answered else 0),
        "progress": (
            "progresssec",
            "progressmsec",
            "progressusec",
            times.progress - start if times.progress else 0,
        ),
        "answer": (
            "answersec",
            "answermsec",
            "answerusec",
            times.answered - start if times.answered else 0,
        ),
        "wait": (
            "waitsec",
            "waitmsec",
            "waitusec",
            times.bridged - start if times.bridged else 0,
        ),
    }
    for seconds, milliseconds, microseconds, span in spans.values():
        whole = (start + span) // 1_000_000 - start // 1_000_000
        if seconds == "billsec" and times.answered:
            whole = end // 1_000_000 - times.answered // 1_000_000
        channel.set(seconds, str(whole))
        channel.set(milliseconds, str(span // 1000))
        channel.set(microseconds, str(span))
