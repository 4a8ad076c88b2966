"""Commands of the event socket: framing, and what each does to its listener.

Owns ``parse_command`` of mod_event_socket.c. To add a command, write a function that takes the
listener, the command line and the headers and returns the Reply-Text, and enter it in
``COMMANDS``; a name there stands for every line that begins with it, in either case.
"""

from __future__ import annotations

import re
import uuid as uuids
from collections.abc import Callable
from typing import TYPE_CHECKING

import gevent

from fsctl.demo import apps, calls

if TYPE_CHECKING:
    from fsctl.demo.listener import Listener

Headers = dict[str, str]
Command = Callable[["Listener", str, Headers], "str | bytes | None"]

#: Seconds for which ``bgapi`` holds the listener's thread until the job's thread has begun.
_JOB_STARTS = 0.001

_BLANK_LINE = re.compile(rb"\n\r*\n")
_LENGTH = re.compile(rb"\n\s*content-length:\s*(\d{1,8})", re.IGNORECASE)

#: What ``myevents`` subscribes to.
_CHANNEL_EVENTS = frozenset(
    f"CHANNEL_{what}"
    for what in (
        *("ANSWER", "APPLICATION", "BRIDGE", "CREATE", "DATA", "DESTROY", "EXECUTE"),
        *("EXECUTE_COMPLETE", "HANGUP", "HANGUP_COMPLETE", "ORIGINATE", "UUID", "OUTGOING"),
        *("PARK", "PROGRESS", "PROGRESS_MEDIA", "STATE", "UNBRIDGE", "UNPARK"),
    )
) | {"DETECTED_SPEECH", "DTMF", "NOTALK", "TALK"}

#: Names that ``event`` accepts besides; all else is skipped without a word.
_OTHER_EVENTS = frozenset(
    [
        *("ALL", "API", "BACKGROUND_JOB", "CALL_UPDATE", "CHANNEL_CALLSTATE", "CHANNEL_HOLD"),
        *("CHANNEL_UNHOLD", "CUSTOM", "HEARTBEAT", "MESSAGE", "PLAYBACK_START", "PLAYBACK_STOP"),
        *("RELOADXML", "SHUTDOWN", "STARTUP"),
    ]
)


def cut(buffer: bytes) -> tuple[bytes | None, bytes]:
    """Cut one whole command off the front; (None, buffer) while some of it is missing."""
    end = _BLANK_LINE.search(buffer)
    if end is None:
        return None, buffer
    length = _LENGTH.search(buffer, 0, end.end())
    whole = end.end() + (int(length.group(1)) if length else 0)
    if len(buffer) < whole:
        return None, buffer
    return buffer[:whole], buffer[whole:]


def parse(command: bytes) -> tuple[str, Headers]:
    """Return a command's first line and its headers, their names in lower case."""
    first, *lines = re.split(r"[\r\n]+", command.decode("utf-8", "surrogateescape"))
    headers: Headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            headers.setdefault(name.lower(), value.lstrip(" "))
    return first, headers


def obey(listener: Listener, line: str, headers: Headers) -> bytes | None:
    """Carry out one command; returns its reply, None where it has sent its own."""
    lowered = line.lower()
    reply: str | bytes | None = ""
    if listener.full or not lowered.startswith(_FULL_ONLY):
        for name, command in COMMANDS.items():
            if lowered.startswith(name):
                reply = command(listener, line, headers)
                break
    if reply is None or isinstance(reply, bytes):
        return reply
    text = f"Content-Type: command/reply\nReply-Text: {reply or '-ERR command not found'}\n\n"
    return text.encode("utf-8", "surrogateescape")


def _connect(listener: Listener, _line: str, _headers: Headers) -> None:
    channel = listener.channel
    rows = [
        *channel.profile_headers("Channel-"),
        *channel.headers(),
        ("Content-Type", "command/reply"),
        ("Reply-Text", "+OK\n"),
        ("Socket-Mode", "async" if listener.asynchronous else "static"),
        ("Control", "full" if listener.full else "single-channel"),
    ]
    listener.send(calls.event(listener.switch, "CHANNEL_DATA", rows).as_plain())
    listener.connected.set()
    channel.wake()


def _exit(listener: Listener, _line: str, _headers: Headers) -> str:
    listener.running = False
    return "+OK bye"


def _filter(listener: Listener, line: str, _headers: Headers) -> str:
    name, space, value = line[len("filter ") :].strip(" ").partition(" ")
    if not space:
        return "-ERR invalid syntax"
    filters = listener.subscription.filters
    if name.lower() == "delete":
        name, _, value = value.partition(" ")
        if name.lower() == "all":
            filters.clear()
        else:
            gone = name.lower()
            filters[:] = [f for f in filters if f[0] != gone or (value and f[1] != value)]
        reply = f"+OK filter deleted. [{name}][{value}]"
    else:
        if name.lower() == "add":
            name, _, value = value.partition(" ")
        filters.append((name.lower(), value))
        reply = f"+OK filter added. [{name}]=[{value}]"
    listener.switch.bus.update(listener.subscription)
    return reply


