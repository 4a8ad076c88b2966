"""The api: commands that FreeSWITCH offers to ``api``, ``bgapi``, hooks and ``${name(arguments)}``.

Owns each command's syntax and its answer, word for word (mod_commands.c). To add one, write a
function that takes the switch and the argument text and returns the answer, and enter it in
``API``.
"""

from __future__ import annotations

import operator as operators
import re
import time
import uuid as uuids
from collections.abc import Callable
from typing import TYPE_CHECKING

import gevent
import orjson

from fsctl.demo import api_channel, calls, causes
from fsctl.demo.api_channel import NO_CHANNEL
from fsctl.demo.channel import Channel
from fsctl.demo.clock import epoch
from fsctl.demo.originate import originate
from fsctl.demo.quoting import separate

if TYPE_CHECKING:
    from fsctl.demo.switch import Switch

Api = Callable[["Switch", str], str]

_VERSION = "1.10.12-release+git~20240802T210227Z~a88d069d6f~64bit"


def execute(switch: Switch, name: str, argument: str | None) -> str:
    """Run one command and return its answer; ``-ERR`` where there is no such command."""
    command = API.get(name)
    if command is None:
        return f"-ERR {name} Command not found!\n"
    return command(switch, argument or "")


def sched_api(switch: Switch, argument: str) -> str:
    """``sched_api [+@]SECONDS GROUP COMMAND...`` on the scheduler's whole-second clock."""
    when, _, rest = argument.partition(" ")
    group, space, command = rest.partition(" ")
    if not space:
        return "-ERR Invalid syntax. USAGE: [+@]<time> <group_name> <command_string>[&]\n"
    seconds = _number(when.lstrip("+@"))
    name, _, data = command.rstrip("&").partition(" ")
    number = switch.scheduler.add(
        epoch() + seconds if when[:1] in ("+", "@") else seconds,
        group,
        lambda: switch.api(name, data),
        every=seconds if when.startswith("@") else 0,
    )
    return f"+OK Added: {number}\n"


def sched_hangup(switch: Switch, argument: str) -> str:
    """``sched_hangup [+]SECONDS UUID [CAUSE]``; the task's group is the uuid."""
    words = [*separate(argument, " ", 4), "", ""]
    if not words[0]:
        return "-USAGE: [+]<time> <uuid> [<cause>]\n"
    when, uuid, cause, *_ = [*words, ""]
    channel = switch.locate(uuid)
    if channel is None:
        return NO_CHANNEL
    name = causes.parse(cause) if cause else "ALLOTTED_TIMEOUT"
    seconds = _number(when[1:])
    if seconds == 0:
        calls.hangup(switch, channel, name)
    else:
        at = epoch() + seconds if when.startswith("+") else _number(when)
        switch.scheduler.add(at, uuid, lambda: api_channel.uuid_kill(switch, f"{uuid} {name}"))
    return "+OK\n"


def sched_del(switch: Switch, argument: str) -> str:
    """``sched_del NUMBER|GROUP``."""
    if not argument:
        return "-ERR Invalid syntax\n"
    return f"+OK Deleted: {switch.scheduler.delete(argument)}\n"


def limit_usage(switch: Switch, argument: str) -> str:
    """``limit_usage BACKEND REALM ID``."""
    words = separate(argument, " ", 5)
    if len(words) < 3:
        return "USAGE: limit_usage <backend> <realm> <id> [rate]\n"
    return str(switch.limits.usage(words[1], words[2]))


def limit_hash_usage(switch: Switch, argument: str) -> str:
    """``limit_hash_usage REALM ID``."""
    return limit_usage(switch, f"hash {argument}")


