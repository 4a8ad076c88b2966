"""``fsctl dialplan``: the lines that an operator gives FreeSWITCH."""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

import click
from sqlalchemy import Engine

from fsctl.cli.context import Context, fail, pass_context, settings_options
from fsctl.hunt.codes import Codes
from fsctl.hunt.group import Group, inner_name, is_external
from fsctl.hunt.nesting import who_confirms
from fsctl.hunt.template import dialling
from fsctl.settings_values import address as read_address
from fsctl.store.engine import reading
from fsctl.store.groups import list_groups
from fsctl.store.nesting import with_inner

NO_CODES = Codes()
_EVERYWHERE = {"0.0.0.0", "[::]"}


def place(address: str) -> str:
    """Return HOST:PORT as FreeSWITCH reads it, where ``address`` is what we listen on.

    FreeSWITCH takes what is behind the last colon for the port and knows no brackets
    (``socket_function`` in ``mod_event_socket.c``).
    """
    host, _, port = address.rpartition(":")
    host = "ADDRESS-OF-THIS-HOST" if host in _EVERYWHERE else host.strip("[]")
    return f"{host}:{port}"


def lines(numbers: Sequence[str], address: str, codes: Codes = NO_CODES) -> str:
    """Return an extension that hands calls to ``numbers`` to the controller at HOST:PORT.

    City numbers match with ``+``, with ``00``, and bare, since trunks deliver them in all ways.
    Another one is for ``codes`` before these numbers, if any is on.
    """
    numbers = numbers or ["600"]
    expression = quoteattr(f"^(?:{'|'.join(map(_pattern, numbers))})$")
    first = f"""\
<extension name="fsctl">
  <condition field="destination_number" expression={expression}>
    <!-- the call goes on here even if a controller dies at the wrong moment -->
    <action application="set" data="socket_resume=true"/>
    <action application="socket" data="{escape(place(address))} async full"/>
    <!-- reached only when no controller takes the call: your fallback -->
    <action application="respond" data="503"/>
  </condition>
</extension>"""
    return "\n\n".join([first, *_of_codes("fsctl codes", numbers, codes, place(address), "")])


def _of_codes(
    name: str, numbers: Sequence[str], codes: Codes, hosts: str, condition: str
) -> Iterator[str]:
    """Yield the extension for codes before these numbers, for users' telephones, if any is on."""
    patterns = [re.escape(code) for _, code in codes]
    if patterns and numbers:
        behind = "|".join(map(_pattern, numbers))
        expression = quoteattr(f"^(?:{'|'.join(patterns)})(?:{behind})$")
        number = f'<condition field="destination_number" expression={expression}>'
        yield _written(name, condition + number, _handed_over(hosts, (("respond", "503"),)))


def _pattern(number: str) -> str:
    if number.startswith("+"):
        return r"(?:\+|00)?" + re.escape(number[1:])
    return re.escape(number)


@click.command("dialplan")
@click.option(
    "--controllers",
    metavar="HOST:PORT,...",
    help="The controllers in the order in which FreeSWITCH tries them.  [default: listen]",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["extensions", "xml"]),
    default="extensions",
    show_default=True,
    help="Extensions to paste into a context, or a whole file to include.",
)
@settings_options("listen", "domain", "external_dial")
@pass_context
def dialplan(context: Context, controllers: str | None, form: str) -> None:
    """Print an extension for each group that has numbers, with a fallback for it.

    The fallback rings the group's members by FreeSWITCH's own means, all at once, when no
    controller takes the call. With a domain only its groups are printed. The last extension is for
    codes before their numbers, and belongs into the context of users' own telephones. Print it
    again after a change of groups.
    """
    try:
        hosts = hosts_of(controllers) if controllers else place(str(context.settings.listen))
    except ValueError:
        fail(
            "--controllers: write HOST:PORT with commas between, for example "
            "10.0.0.5:8084,10.0.0.6:8084",
            2,
        )
    groups = served_groups(context.engine(), context.settings.domain)
    if not groups:
        fail("there is no enabled group with a number; see: fsctl group list")
    settings = context.settings
    around = Surroundings(hosts, settings.domain_variable, settings.external_dial, settings.codes)
    text = "\n\n".join(all_extensions(groups, around))
    click.echo(f"<include>\n{text}\n</include>" if form == "xml" else text)


def hosts_of(text: str) -> str:
    """Return a comma list of HOST:PORT as ``socket`` takes it. Raises ValueError."""
    return "|".join(place(str(read_address(one.strip()))) for one in text.split(","))


