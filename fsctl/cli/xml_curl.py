"""The dialplan as FreeSWITCH's mod_xml_curl asks for it: call by call, or all of it.

A call is looked up as the controller will look it up, in copies in memory: an answer waits for no
database. The copies are this server's own: FreeSWITCH asks for every number that anybody on it
dials, and those must not drive out the copies that calls rely on.

A number of no group is "not found", and then FreeSWITCH goes on with its own files
(``switch_xml_locate`` asks one source after the other, and takes the first that has the section).
"""

from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from socket import socket
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import quoteattr

import gevent
from sqlalchemy import Engine

from fsctl.cli.dialplan import (
    Surroundings,
    all_extensions,
    extension_for_call,
    extension_for_code,
    hosts_of,
    served_groups,
)
from fsctl.controller.answering import quiet_server, respond
from fsctl.controller.arrival import LONGEST_NUMBER
from fsctl.controller.directory import Directory, Keys, Unavailable
from fsctl.http_room import Network
from fsctl.hunt.group import Group
from fsctl.settings import Settings
from fsctl.store.errors import StoreError
from fsctl.store.lookups import in_domain

MOST_FIELDS = 5_000
"""Fields of a question; a channel has some hundred."""
NOT_FOUND = '<section name="result"><result status="not found"/></section>'
_ANYWHERE = "global"
"""The context that FreeSWITCH takes when it has none of the name that it looks for."""


class DialplanServer:
    """Answers on a listening socket, from copies that it keeps for that.

    Only the networks that may connect to the listener are answered; nobody else is heard.
    """

    def __init__(
        self,
        sock: socket,
        application: "Dialplan",
        directory: Directory,
        allowed: Sequence[Network],
    ) -> None:
        self._directory = directory
        self._server = quiet_server(sock, application, allowed)

    def start(self) -> None:
        """Begin to answer."""
        self._directory.start()
        self._server.start()

    def stop(self) -> None:
        """Answer no more."""
        self._server.stop(timeout=0)
        self._directory.stop()


class Dialplan:
    """A WSGI application; ``keys`` turns a dialled number into the ways in which it may be kept.

    ``listen`` is where the controller listens, as HOST:PORT.
    """

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        directory: Directory,
        keys: Callable[[str], Keys],
        listen: str,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._directory = directory
        self._keys = keys
        self._listen = listen

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one question."""
        status, text = self._answer(environ)
        if status is HTTPStatus.OK:
            text = f'<?xml version="1.0"?>\n<document type="freeswitch/xml">\n{text}\n</document>'
        kind = "text/xml" if status is HTTPStatus.OK else "text/plain"
        return respond(start_response, status, kind, f"{text}\n".encode())

    def _answer(self, environ: dict[str, Any]) -> tuple[HTTPStatus, str]:
        if environ["PATH_INFO"] != "/dialplan":
            return HTTPStatus.NOT_FOUND, "Only /dialplan is here."
        address = _values(environ.get("QUERY_STRING", ""))
        asked = address | _values(_body(environ))
        try:
            hosts = hosts_of(address.get("controllers") or self._own_place(environ))
        except ValueError:
            return HTTPStatus.BAD_REQUEST, "controllers: write HOST:PORT with commas between."
        if asked.get("section") != "dialplan":
            return HTTPStatus.OK, NOT_FOUND
        number = asked.get("Hunt-Destination-Number") or asked.get("Caller-Destination-Number")
        if number is None:
            return self._everything(hosts)
        context = asked.get("Hunt-Context") or asked.get("Caller-Context") or _ANYWHERE
        domain = asked.get("variable_" + self._settings.domain_variable, "")
        return HTTPStatus.OK, self._for_call(number, domain, context, hosts)

    def _own_place(self, environ: dict[str, Any]) -> str:
        """Return where the switch finds us: where we listen, else by the name that it has asked."""
        host, _, port = self._listen.rpartition(":")
        if host not in ("0.0.0.0", "[::]"):
            return self._listen
        return f"{environ.get('HTTP_HOST', '').rpartition(':')[0]}:{port}"

    def _for_call(self, number: str, domain: str, context: str, hosts: str) -> str:
        if len(number) > LONGEST_NUMBER or not context.isprintable():
            return NOT_FOUND
        around = self._around(hosts)
        if group := self._find(number, domain):
            return _section(context, [extension_for_call(group, around)])
        dialled = around.codes.split(number)
        if dialled and self._find(dialled[1], domain):
            return _section(context, [extension_for_code(around)])
        return NOT_FOUND

    def _find(self, number: str, domain: str) -> Group | None:
        try:
            return self._directory.find(in_domain(self._keys(number), domain))
        except Unavailable:
            return None

    def _around(self, hosts: str) -> Surroundings:
        settings = self._settings
        return Surroundings(hosts, settings.domain_variable, settings.external_dial, settings.codes)

    def _everything(self, hosts: str) -> tuple[HTTPStatus, str]:
        """Return what ``fsctl dialplan`` prints, for who looks what there is (``xml_locate``)."""
        try:
            groups: Sequence[Group] = gevent.get_hub().threadpool.apply(
                served_groups, (self._engine, "")
            )
        except StoreError as error:
            return HTTPStatus.SERVICE_UNAVAILABLE, str(error)
        around = self._around(hosts)
        found = list(all_extensions(groups, around))
        return HTTPStatus.OK, _section(_ANYWHERE, found) if found else NOT_FOUND


def _section(context: str, found: Sequence[str]) -> str:
    lines = "\n".join(found)
    return (
        f'<section name="dialplan">\n<context name={quoteattr(context)}>\n'
        f"{lines}\n</context>\n</section>"
    )


def _values(text: str) -> dict[str, str]:
    """Return what a query says; of a name that stands there twice, the first."""
    try:
        found = parse_qs(text, keep_blank_values=True, errors="replace", max_num_fields=MOST_FIELDS)
    except ValueError:  # more fields than anybody has
        return {}
    return {name: values[0] for name, values in found.items()}


def _body(environ: dict[str, Any]) -> str:
    if environ["REQUEST_METHOD"] != "POST":
        return ""
    data: bytes = environ["wsgi.input"].read()
    return data.decode(errors="replace")