def show(switch: Switch, argument: str) -> str:
    """``show channels [count] [as json]``."""
    words = argument.split()
    if not words or words[0].lower() != "channels":
        return "-USAGE: channels [count] [as json]\n"
    channels = list(switch.channels.values())
    count = "count" in [word.lower() for word in words[1:]]
    if words[-2:] == ["as", "json"]:
        if count or not channels:
            return f'{{"row_count":{len(channels)}}}\n' if count else '{"row_count": 0}\n'
        rows = [_row(channel) for channel in channels]
        return orjson.dumps({"row_count": len(rows), "rows": rows}).decode()
    if count:
        return f"\n{len(channels)} total.\n"
    lines = [",".join(_COLUMNS), *(",".join(_row(channel).values()) for channel in channels)]
    return "\n".join(lines if channels else []) + f"\n\n{len(channels)} total.\n"


_COLUMNS = (
    "uuid",
    "direction",
    "created",
    "created_epoch",
    "name",
    "state",
    "cid_name",
    "cid_num",
    "ip_addr",
    "dest",
    "application",
    "application_data",
    "dialplan",
    "context",
    "presence_id",
    "callstate",
    "call_uuid",
    "hostname",
)


def _row(channel: Channel) -> dict[str, str]:
    created = channel.times.created // 1_000_000
    profile = channel.profile
    values = (
        channel.uuid,
        "inbound" if channel.inbound else "outbound",
        time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(created)),
        str(created),
        _text(channel.name),
        channel.running,
        _text(profile.cid_name),
        _text(profile.cid_number),
        profile.network_addr,
        _text(profile.destination),
        channel.get("current_application") or "",
        _text(channel.get("current_application_data") or ""),
        profile.dialplan,
        "default",
        channel.presence_id,
        channel.callstate,
        channel.get("call_uuid") or "",
        "demo",
    )
    return dict(zip(_COLUMNS, values, strict=True))


def _text(value: str) -> str:
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def status(switch: Switch, _argument: str) -> str:
    """``status``."""
    up = int(time.monotonic() - switch.started)
    days, hours, minutes = up // 86400, up // 3600 % 24, up // 60 % 60
    return (
        f"UP 0 years, {days} days, {hours} hours, {minutes} minutes, {up % 60} seconds, "
        "0 milliseconds, 0 microseconds\n"
        f"FreeSWITCH (Version {_VERSION}) is ready\n"
        f"{switch.sessions} session(s) since startup\n"
        f"{len(switch.channels)} session(s) - peak {switch.peak}, last 5min {switch.peak} \n"
        f"0 session(s) per Sec out of max {switch.throttle.rate}, peak 0, last 5min 0 \n"
        f"{switch.throttle.most} session(s) max\n"
        "min idle cpu 0.00/99.00\n"
    )


def control(switch: Switch, argument: str) -> str:
    """``fsctl max_sessions|sps NUMBER``, of all that FreeSWITCH's command of that name does."""
    what, _, text = argument.partition(" ")
    number = _number(text)
    if what == "max_sessions":
        switch.throttle.most = number or switch.throttle.most
        return f"+OK max sessions: {switch.throttle.most}\n"
    if what == "sps":
        switch.throttle.rate = number or switch.throttle.rate
        return f"+OK sessions per second: {switch.throttle.rate}\n"
    return "-ERR\n"


def version(_switch: Switch, argument: str) -> str:
    """``version [short]``."""
    if argument == "short":
        return "1.10.12\n"
    return f"FreeSWITCH Version {_VERSION} (git a88d069 2024-08-02 21:02:27Z 64bit)\n"


def msleep(_switch: Switch, argument: str) -> str:
    """``msleep MILLISECONDS``."""
    gevent.sleep(_number(argument) / 1000)
    return "+OK\n"


def global_getvar(switch: Switch, argument: str) -> str:
    """``global_getvar NAME``: only ``domain`` is set."""
    return switch.domain if argument == "domain" else ""


def create_uuid(_switch: Switch, _argument: str) -> str:
    """``create_uuid``."""
    return str(uuids.uuid4())


def evaluate(switch: Switch, argument: str) -> str:
    """``eval [uuid:UUID ]TEXT``: the text, expanded with that channel's variables."""
    channel = None
    if argument.startswith("uuid:"):
        uuid, _, argument = argument[len("uuid:") :].partition(" ")
        channel = switch.locate(uuid)
    return switch.expand(channel, argument)


