"""What our test FreeSWITCH is told: one self-written freeswitch.xml.

Owns the configuration's text. Must not know processes, sockets or phones. Everything is bound to
127.0.0.1. Two SIP profiles, as in most installations: ``internal`` for users, who prove by digest
who they are, and ``external`` for strangers, who are not asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from tests.scenarios.rig import FORWARDED

DOMAIN = "hunt.example"
USERS = tuple(f"test{number:03}" for number in range(100))
FALLBACK = "rig::fallback"
BEFORE = "before"
"""What is dialled to have actions done that a header names, before all else."""

# Those that are not built are passed over by FreeSWITCH itself with a line in its log.
MODULES = (
    "mod_logfile",
    "mod_event_socket",
    "mod_commands",
    "mod_dptools",
    "mod_dialplan_xml",
    "mod_hash",
    "mod_loopback",
    "mod_sndfile",
    "mod_native_file",
    "mod_tone_stream",
    "mod_voicemail",
    "mod_sofia",
)
MOST_BRIDGED = 8


@dataclass(frozen=True, slots=True)
class Ports:
    """Ports on 127.0.0.1; ``rtp`` is the first and the last of a range."""

    event_socket: int
    internal: int
    external: int
    rtp: tuple[int, int]


def document(directory: str, ports: Ports, password: str) -> str:
    """The whole freeswitch.xml; ``password`` opens the event socket and every user's account."""
    sections = {
        "configuration": _configuration(directory, ports, password),
        "dialplan": _dialplan(),
        "directory": _directory(password),
        "languages": _prompts(),
    }
    body = "\n".join(
        f'<section name="{name}">\n{xml}\n</section>' for name, xml in sections.items()
    )
    return (
        '<?xml version="1.0"?>\n<document type="freeswitch/xml">\n'
        f'<X-PRE-PROCESS cmd="set" data="domain={DOMAIN}"/>\n{body}\n</document>\n'
    )


def _configuration(directory: str, ports: Ports, password: str) -> str:
    first, last = ports.rtp
    modules = "\n".join(f'<load module="{module}"/>' for module in MODULES)
    return "\n".join(
        [
            _settings(
                "switch.conf",
                {
                    "switchname": "rig",
                    "loglevel": "debug",
                    "max-sessions": "4000",
                    "sessions-per-second": "2000",
                    "rtp-start-port": str(first),
                    "rtp-end-port": str(last),
                    "enable-monotonic-timing": "true",
                },
            ),
            f'<configuration name="modules.conf"><modules>\n{modules}\n</modules></configuration>',
            _settings(
                "event_socket.conf",
                {
                    "listen-ip": "127.0.0.1",
                    "listen-port": str(ports.event_socket),
                    "password": password,
                    "nat-map": "false",
                },
            ),
            _log_file(f"{directory}/freeswitch.log"),
            _voicemail(),
            _sofia(ports),
        ]
    )


def _log_file(path: str) -> str:
    return (
        '<configuration name="logfile.conf"><settings/><profiles><profile name="default">'
        f"<settings>{_parameters({'logfile': path, 'rollover': '0'})}</settings>"
        '<mappings><map name="all" value="debug,info,notice,warning,err,crit,alert"/></mappings>'
        "</profile></profiles></configuration>"
    )


def _voicemail() -> str:
    """Boxes that keep the shortest message."""
    kept = _parameters({"min-record-len": "0"})
    return (
        '<configuration name="voicemail.conf"><settings/>'
        f'<profiles><profile name="default">{kept}</profile></profiles></configuration>'
    )


def _sofia(ports: Ports) -> str:
    shared = {
        "sip-ip": "127.0.0.1",
        "rtp-ip": "127.0.0.1",
        "context": "rig",
        "dialplan": "XML",
        "inbound-codec-prefs": "PCMU,PCMA",
        "outbound-codec-prefs": "PCMU,PCMA",
        "inbound-late-negotiation": "true",
        "inbound-use-callid-as-uuid": "true",
        "rtp-timer-name": "soft",
        "manage-presence": "false",
        "nat-options-ping": "false",
    }
    internal = shared | {
        "bind-params": "transport=udp",
        "sip-port": str(ports.internal),
        "auth-calls": "true",
        "multiple-registrations": "contact",
        "force-register-domain": DOMAIN,
        "force-register-db-domain": DOMAIN,
        "force-subscription-domain": DOMAIN,
    }
    external = shared | {
        "sip-port": str(ports.external),
        "auth-calls": "false",
        "enable-3pcc": "true",
    }
    profiles = "\n".join(
        f'<profile name="{name}"><settings>\n{_parameters(parameters)}\n</settings></profile>'
        for name, parameters in (("internal", internal), ("external", external))
    )
    return (
        '<configuration name="sofia.conf"><global_settings>'
        f"{_parameters({'auto-restart': 'false'})}</global_settings>\n"
        f"<profiles>\n{profiles}\n</profiles></configuration>"
    )


