"""A switch, asked over its event socket: what it has, whom it knows, where it sends numbers."""

from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element

from fsctl.doctor.finding import Finding, State, fault, ok, warning
from fsctl.doctor.listener import places
from fsctl.esl import switch_facts
from fsctl.esl.address import SwitchAddress
from fsctl.esl.errors import EventSocketError, Unquotable
from fsctl.esl.inbound import NotConnected, SwitchConnection
from fsctl.esl.routes import Fate, Route, read_dialplan, routes
from fsctl.esl.switch_facts import Presence, User
from fsctl.hunt.codes import Code, Codes
from fsctl.hunt.group import Group, is_user
from fsctl.settings import Settings

_FOR = {Code.SIGN: "sign on or off by telephone", Code.PICK_UP: "pick callers up"}
_SETTING = {Code.SIGN: "sign_code", Code.PICK_UP: "pickup_code"}
CLOCK_TOLERANCE = 2.0
"""Seconds that two clocks may differ before records and logs cannot be laid beside each other."""


def examine_switches(settings: Settings, groups: Sequence[Group]) -> Iterator[Finding]:
    """Look at every switch that is named."""
    if not settings.esl_url:
        yield warning(
            "switch",
            "no switch is named, so none was asked",
            'name its event socket: esl_url = "esl://:PASSWORD@127.0.0.1:8021"',
        )
    for address in settings.esl_url:
        yield from examine_switch(address, settings, groups)


def examine_switch(
    address: SwitchAddress, settings: Settings, groups: Sequence[Group]
) -> Iterator[Finding]:
    """Look at one switch. One that stops answering ends the look with a fault."""
    part = f"switch {address}"
    try:
        with SwitchConnection(address) as switch:
            yield from _itself(part, switch)
            yield from _clock(part, switch)
            yield from _members(part, switch, groups)
            yield from _dialplan(part, switch, settings, groups)
    except NotConnected as error:
        yield fault(
            part,
            f"the event socket cannot be used: {error}",
            "compare esl_url with event_socket.conf.xml (listen-ip, listen-port, password, "
            "apply-inbound-acl), and see that FreeSWITCH runs",
        )
    except EventSocketError as error:
        yield fault(
            part, f"the switch gave no proper answer: {error}", "see its log, and check again"
        )


def _itself(part: str, switch: SwitchConnection) -> Iterator[Finding]:
    version = switch_facts.version(switch)
    if switch_facts.is_too_old(version):
        wanted = ".".join(map(str, switch_facts.OLDEST))
        yield fault(
            part, f"FreeSWITCH {version} is too old", f"install FreeSWITCH {wanted} or later"
        )
    else:
        yield ok(part, f"FreeSWITCH {version} answers")
    for module in switch_facts.missing_modules(switch):
        yield fault(
            part,
            f"{module} is not loaded",
            f"in fs_cli: load {module}; and add it to modules.conf.xml",
        )


def _clock(part: str, switch: SwitchConnection) -> Iterator[Finding]:
    lead = switch_facts.clock_lead(switch)
    if abs(lead) > CLOCK_TOLERANCE:
        which = "ahead of" if lead > 0 else "behind"
        yield fault(
            part,
            f"its clock is {abs(lead):.0f} s {which} the clock here",
            "let both machines keep time with NTP (timedatectl), then in fs_cli: fsctl sync_clock",
        )


# Members


def _members(part: str, switch: SwitchConnection, groups: Sequence[Group]) -> Iterator[Finding]:
    domain = switch_facts.default_domain(switch)
    known: dict[User, Presence] = {}
    troubles = 0
    for group in groups:
        users = [
            User.of(member.user, group.domain or domain)
            for member in group.members
            if member.rings and group.enabled and is_user(member.user)
        ]
        if any(not user.domain for user in users):
            troubles += 1
            yield fault(
                part,
                f'members of group "{group.name}" have no domain, and the switch has none to add',
                "set the global variable domain in vars.xml, or write members as NAME@DOMAIN",
            )
            continue
        for user in users:
            if user not in known:
                known[user] = _presence(switch, user)
        for finding in _of_group(part, group, users, known):
            troubles += 1
            yield finding
    if known and not troubles:
        yield ok(part, f"{len(known)} members exist and can ring")


def _presence(switch: SwitchConnection, user: User) -> Presence:
    try:
        return switch_facts.presence(switch, user)
    except Unquotable:  # no name that FreeSWITCH could have
        return Presence.UNKNOWN