def expand(switch: Switch, argument: str) -> str:
    """``expand COMMAND ARGUMENTS``: the arguments are expanded first, with global variables."""
    name, _, arguments = argument.partition(" ")
    return execute(switch, name, switch.expand(None, arguments))


def hash_(switch: Switch, argument: str) -> str:
    """``hash insert/REALM/KEY/VALUE`` and the like (``hash_api_function`` in mod_hash.c)."""
    what, *rest = argument.split("/", 3)
    if what == "insert" and len(rest) == 3:
        switch.hash[rest[0], rest[1]] = rest[2]
        return "+OK\n"
    if what == "select" and len(rest) == 2:
        return switch.hash.get((rest[0], rest[1]), "")
    if what == "delete" and len(rest) == 2:
        return "+OK\n" if switch.hash.pop((rest[0], rest[1]), None) else "-ERR Not found\n"
    return "-USAGE: insert|insert_ifempty|delete|delete_ifmatch|select/<realm>/<key>[/<value>]\n"


def _number(text: str) -> int:
    return int(text) if text.isdigit() and len(text) < 12 else 0


def regex(_switch: Switch, argument: str) -> str:
    """``regex TEXT|PATTERN[|INSTEAD]``, or with another sign after ``m:``."""
    sign = "|"
    if argument[:2] == "m:" and argument[2:3] in ("|", "~", "/"):
        sign, argument = argument[2], argument[3:]
    text, pattern, *instead = [*separate(argument, sign, 4), ""]
    found = re.search(pattern, text)
    if not instead or instead == [""]:
        return "true" if found else "false"
    return instead[0] if found else text


def cond(_switch: Switch, argument: str) -> str:
    """``cond A OP B ? YES : NO``: numbers are compared as such, a number and a text by length."""
    match = _CONDITION.fullmatch(argument)
    if match is None:
        return "-ERR"
    left, operator, right, branches = match.groups()
    yes, no, *_ = [*separate(branches, ":", 2), "", ""]
    return yes if _holds(left, operator, right) else no


_CONDITION = re.compile(
    r"('[^']*'|[^ ]+)\s+(==|!=|>=|<=|>|<)\s+('[^']*'|[^ ]+)\s+\?(.*)", re.DOTALL
)
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,15})?")

_COMPARE = {
    "==": operators.eq,
    "!=": operators.ne,
    ">": operators.gt,
    ">=": operators.ge,
    "<": operators.lt,
    "<=": operators.le,
}


def _holds(left: str, operator: str, right: str) -> bool:
    sides = [(_NUMBER.fullmatch(side) is not None, side.strip("'")) for side in (left, right)]
    if operator in ("==", "!=") and not any(number for number, _ in sides):
        return (sides[0][1] == sides[1][1]) is (operator == "==")
    first, second = (float(side) if number else float(len(side)) for number, side in sides)
    return bool(_COMPARE[operator](first, second))


API: dict[str, Api] = {
    "cond": cond,
    "create_uuid": create_uuid,
    "eval": evaluate,
    "expand": expand,
    "fsctl": control,
    "global_getvar": global_getvar,
    "hash": hash_,
    "hupall": api_channel.hupall,
    "limit_hash_usage": limit_hash_usage,
    "limit_usage": limit_usage,
    "msleep": msleep,
    "originate": originate,
    "regex": regex,
    "sched_api": sched_api,
    "sched_del": sched_del,
    "sched_hangup": sched_hangup,
    "show": show,
    "status": status,
    "uuid_broadcast": api_channel.uuid_broadcast,
    "uuid_break": api_channel.uuid_break,
    "uuid_bridge": api_channel.uuid_bridge,
    "uuid_exists": api_channel.uuid_exists,
    "uuid_getvar": api_channel.uuid_getvar,
    "uuid_kill": api_channel.uuid_kill,
    "uuid_ring_ready": api_channel.uuid_ring_ready,
    "uuid_setvar": api_channel.uuid_setvar,
    "uuid_setvar_multi": api_channel.uuid_setvar_multi,
    "uuid_transfer": api_channel.uuid_transfer,
    "version": version,
}