def served_groups(engine: Engine, domain: str) -> list[Group]:
    """Return the enabled groups that have numbers, with a domain those of it. May raise."""
    with reading(engine) as session:
        return [
            group
            for group in with_inner(session, list_groups(session))
            if group.enabled and group.numbers and (not domain or group.domain == domain)
        ]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is the same for all groups: ``hosts`` is the list that ``socket`` takes, ``variable``
    the channel variable that names a call's domain, ``external`` how telephone numbers are called
    (``settings.external_dial``), ``codes`` what telephones dial before their numbers."""

    hosts: str
    variable: str
    external: str = ""
    codes: Codes = NO_CODES

    def condition(self, domain: str) -> str:
        """Return the condition that a call is of a domain; none without one."""
        if not domain:
            return ""
        expression = quoteattr(f"^{re.escape(domain)}$")
        return f'<condition field="${{{self.variable}}}" expression={expression}/>\n  '


def all_extensions(groups: Sequence[Group], around: Surroundings) -> Iterator[str]:
    """Yield the extensions of groups, then those of codes before their numbers, by domain."""
    for group in groups:
        yield from extensions(group, around)
    for domain in dict.fromkeys(group.domain for group in groups):
        numbers = [one for group in groups if group.domain == domain for one in group.numbers]
        name = f"fsctl codes {domain}".rstrip()
        condition = around.condition(domain)
        yield from _of_codes(name, numbers, around.codes, around.hosts, condition)


def extensions(group: Group, around: Surroundings) -> Iterator[str]:
    """Yield the extensions of one group.

    A city number is the same in every domain, and a trunk's call names none; an internal number
    belongs to its domain. Every part comes from a table whose constraints leave nothing that a dial
    string reads.
    """
    city = [number for number in group.numbers if number.startswith("+")]
    internal = [number for number in group.numbers if not number.startswith("+")]
    if not group.domain:
        yield _extension(group, group.numbers, around, "")
        return
    if city:
        yield _extension(group, city, around, "")
    if internal:
        yield _extension(group, internal, around, around.condition(group.domain))


def extension_for_call(group: Group, around: Surroundings) -> str:
    """Return the extension for a call of which it is known that it is the group's."""
    return _made(group, around, "<condition>")


def extension_for_code(around: Surroundings) -> str:
    """Return the extension for a call of which it is known that it is a code and a number."""
    actions = _handed_over(around.hosts, (("respond", "503"),))
    return _written("fsctl codes", "<condition>", actions)


def _extension(group: Group, numbers: Sequence[str], around: Surroundings, condition: str) -> str:
    expression = quoteattr(f"^(?:{'|'.join(map(_pattern, numbers))})$")
    number = f'<condition field="destination_number" expression={expression}>'
    return _made(group, around, condition + number)


def _made(group: Group, around: Surroundings, conditions: str) -> str:
    actions = _handed_over(around.hosts, _fallback(group, around.external))
    return _written(f"fsctl {group.name}", conditions, actions)


def _handed_over(hosts: str, fallback: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    return ("set", "socket_resume=true"), ("socket", f"{hosts} async full"), *fallback


def _written(name: str, conditions: str, actions: Iterable[tuple[str, str]]) -> str:
    lines = "\n".join(
        f"    <action application={quoteattr(application)} data={quoteattr(data)}/>"
        for application, data in actions
    )
    return (
        f"<extension name={quoteattr(name)}>\n  {conditions}\n{lines}\n  </condition>\n</extension>"
    )


def _fallback(group: Group, external: str) -> Iterator[tuple[str, str]]:
    endpoints = list(_endpoints(group, external)) if group.enabled else []
    if not endpoints:
        yield "respond", "480"
        return
    # What a controller that was lost had set for the hunt must not end this conversation.
    yield "set", "socket_resume=false"
    yield "set", "hangup_after_bridge=true"
    yield "set", "ignore_early_media=true"
    yield "set", f"call_timeout={math.ceil(group.wait)}"
    yield "bridge", ",".join(endpoints)
    yield "respond", "480"


def _endpoints(group: Group, external: str) -> Iterator[str]:
    """Yield what ``bridge`` calls: not a telephone outside that must press 1, as nobody asks."""
    asked = who_confirms(group)
    for user in _who_rings(group):
        if is_external(user):
            if external and user not in asked:
                yield dialling(external, user)
        elif group.domain and "@" not in user:
            yield f"user/{user}@{group.domain}"
        else:
            yield f"user/{user}"


def _who_rings(group: Group) -> tuple[str, ...]:
    """Return who is enabled and signed on, in this group and those within it, each once."""
    inner = dict(group.inner)
    found: list[str] = []
    for member in group.members:
        if member.rings and member.user in inner:
            if inner[member.user].enabled:
                found += _who_rings(inner[member.user])
        elif member.rings and inner_name(member.user) is None:
            found.append(member.user)
    return tuple(dict.fromkeys(found))