def _dialplan() -> str:
    """``bridge-USER,USER`` rings users the switch's own way; every other number goes to fsctl.

    The second is what an operator is told to write, the controllers' list aside: the caller goes
    on whatever becomes of the socket, the socket, and the fallback. Here that reports the caller's
    arrival and keeps the call. ``before`` does what a header of the call says, which ends with a
    transfer to the number that is meant; ``flags-FLAG-RESUME`` is a ``socket`` with that flag
    alone; ``via-NUMBER`` goes to a number by another outbound socket, which a header names.
    """
    bridges = "\n".join(
        _extension(
            "^bridge-" + ",".join([r"(\w+)"] * users) + "$",
            ("set", "ignore_early_media=true"),
            ("set", "hangup_after_bridge=true"),
            ("bridge", ",".join(f"user/${user}" for user in range(1, users + 1))),
        )
        for users in range(1, MOST_BRIDGED + 1)
    )
    followed = _extension(
        r"^follow-(\d+)$",
        ("export", "sip_h_X-Controllers=${sip_h_X-Controllers}"),
        ("bridge", "loopback/$1/rig/XML"),
    )
    moved = _extension(r"^move-(\d+)$", ("transfer", "$1 XML rig"))
    other = _extension(
        r"^via-(\d+)$",
        ("set", "socket_resume=true"),
        ("socket", "${sip_h_X-Elsewhere} async full"),
        ("transfer", "$1 XML rig"),
    )
    before = _extension(f"^{BEFORE}$", ("transfer", "'m:^:${sip_h_X-Before}' inline"))
    others = _handed_over(r"^flags-(\w+)-(\w+)$", "$1", "$2")
    hunted = _handed_over("^(.+)$", "async full")
    extensions = "\n".join((bridges, followed, moved, other, before, others, hunted))
    return f'<context name="rig">\n{extensions}\n</context>'


def _handed_over(number: str, flags: str, resumes: str = "true") -> str:
    return _extension(
        number,
        ("set", f"socket_resume={resumes}"),
        ("socket", f"${{sip_h_X-Controllers}} {flags}"),
        ("event", f"Event-Name=CUSTOM,Event-Subclass={FALLBACK}"),
        ("park", ""),
    )


def _extension(number: str, *actions: tuple[str, str]) -> str:
    lines = "\n".join(
        f'<action application="{name}" data={quoteattr(data)}/>' for name, data in actions
    )
    condition = f'<condition field="destination_number" expression={quoteattr(number)}>'
    return f"<extension>{condition}\n{lines}\n</condition></extension>"


def _prompts() -> str:
    """What a voicemail box says: it hangs up when it has no words for it. Here they are tones."""
    tone = '<action function="play-file" data="tone_stream://%(100,0,800)"/>'
    macros = "\n".join(
        f'<macro name="{name}"><input pattern="(.*)"><match>{tone}</match></input></macro>'
        for name in ("voicemail_play_greeting", "voicemail_record_message")
    )
    return f'<language name="en"><phrases><macros>\n{macros}\n</macros></phrases></language>'


def _directory(password: str) -> str:
    dial = "${sofia_contact(*/${dialed_user}@${dialed_domain})}"
    account = _parameters({"password": password})
    users = [f'<user id="{user}"><params>{account}</params></user>' for user in USERS]
    where = "[sip_h_X-Controllers=${controllers}]"
    users += [
        f'<user id="{user}"><params>{_parameters({"dial-string": f"{where}${{{user}}}"})}'
        "</params></user>"
        for user in FORWARDED
    ]
    listed = "\n".join(users)
    return (
        f'<domain name="{DOMAIN}"><params>{_parameters({"dial-string": dial})}</params>\n'
        f'<groups><group name="all"><users>\n{listed}\n</users></group></groups></domain>'
    )


def _settings(name: str, parameters: dict[str, str]) -> str:
    body = _parameters(parameters)
    return f'<configuration name="{name}"><settings>\n{body}\n</settings></configuration>'


def _parameters(parameters: dict[str, str]) -> str:
    return "\n".join(
        f'<param name="{name}" value={quoteattr(value)}/>' for name, value in parameters.items()
    )