def _resume(listener: Listener, _line: str, _headers: Headers) -> str:
    listener.resume = True
    listener.channel.set("socket_resume", "true")
    return "+OK"


def _getvar(listener: Listener, line: str, _headers: Headers) -> str:
    return listener.channel.get(line[len("getvar") :].strip(" ")) or ""


def _myevents(listener: Listener, line: str, _headers: Headers) -> str:
    subscription = listener.subscription
    if subscription.mine is not None:
        return "-ERR aready enabled."
    subscription.mine = listener.channel.uuid
    subscription.names |= _CHANNEL_EVENTS
    subscription.enabled = True
    if "json" in line.lower():
        listener.style = "json"
    listener.switch.bus.update(subscription)
    return "+OK Events Enabled"


def _divert_events(_listener: Listener, line: str, _headers: Headers) -> str:
    wanted = line[len("divert_events") :].strip(" ").lower()
    if not wanted:
        return "-ERR missing value."
    return "+OK events diverted" if wanted == "on" else "+OK events not diverted"


def _sendmsg(listener: Listener, line: str, headers: Headers) -> str:
    uuid = line[len("sendmsg") :].strip(" ") or headers.get("session-id", "")
    own = listener.channel
    channel = own if uuid in ("", own.uuid) else listener.switch.locate(uuid)
    if channel is None:
        return f"-ERR invalid session id [{uuid}]"
    channel.order(headers)
    if channel is own and not listener.asynchronous:  # the thread that listens does it
        apps.parse_messages(listener.switch, channel)
    return "+OK"


def _api(listener: Listener, line: str, _headers: Headers) -> bytes:
    name, space, argument = line[len("api ") :].partition(" ")
    answer = listener.switch.api(name, argument if space else None) or "-ERR no reply\n"
    body = answer.encode("utf-8", "surrogateescape")
    return b"Content-Type: api/response\nContent-Length: %d\n\n" % len(body) + body


def _bgapi(listener: Listener, line: str, headers: Headers) -> bytes:
    name, space, argument = line[len("bgapi ") :].partition(" ")
    number = headers.get("job-uuid", "")[:36] or str(uuids.uuid4())
    listener.job(name, argument if space else None, number)
    gevent.sleep(_JOB_STARTS)
    reply = f"Content-Type: command/reply\nReply-Text: +OK Job-UUID: {number}\nJob-UUID: {number}"
    return f"{reply}\n\n".encode("utf-8", "surrogateescape")


def _linger(listener: Listener, line: str, _headers: Headers) -> str:
    seconds = line[len("linger") :].strip(" ")
    if not seconds:
        listener.linger = -1
        return "+OK will linger"
    listener.linger = int(seconds) if seconds.isdigit() else 0
    return f"+OK will linger {listener.linger} seconds"


def _nolinger(listener: Listener, _line: str, _headers: Headers) -> str:
    listener.linger = None
    return "+OK will not linger"


def _event(listener: Listener, line: str, _headers: Headers) -> str:
    words = line.split(" ")[1:]
    if words and words[0].lower() in ("plain", "json"):
        listener.style = words.pop(0).lower()
    names = _known(words)
    if not names:
        return "-ERR no keywords supplied"
    listener.subscription.names |= names
    listener.subscription.enabled = True
    listener.switch.bus.update(listener.subscription)
    return f"+OK event listener enabled {listener.style}"


def _nixevent(listener: Listener, line: str, _headers: Headers) -> str:
    names = _known(line.split(" ")[1:])
    if not names:
        return "-ERR no keywords supplied"
    subscription = listener.subscription
    if "ALL" in names:
        subscription.names.clear()
    elif "ALL" in subscription.names:
        subscription.names = set(_CHANNEL_EVENTS | _OTHER_EVENTS) - {"ALL"}
    subscription.names -= names
    subscription.enabled = True
    listener.switch.bus.update(subscription)
    return "+OK events nixed"


def _noevents(listener: Listener, _line: str, _headers: Headers) -> str:
    if not listener.subscription.enabled:
        return "-ERR not listening for events"
    listener.subscription.enabled = False
    listener.subscription.names.clear()
    listener.switch.bus.update(listener.subscription)
    return "+OK no longer listening for events"


def _known(words: list[str]) -> set[str]:
    return {word.upper() for word in words} & (_CHANNEL_EVENTS | _OTHER_EVENTS)


#: In the order in which FreeSWITCH compares beginnings.
COMMANDS: dict[str, Command] = {
    "exit": _exit,
    "...": _exit,
    "filter ": _filter,
    "resume": _resume,
    "connect": _connect,
    "getvar": _getvar,
    "myevents": _myevents,
    "divert_events": _divert_events,
    "sendmsg": _sendmsg,
    "api ": _api,
    "bgapi ": _bgapi,
    "linger": _linger,
    "nolinger": _nolinger,
    "event": _event,
    "nixevent": _nixevent,
    "noevents": _noevents,
}

#: What a socket without ``full`` may not say.
_FULL_ONLY = ("api ", "bgapi ", "linger", "nolinger", "event", "nixevent", "noevents")
