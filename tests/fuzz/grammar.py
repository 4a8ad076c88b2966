"""The commands that FreeSWITCH may get, by its own rules, written without ``fsctl.esl``.

mod_event_socket reads a command up to an empty line (``read_packet``); what stands behind the first
line is headers. ``api`` and ``originate`` take their words apart at spaces, where single quotes and
backslashes count (``switch_separate_string``), a ``{}`` block at commas (``switch_event_create_
brackets``), and expand ``${}`` on the way (``switch_channel_expand_variables``). So outside of the
orders that are spelt out here there is no quote, bracket of a block, ``$``, control character or
backslash, but ``\\s`` and ``\\,``.
"""

from __future__ import annotations

import re
from collections.abc import Collection

WORD = r"[A-Za-z0-9][A-Za-z0-9._+@-]{0,254}"
VARIABLE = r"[A-Za-z][A-Za-z0-9_.-]{0,63}"
VALUE = r"(?:[^\x00-\x20\x7f-\x9f\u2028\u2029{}'\"$|^,\\]|\\[,s])*"
SOUND = r"[A-Za-z0-9/][^\x00-\x20\x7f{}'\"$|^\\]*"
PATH = r"/(?:(?!\.\.)[A-Za-z0-9/._+@-])*"
WHOM = r"\$\{fsctl_call\}"
CLEARED = rf"(?:\$\{{uuid_setvar\((?:{WHOM}|{WORD}) {WORD}\)\}})*"
WON = (
    rf"\$\{{hupall\(LOSE_RACE fsctl_hunt (?:{WHOM}|{WORD})\)\}}"
    rf"\$\{{sched_del\(fsctl-(?:{WHOM}|{WORD})\)\}}{CLEARED}"
)
TOO_LATE = rf"m:\|:playback:{SOUND}\|hangup:LOSE_RACE"
ENDPOINT = rf"(?:user/{WORD}|sofia/[A-Za-z0-9._-]+/[A-Za-z0-9._+*#/:;=@-]+)"
ANSWERED = (
    rf"limit:hash fsctl {WHOM} 1 (?:!LOSE_RACE|{TOO_LATE} inline),"
    r"multiunset:fsctl_hunt fsctl_ring origination_nested_vars,"
    rf"(?:intercept:{WHOM} {WON}|set:x={WON},record_session:{PATH},intercept:{WHOM})"
)
OURS = {
    "fsctl_ring": WORD,
    "fsctl_leg": WORD,
    "fsctl_call": WORD,
    "fsctl_hunt": WORD,
    "originate_timeout": r"\d+",
    "ignore_early_media": "true",
    "outbound_redirect_fatal": "true",
    "intercept_unbridged_only": "true",
    "origination_nested_vars": "true",
    "api_on_originate": re.escape(
        r"uuid_kill\s${regex(m:~${uuid_getvar(${fsctl_call}\sfsctl_off)}~^-|${fsctl_ring}~${uuid})}"
        r"\sLOSE_RACE"
    ),
    "api_on_post_originate": rf"uuid_setvar\\s{WORD}\\ssocket_resume\\sfalse",
    "execute_on_answer": r"unset\\sfsctl_hunt",
    "group_confirm_key": "1",
    "group_confirm_file": VALUE,
    "origination_caller_id_number": VALUE,
    "origination_caller_id_name": VALUE,
    "origination_privacy": "hide_name:hide_number",
    "max_forwards": r"\d{1,3}",
    "export_vars": rf"{VARIABLE}(?:\\,{VARIABLE})*",
    "sip_h_Alert-Info": r"<[A-Za-z0-9._-]+>",
    "sip_h_Diversion": r"<sip:\+?[0-9*%]+@[A-Za-z0-9.-]+>;reason=unconditional",
    "sip_h_X-Fsctl-Hops": r"\d+(?:-[0-9a-f]{8}){1,9}",
}
"""Variables of a leg that decide something, and what they may be."""
RUNS_SOMETHING = re.compile(
    r"(?:api|execute_on|origination|originate|leg|group_confirm|bridge|fsctl)_.*|uuid",
    re.IGNORECASE,
)
"""Variables by which a leg runs something or becomes another; no export sets them."""
STEP = (
    rf"(?:unset:{WORD}|unset:(?:api_hangup_hook|hangup_after_bridge)|set:socket_resume=false"
    rf"|export:sip_h_X-Fsctl-Hops=\d+|sleep:\d+|answer|transfer:[A-Za-z0-9+*#._-]+ XML {WORD}"
    rf"|voicemail:{WORD} (?:{WORD}|\$\{{domain\}}) {WORD}|sched_hangup:\+\d+ {WORD}"
    rf"|playback:{SOUND}|hangup:{WORD}|set:playback_timeout_sec=\d+"
    rf"|limit:hash fsctl {WORD} 1 {TOO_LATE} inline|set:hangup_after_bridge=true"
    rf"|set:intercept_unbridged_only=true|set:fsctl_call={WORD}|set:fsctl_picker={WORD}"
    rf"|set:x=\$\{{uuid_setvar\({WORD} socket_resume false\)\}}{WON}"
    rf"|record_session:{PATH}|intercept:{WORD})"
)
STILL_OURS = r"(?:\$\{cond\(\$\{current_application\} == \w+ \? hangup : )+unset(?:\)\})+"
EXECUTED = (
    rf"answer|set\nexecute-app-arg: socket_resume=false|hangup\nexecute-app-arg: {WORD}"
    rf"|limit_execute\nexecute-app-arg: hash fsctl {WORD} 1 hangup {WORD}"
    rf"|(?:loop|endless)_playback\nexecute-app-arg: (?:\+1 )?\$\{{(fsctl_\w+)\}}"
    r"\nevent-uuid: fsctl_\w+"
)
LEAVING = "execute_on_blind_transfer_fsctl"
PAUSE = "api_after_bridge_fsctl"
TALKING = (
    rf"ARRAY::event:fsctl-leaves={WORD}\|:set:{PAUSE}1=msleep \d+"
    rf"\|:set:{PAUSE}2=uuid_setvar_multi {WORD} {LEAVING}=;{PAUSE}1=;{PAUSE}2=;{PAUSE}3="
    rf"\|:set:{PAUSE}3=msleep \d+"
)
API = (
    rf"status|uuid_setvar {WORD} (?:socket_resume false|{LEAVING}(?: {TALKING})?|fsctl_off {WORD}"
    rf"|fsctl_\w+ {SOUND})"
    rf"|uuid_setvar_multi {WORD} api_hangup_hook=hupall ORIGINATOR_CANCEL fsctl_hunt {WORD};"
    rf"hangup_after_bridge=true;socket_resume=true;{LEAVING}=ARRAY::event:fsctl-leaves={WORD}"
    rf"\|:sleep:\d+\|:unset:{LEAVING}\|:sleep:\d+"
    rf"|uuid_getvar {WORD} (?:current_application|{LEAVING})"
    rf"|uuid_ring_ready {WORD}|uuid_kill {WORD} {WORD}"
    rf"|hupall {WORD} fsctl_(?:ring|hunt|call) {WORD}|limit_usage hash fsctl {WORD}"
    rf"|sched_del fsctl-{WORD}|sched_api \+\d+ fsctl-{WORD} uuid_broadcast {WORD} "
    rf"'limit_execute::hash fsctl {WORD} 1 {STILL_OURS} NO_ANSWER' aleg"
    rf"|uuid_transfer {WORD} (?:'m:\^:{STEP}(?:\^{STEP})*' inline|{TOO_LATE} inline)"
)
COMMAND = re.compile(
    rf"connect|resume|exit|linger \d+|event json [A-Z_]+(?: [A-Z_]+)*"
    rf"|filter (?:Event-Name FSCTL|Job-Owner-UUID {WORD}|variable_fsctl_call {WORD}"
    rf"|Unique-ID {WORD})|sendmsg\ncall-command: execute\nexecute-app-name: (?:{EXECUTED})"
    rf"|api (?:{API})"
)
ORIGINATE = re.compile(
    rf"bgapi originate (\{{.*\}}){ENDPOINT} '{ANSWERED}' inline(?: {WORD})?\nJob-UUID: {WORD}"
)


