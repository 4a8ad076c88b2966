"""Api commands about channels: ending, marking, bridging, telling them what to do.

Owns their syntax and answers (mod_commands.c). They are offered by the table in api.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import gevent

from fsctl.demo import bridge, calls, causes, transfers
from fsctl.demo.quoting import separate

if TYPE_CHECKING:
    from fsctl.demo.switch import Switch

NO_CHANNEL = "-ERR No such channel!\n"

#: Seconds that ``uuid_ring_ready`` takes: a leg that was ordered before it comes into being
#: meanwhile, and a filter that stands behind it does not let its CHANNEL_CREATE through.
_SAYS_RINGING = 0.004


def uuid_kill(switch: Switch, argument: str) -> str:
    """``uuid_kill UUID [CAUSE]``."""
    if not argument:
        return "-USAGE: <uuid> [cause]\n"
    uuid, _, cause = argument.partition(" ")
    channel = switch.locate(uuid)
    if channel is None:
        return NO_CHANNEL
    calls.hangup(switch, channel, causes.parse(cause) if cause else "NORMAL_CLEARING")
    return "+OK\n"


def hupall(switch: Switch, argument: str) -> str:
    """``hupall [CAUSE [VARIABLE VALUE]...]``: hang up what matches exactly."""
    words = separate(argument, " ", 11)
    cause = causes.parse(words[0]) if words else "MANAGER_REQUEST"
    if cause == "NONE":
        cause = "MANAGER_REQUEST"
    wanted = [
        (words[at], words[at + 1])
        for at in range(1, len(words) - 1, 2)
        if words[at] and words[at + 1]
    ]
    for channel in reversed(list(switch.channels.values())):
        if all(channel.variables.get(name) == value for name, value in wanted):
            calls.hangup(switch, channel, cause)
    if not wanted:
        return f"+OK hangup all channels with cause {cause}\n"
    dots = "..." if len(wanted) > 1 else ""
    (name, value), *_ = wanted
    return f"+OK hangup all channels matching [{name}]=[{value}]{dots} with cause: {cause}\n"


def uuid_setvar(switch: Switch, argument: str) -> str:
    """``uuid_setvar UUID NAME [VALUE]``: no value takes the variable off."""
    words = separate(argument, " ", 3)
    if len(words) not in (2, 3) or not words[0]:
        return "-USAGE: <uuid> <var> [value]\n"
    channel = switch.locate(words[0])
    if channel is None:
        return NO_CHANNEL
    channel.set(words[1], words[2] if len(words) == 3 else None)
    return "+OK\n"


def uuid_setvar_multi(switch: Switch, argument: str) -> str:
    """``uuid_setvar_multi UUID NAME=VALUE;NAME=VALUE``."""
    usage = "-USAGE: <uuid> <var>=<value>;<var>=<value>...\n"
    uuid, space, assignments = argument.partition(" ")
    if not space:
        return usage
    channel = switch.locate(uuid)
    if channel is None:
        return NO_CHANNEL + usage
    done = False
    for assignment in separate(assignments, ";", 64):
        name, _, value = assignment.partition("=")
        if name:
            channel.set(name, value)
            done = True
    return "+OK\n" if done else usage


def uuid_getvar(switch: Switch, argument: str) -> str:
    """``uuid_getvar UUID NAME``: the bare value, ``_undef_`` where there is none."""
    words = separate(argument, " ", 4)
    if len(words) < 2 or not words[0]:
        return "-USAGE: <uuid> <var>\n"
    channel = switch.locate(words[0])
    if channel is None:
        return NO_CHANNEL
    value = channel.get(words[1])
    return "_undef_" if value is None else value


def uuid_ring_ready(switch: Switch, argument: str) -> str:
    """``uuid_ring_ready UUID [queued]``."""
    words = separate(argument, " ", 2)
    if not words or (len(words) > 1 and words[1].lower() != "queued"):
        return "-USAGE: <uuid> [queued]\n"
    channel = switch.locate(words[0])
    if channel is None:
        return "-ERROR\n"
    calls.ring_ready(switch, channel)
    gevent.sleep(_SAYS_RINGING)
    return "+OK\n"


def uuid_bridge(switch: Switch, argument: str) -> str:
    """``uuid_bridge UUID OTHER``: ``+OK`` only says that it has been tried."""
    words = separate(argument, " ", 4)
    if len(words) < 2:
        return "-USAGE: <uuid> <other_uuid>\n"
    who = bridge.uuid_bridge(switch, words[0], words[1])
    return f"+OK {who}\n" if who else "-ERR Invalid uuid\n"


def uuid_exists(switch: Switch, argument: str) -> str:
    """``uuid_exists UUID``."""
    return "true" if switch.locate(argument) else "false"


def uuid_break(switch: Switch, argument: str) -> str:
    """``uuid_break UUID [all]``: stop what is being played; ``all`` forgets what waits, too."""
    uuid, _, flags = argument.partition(" ")
    channel = switch.locate(uuid)
    if channel is None:
        return NO_CHANNEL
    if "all" in flags:
        channel.messages.clear()
    channel.interrupted = True
    channel.wake()
    return "+OK\n"


def uuid_transfer(switch: Switch, argument: str) -> str:
    """``uuid_transfer UUID EXTENSION [DIALPLAN]``: to an inline dialplan, else to the fallback."""
    words = separate(argument, " ", 5)
    if len(words) < 2:
        return "-USAGE: <uuid> [-bleg|-both] <dest-exten> [<dialplan>] [<context>]\n"
    channel = switch.locate(words[0])
    if channel is None:
        return NO_CHANNEL
    if words[2:3] == ["inline"]:
        transfers.send_inline(switch, channel, words[1])
    else:
        transfers.transfer(switch, channel)
    return "+OK\n"


def uuid_broadcast(switch: Switch, argument: str) -> str:
    """``uuid_broadcast UUID PATH|APP::ARGUMENTS [aleg|bleg|both]``: run it on the channel's thread.

    ``APP!CAUSE`` hangs up afterwards (``switch_ivr_broadcast`` in switch_ivr_async.c).
    """
    words = separate(argument, " ", 4)
    if len(words) < 2:
        return "-USAGE: <uuid> <path> [aleg|bleg|holdb|both]\n"
    channel = switch.locate(words[0])
    if channel is None:
        return "-ERR invalid uuid\n"
    application, found, data = words[1].partition("::")
    if not found:
        application, data = "playback", words[1]
    application, bang, cause = application.partition("!")
    legs = words[2].lower() if len(words) > 2 else "aleg"
    order = {"call-command": "execute", "execute-app-name": application, "execute-app-arg": data}
    if channel.partner and ("bleg" in legs or "both" in legs):
        channel.partner.order(dict(order))
    if "aleg" in legs or "both" in legs:
        channel.order(order)
    if bang:
        channel.order({"call-command": "hangup", "hangup-cause": cause or "NORMAL_CLEARING"})
    return "+OK Message sent\n"
