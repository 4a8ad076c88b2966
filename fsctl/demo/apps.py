"""Dialplan applications, one function each, in one table.

Owns what an application does and the two events around it (``switch_core_session_exec``). To add
one, write a function that takes the switch, the channel and the expanded argument, and enter it in
``APPLICATIONS``. Functions run on the channel's thread and may block it.
"""

from __future__ import annotations

import uuid as uuids
from collections.abc import Callable
from typing import TYPE_CHECKING

import gevent

from fsctl.demo import bridge, calls, causes, sounds, transfers
from fsctl.demo.channel import Channel
from fsctl.demo.clock import epoch, next_tick
from fsctl.demo.events import Header
from fsctl.demo.quoting import separate

if TYPE_CHECKING:
    from fsctl.demo.switch import Switch

Application = Callable[["Switch", Channel, str], None]


def execute(
    switch: Switch, channel: Channel, name: str, argument: str | None, app_uuid: str | None = None
) -> bool:
    """Run one application on a channel's thread; False when it could not even begin."""
    if channel.down:
        return True
    application = APPLICATIONS.get(name)
    if application is None:
        calls.hangup(switch, channel, "DESTINATION_OUT_OF_ORDER")
        return False
    if name in _NEED_MEDIA:
        calls.pre_answer(switch, channel)
    expanded = argument
    if argument is not None and not channel.true("app_disable_expand_variables"):
        expanded = switch.expand(channel, argument)
    channel.set("current_application_data", expanded)
    channel.set("current_application", name)
    about: list[Header] = [("Application", name)]
    if expanded is not None:
        about.append(("Application-Data", expanded))
    identity: list[Header] = [("Application-UUID", app_uuid or str(uuids.uuid4()))]
    calls.fire(switch, "CHANNEL_EXECUTE", channel, last=about + identity)
    channel.interrupted = False
    channel.set("current_application_response", None)
    application(switch, channel, expanded or "")
    said = channel.get("current_application_response") or "_none_"
    response: list[Header] = [("Application-Response", said)]
    calls.fire(switch, "CHANNEL_EXECUTE_COMPLETE", channel, last=[*about, *response, *identity])
    return True


def set_variable(switch: Switch, channel: Channel, argument: str) -> None:
    """``set``: ``name=value``, or ``name,value``."""
    separator = "=" if "=" in argument else ","
    name, _, value = argument.partition(separator)
    channel.set(name, switch.expand(channel, value))


def export(switch: Switch, channel: Channel, argument: str) -> None:
    """``export``: ``name=value``, which goes to the legs of a ``bridge`` too; ``nolocal:name``."""
    set_variable(switch, channel, argument)
    name = argument.partition("=")[0]
    before = channel.get("export_vars")
    channel.set("export_vars", f"{before},{name}" if before else name)


def multiset(switch: Switch, channel: Channel, argument: str) -> None:
    """``multiset``: several assignments, separated by spaces or as ``^^:`` says."""
    for assignment in _several(argument):
        set_variable(switch, channel, assignment)


def unset(_switch: Switch, channel: Channel, argument: str) -> None:
    """``unset``: take a variable off."""
    channel.set(argument, None)


def multiunset(_switch: Switch, channel: Channel, argument: str) -> None:
    """``multiunset``: take several off, separated by spaces or as ``^^:`` says."""
    for name in _several(argument):
        channel.set(name, None)


def _several(argument: str) -> list[str]:
    delimiter = " "
    if argument.startswith("^^") and len(argument) > 2:
        delimiter, argument = argument[2], argument[3:]
    return argument.split(delimiter)


def event(switch: Switch, channel: Channel, argument: str) -> None:
    """``event``: tell of the channel, with headers ``name=value,name=value`` besides its own."""
    pairs = (part.partition("=") for part in separate(argument, ",", 25))
    told: list[Header] = [(name.strip(), value.strip()) for name, _, value in pairs]
    calls.fire(switch, "CHANNEL_APPLICATION", channel, last=told)


def ring_ready(switch: Switch, channel: Channel, _argument: str) -> None:
    """``ring_ready``: send 180."""
    calls.ring_ready(switch, channel)


def pre_answer(switch: Switch, channel: Channel, _argument: str) -> None:
    """``pre_answer``: send 183 and open media."""
    calls.pre_answer(switch, channel)


def answer(switch: Switch, channel: Channel, _argument: str) -> None:
    """``answer``: send 200."""
    calls.answer(switch, channel)


def hangup(switch: Switch, channel: Channel, argument: str) -> None:
    """``hangup``: end the call with a cause."""
    calls.hangup(switch, channel, causes.parse(argument))


def limit(switch: Switch, channel: Channel, argument: str) -> None:
    """``limit``: ``hash REALM ID MAX !CAUSE``; who comes too late is hung up with the cause.

    A transfer target in place of the cause goes there, in an inline dialplan or to the fallback.
    """
    backend, realm, name, most, otherwise, dialplan, *_ = [*separate(argument, " ", 7), *[""] * 6]
    if not name:
        return
    if backend == "hash" and switch.limits.claim(channel, realm, name, _most(most)):
        return
    if otherwise.startswith("!"):
        calls.hangup(switch, channel, causes.parse(otherwise[1:]))
    elif dialplan == "inline":
        transfers.send_inline(switch, channel, otherwise)
    else:
        transfers.transfer(switch, channel)


def limit_execute(switch: Switch, channel: Channel, argument: str) -> None:
    """``limit_execute``: run an application under a claim that lasts only so long."""
    parts = separate(argument, " ", 6)
    if len(parts) < 6 or parts[0] != "hash":
        return
    _, realm, name, most, application, data = parts
    if switch.limits.claim(channel, realm, name, _most(most)):
        execute(switch, channel, application, data)
        if channel.state == "CS_EXECUTE":
            switch.limits.release(channel, f"{realm}_{name}")