class Stranger(AssertionError):
    """A command says what no controller means to say."""


def check(command: str, carried: Collection[str]) -> None:
    """Check one command; ``carried`` are the other variables that a leg may have."""
    if not command.startswith("bgapi "):
        if not COMMAND.fullmatch(command):
            raise Stranger(f"no command of ours: {command!r}")
        return
    found = ORIGINATE.fullmatch(command)
    if not found:
        raise Stranger(f"no leg of ours: {command!r}")
    for name, value in variables(found[1]):
        goes_with = name in carried and re.fullmatch(VARIABLE, name)
        pattern = OURS.get(name) or (VALUE if goes_with else "")
        if not pattern or (name not in OURS and RUNS_SOMETHING.fullmatch(name)):
            raise Stranger(f"a leg has the variable {name!r}: {command!r}")
        if not re.fullmatch(pattern, value):
            raise Stranger(f"a leg's {name} is {value!r}")


def variables(block: str) -> list[tuple[str, str]]:
    """Take a ``{}`` block apart as FreeSWITCH does, which looks for its end and for commas."""
    depth, at, parts = 0, 0, [""]
    while at < len(block):
        char = block[at]
        depth += {"{": 1, "}": -1}.get(char, 0)
        if depth == 0:
            break
        if char == "\\":
            parts[-1] += block[at : at + 2]
            at += 2
            continue
        if char == ",":
            parts.append("")
        elif at:
            parts[-1] += char
        at += 1
    if at != len(block) - 1:
        raise Stranger(f"a block ends before its end: {block!r}")
    if block.startswith("{^^"):
        raise Stranger(f"a block has another separator: {block!r}")
    pairs = [part.partition("=") for part in parts]
    names = [name for name, _, _ in pairs]
    if len(set(names)) != len(names) or not all(sign for _, sign, _ in pairs):
        raise Stranger(f"a block names a variable twice, or none: {block!r}")
    return [(name, value) for name, _, value in pairs]