def _of_group(
    part: str, group: Group, users: Sequence[User], known: dict[User, Presence]
) -> Iterator[Finding]:
    """Tell of a group's members. One telephone that is off is no fault while another is there."""
    for user in users:
        if known[user] is Presence.UNKNOWN:
            yield fault(
                part,
                f'{user} of group "{group.name}" is no user of the directory',
                f'correct the name, or: fsctl member remove "{group.name}" {user.name}',
            )
    away = [user for user in users if known[user] is Presence.UNREGISTERED]
    if not away:
        return
    names = ", ".join(map(str, away))
    somebody = any(known[user] in (Presence.REGISTERED, Presence.ELSEWHERE) for user in users)
    verb = "is" if len(away) == 1 else "are"
    yield Finding(
        part,
        State.WARNING if somebody else State.FAULT,
        f'{names} of group "{group.name}" {verb} not registered'
        + ("" if somebody else ": nobody of it can ring"),
        "see that the telephones are on and log in: sofia status profile internal reg",
    )


# Numbers


def _dialplan(
    part: str, switch: SwitchConnection, settings: Settings, groups: Sequence[Group]
) -> Iterator[Finding]:
    numbers = [number for group in groups if group.enabled for number in group.numbers]
    if not numbers:
        return
    text = switch_facts.dialplan(switch)
    if not text:
        yield warning(
            part,
            "it shows no dialplan (one that is made for each call cannot be asked for)",
            "place a test call: fsctl call NUMBER",
        )
        return
    contexts = read_dialplan(text)
    ours = places(settings)
    handed_over: list[str] = []
    to_us: dict[Route, str] = {}
    for number in numbers:
        found = list(routes(contexts, ways_to_write(number), ours))
        if own := [route for route in found if route.fate is Fate.OURS]:
            handed_over.append(number)
            for route in own:
                to_us.setdefault(route, number)
        else:
            yield fault(part, _why_not(number, found), "paste what this prints: fsctl dialplan")
    if len(handed_over) == len(numbers) and not any(route.lacks for route in to_us):
        yield ok(part, f"its dialplan hands {len(numbers)} numbers to us")
    for route, number in to_us.items():
        yield from _handed_over(part, route, number)
    yield from _codes(part, settings.codes, handed_over, contexts, ours)


def _handed_over(part: str, route: Route, number: str) -> Iterator[Finding]:
    """Check the flags with which an extension calls our socket; ``number`` is an example."""
    place = f'extension "{route.extension}" of context "{route.context}"'
    if route.lacks:
        yield fault(
            part,
            f"{place} calls socket without {' and '.join(route.lacks)}: calls to {number} go "
            "back to the dialplan",
            f'write data="{route.hosts} async full"',
        )
    elif not route.resumes:
        yield warning(
            part,
            f"{place} does not set socket_resume before socket: if a controller dies or freezes "
            f"at its first command, a caller to {number} hears silence without end",
            'write before it: <action application="set" data="socket_resume=true"/>',
        )


def _codes(
    part: str,
    codes: Codes,
    numbers: Sequence[str],
    contexts: Sequence[Element],
    ours: Sequence[str],
) -> Iterator[Finding]:
    """Look whether codes before internal numbers that are ours come to us, too."""
    for code, text in codes:
        lacking = [
            text + number
            for number in numbers
            if not number.startswith("+")
            and all(one.fate is not Fate.OURS for one in routes(contexts, (text + number,), ours))
        ]
        if lacking:
            more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
            yield warning(
                part,
                f"its dialplan hands {lacking[0]}{more} to no controller: nobody can {_FOR[code]}",
                "paste the last that this prints into the context of users' telephones: "
                f'fsctl dialplan; or turn it off: {_SETTING[code]} = "none"',
            )


def _why_not(number: str, found: Sequence[Route]) -> str:
    if not found:
        return f"no extension of its dialplan hands {number} to a controller"
    route = min(found, key=lambda one: one.fate is Fate.TAKEN)
    place = f'extension "{route.extension}" of context "{route.context}"'
    if route.fate is Fate.ANOTHER:
        return f"{place} hands {number} to {route.hosts}, where we do not listen"
    return f"{place} takes {number}, and hands it to no controller"


def ways_to_write(number: str) -> tuple[str, ...]:
    """Return how a trunk may deliver a number: with ``+``, with ``00``, bare."""
    if number.startswith("+"):
        return number, "00" + number[1:], number[1:]
    return (number,)