def _most(text: str) -> int:
    whole = text.partition("/")[0]
    return int(whole) if whole.isdigit() else -1


def park(switch: Switch, channel: Channel, _argument: str) -> None:
    """``park``: wait, and do what comes over the event socket (``switch_ivr_park``).

    Commands are looked at every 20 ms. ``park_timeout`` (seconds, or ``seconds:CAUSE``) is read
    once, at the beginning, on the whole-second clock. The wait ends when any socket of the channel
    closes, be it an earlier one: all clear the same flag (``CF_CONTROLLED``).
    """
    seconds, _, cause = (channel.get("park_timeout") or "").partition(":")
    expires = epoch() + int(seconds) if seconds.isdigit() else None
    channel.set("park_timeout", None)
    channel.controlled = True
    calls.fire(switch, "CHANNEL_PARK", channel)

    def disturbed() -> bool:
        return bool(channel.messages) or channel.state != "CS_EXECUTE" or not channel.controlled

    while channel.state == "CS_EXECUTE" and channel.controlled:
        channel.wait(disturbed, switch.until_epoch(expires) if expires else None)
        if not channel.down:
            next_tick()
        parse_messages(switch, channel)
        if expires and epoch() >= expires:
            calls.hangup(switch, channel, causes.parse(cause))
    channel.controlled = False
    calls.fire(switch, "CHANNEL_UNPARK", channel)


def parse_messages(switch: Switch, channel: Channel) -> None:
    """Carry out every ``sendmsg`` that waits (``switch_ivr_parse_event``)."""
    while channel.messages and not channel.down:
        message = channel.messages.popleft()
        command = message.get("call-command", "").lower()
        if command == "hangup":
            calls.hangup(switch, channel, causes.parse(message.get("hangup-cause", "")))
        elif command == "execute" and message.get("execute-app-name"):
            channel.set("current_loop", "1")
            channel.set("total_loops", "1")
            execute(
                switch,
                channel,
                message["execute-app-name"],
                message.get("execute-app-arg"),
                message.get("event-uuid"),
            )
            channel.set("current_loop", None)
            channel.set("total_loops", None)


def sleep(switch: Switch, channel: Channel, argument: str) -> None:
    """``sleep``: do nothing for so many milliseconds; before a transfer, on another's thread."""
    if argument.isdigit() and channel.state != "CS_EXECUTE":
        gevent.sleep(int(argument) / 1000)
    elif argument.isdigit():
        sounds.last(switch, channel, int(argument) / 1000, parse_messages)


def playback(switch: Switch, channel: Channel, argument: str) -> None:
    """``playback``: play a sound to its end."""
    sounds.play(switch, channel, argument, parse_messages)


def endless_playback(switch: Switch, channel: Channel, argument: str) -> None:
    """``endless_playback``: play a sound again and again; one that cannot be played ends it."""
    while sounds.play(switch, channel, argument, parse_messages) and channel.state == "CS_EXECUTE":
        continue


def loop_playback(switch: Switch, channel: Channel, argument: str) -> None:
    """``loop_playback``: ``+TIMES SOUND``."""
    times, _, sound = argument.removeprefix("+").partition(" ")
    for _ in range(int(times) if times.isdigit() else 1):
        if not sounds.play(switch, channel, sound, parse_messages):
            return


def transfer(switch: Switch, channel: Channel, argument: str) -> None:
    """``transfer``: ``EXTENSION [DIALPLAN [CONTEXT]]``; the demo's dialplan has one context."""
    words = separate(argument, " ", 4)
    if words[1:2] == ["inline"]:
        transfers.send_inline(switch, channel, words[0])
    elif words:
        transfers.transfer(switch, channel, words[0])


def sched_hangup(switch: Switch, channel: Channel, argument: str) -> None:
    """``sched_hangup``: ``+SECONDS CAUSE``."""
    after, _, cause = argument.removeprefix("+").partition(" ")
    if after.isdigit():
        gevent.spawn_later(int(after), calls.hangup, switch, channel, cause)


def record_session(_switch: Switch, _channel: Channel, argument: str) -> None:
    """``record_session``: a file is begun, in which there is nothing."""
    sounds.record(argument)


def intercept(switch: Switch, channel: Channel, argument: str) -> None:
    """``intercept``: take a channel over by its uuid."""
    words = separate(argument, " ", 4)
    if words:
        bridge.intercept(switch, channel, words[0])


def socket(switch: Switch, channel: Channel, argument: str) -> None:
    """``socket``: give the call to a controller."""
    switch.control(channel, argument)


def fallback(switch: Switch, channel: Channel, _argument: str) -> None:
    """Note that a caller went on past its controller; our own, no application of FreeSWITCH."""
    switch.fell_back(channel)


APPLICATIONS: dict[str, Application] = {
    "answer": answer,
    "demo_fallback": fallback,
    "endless_playback": endless_playback,
    "event": event,
    "export": export,
    "hangup": hangup,
    "intercept": intercept,
    "limit": limit,
    "limit_execute": limit_execute,
    "loop_playback": loop_playback,
    "multiset": multiset,
    "multiunset": multiunset,
    "park": park,
    "playback": playback,
    "pre_answer": pre_answer,
    "record_session": record_session,
    "ring_ready": ring_ready,
    "sched_hangup": sched_hangup,
    "set": set_variable,
    "sleep": sleep,
    "socket": socket,
    "transfer": transfer,
    "unset": unset,
}

#: Applications without SAF_SUPPORT_NOMEDIA: a caller gets media first.
_NEED_MEDIA = frozenset({"endless_playback", "loop_playback", "playback", "record_session"})
