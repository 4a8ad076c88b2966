"""Every variable of a FreeSWITCH channel that fsctl sets or reads.

The names are found in the code; what each is for is said here, and a page is only made when both
agree.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import fsctl
from docs.reference import markdown
from docs.reference.markdown import code

LEG, CALLER, PICKER, TRIAL, READ = "leg", "caller", "picker", "test call", "read"

VARIABLES: Mapping[str, tuple[str, str]] = {
    # Ours
    "fsctl_call": (LEG, "the caller's uuid, as long as the leg lives; events are filtered by it"),
    "fsctl_hunt": (LEG, "the caller's uuid while the leg hunts; with it the leg is cancelled"),
    "fsctl_ring": (LEG, "its own job's uuid while it hunts; by it the leg is cancelled alone"),
    "fsctl_off": (CALLER, "the jobs of legs that were cancelled before they had a channel"),
    "fsctl_leg": (LEG, "the leg's own name, as long as it lives"),
    "fsctl_picker": (PICKER, "who picks up, once they have the claim on the caller"),
    "sip_h_X-Fsctl-Hops": (
        f"{LEG}, {CALLER}, {READ}",
        "how many groups the call has been through; also a header of every INVITE",
    ),
    "fsctl_greeting": (CALLER, "the greeting that is to be played"),
    "fsctl_music": (CALLER, "what is heard while telephones ring; cleared by who wins"),
    "fsctl_ringing": (CALLER, "ringing as media, where music cannot be played; cleared likewise"),
    "fsctl_announcement": (CALLER, "what is to be announced again and again; cleared likewise"),
    "fsctl_position": (CALLER, "what tells a caller's place in line; cleared likewise"),
    "fsctl_trial": (TRIAL, "the test call's own uuid, on both its channels"),
    # FreeSWITCH's, set
    "originate_timeout": (LEG, "seconds until FreeSWITCH stops the telephone, two beyond our own"),
    "ignore_early_media": (LEG, "true: a mobile's greeting is no answer"),
    "outbound_redirect_fatal": (LEG, "true: a 302 is a failure"),
    "hangup_after_bridge": (
        f"{CALLER}, {PICKER}", "true: after the conversation the call is over"
    ),
    "intercept_unbridged_only": (
        f"{LEG}, {PICKER}", "true: a caller who talks already is not taken"
    ),
    "api_on_post_originate": (LEG, "takes `socket_resume` off the caller at the answer"),
    "api_on_originate": (LEG, "ends a leg whose caller has left, before its phone is called"),
    "origination_nested_vars": (LEG, "true: FreeSWITCH expands `api_on_originate` on the leg"),
    "group_confirm_key": (LEG, "1, for a member who must press it to have the caller"),
    "group_confirm_file": (LEG, "what that member hears"),
    "execute_on_answer": (LEG, "takes `fsctl_hunt` off such a leg, so that a loser can be told"),
    "origination_caller_id_number": (LEG, "the number that the telephone shows"),
    "origination_caller_id_name": (LEG, "the name that the telephone shows"),
    "origination_privacy": (LEG, "hides both, for a caller who asks for it"),
    "sip_h_Alert-Info": (LEG, "the distinctive ring"),
    "export_vars": (
        f"{LEG}, {READ}",
        "variables that the dialplan exports; every leg gets and exports them ([legs](../legs.md))",
    ),
    "sip_h_Diversion": (LEG, "which number diverts the call"),
    "max_forwards": (f"{LEG}, {READ}", "how often the call may yet be forwarded (RFC 3261)"),
    "playback_timeout_sec": (PICKER, "seconds that the sound of a refusal may last"),
    "x": (f"{LEG}, {PICKER}", "nothing: what is done by expanding its value is what matters"),
    "api_hangup_hook": (CALLER, "cancels every leg that hunts when the caller hangs up"),
    "execute_on_blind_transfer_fsctl": (
        CALLER, "gives fsctl half a second to close its socket before somebody transfers the caller"
    ),
    "socket_resume": (CALLER, "true while telephones ring: the dialplan goes on if we do not"),
    "loopback_bowout": (TRIAL, "false: the two ends stay"),
    # FreeSWITCH's, read
    "user_name": (READ, "the directory's user who calls, whose own telephone is then not rung"),
    "sip_auth_username": (READ, "the same, where only the call itself was authenticated"),
    "domain_name": (READ, "that user's domain; the call's is in what `domain_variable` names"),
    "sip_h_": (READ, "the prefix of the caller's SIP headers, which legs may get (`leg_headers`)"),
    "ringback": (READ, "the ringing that a caller hears whose channel has media"),
    "transfer_ringback": (READ, "the same, for a caller who has been answered"),
    "sip_copy_custom_headers": (READ, "false: no SIP header goes with legs, as with `bridge`"),
    "sip_req_host": (READ, "where the number was called, for a Diversion header"),
    "bridge_uuid": (f"{LEG}, {READ}", "with whom a channel was bridged last"),
    "sip_invite_failure_status": (f"{LEG}, {READ}", "the telephone's final SIP code"),
    "sip_term_status": (f"{LEG}, {READ}", "the same, where the other is not set"),
}  # fmt: skip
"""On which channel each is, and what it is for."""

NOT_VARIABLES = frozenset({"name", "number"})
"""Keys of the code's dictionaries that are none: parts of a template."""

_SET = re.compile(r"(?:^|[;, ])([a-z_]+)=|\b(?:set|unset):([a-z_]+)\b")
_SOURCE = Path(fsctl.__file__).parent


def page() -> str:
    """Return the page of all variables. Raises LookupError when the code and VARIABLES differ."""
    found, said = names(), set(VARIABLES)
    if found != said:
        raise LookupError(
            f"not said: {sorted(found - said)}; not in the code: {sorted(said - found)}"
        )
    rows = [(code(name), *VARIABLES[name]) for name in sorted(VARIABLES)]
    return markdown.page(
        "Channel variables",
        "What fsctl sets on the legs that it starts (`leg`), on the caller, on the channel of who "
        "picks a caller up (`picker`) and on a test call, and what it reads (`read`). A "
        "dialplan or a CDR may read them. Setting those that begin with `fsctl_` breaks hunts.",
        markdown.table(("variable", "on", "what for"), rows),
    )


def names() -> set[str]:
    """Return the name of every variable in the code that talks to the switch."""
    found: set[str] = set()
    for part in ("esl", "controller"):
        for path in (_SOURCE / part).glob("*.py"):
            found.update(_names(path, ast.parse(path.read_text(encoding="utf-8"))))
    return found - NOT_VARIABLES


def _names(path: Path, tree: ast.Module) -> Iterator[str]:
    orders = path.name in ("commands.py", "trial_commands.py", "picking.py")
    words = orders or path.name == "presentation.py"
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if read := re.fullmatch(r"variable_([a-z]\w*)", node.value):
                yield read[1]
            if orders:
                yield from filter(None, sum(_SET.findall(node.value), ()))
        if isinstance(node, ast.Assign):
            value = getattr(node.value, "value", None)
            if isinstance(value, str) and re.fullmatch(r"(fsctl|sip_h)_[\w-]+|export_vars", value):
                yield value
            if words:
                yield from filter(None, map(_key, node.targets))
        if words and isinstance(node, ast.Dict):
            yield from (str(key.value) for key in node.keys if isinstance(key, ast.Constant))


def _key(target: ast.expr) -> str | None:
    """Return what an assignment to a key of a dictionary names, as ``found["x"] = ...`` does."""
    key = target.slice if isinstance(target, ast.Subscript) else None
    return key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else None
