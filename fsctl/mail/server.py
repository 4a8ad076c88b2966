"""The mail server that takes our mails, as one URL.

Imports nothing that carries mail: settings are read by every command.
"""

import re
from typing import NamedTuple
from urllib.parse import quote, unquote

ADVICE = "write smtp://USER:PASSWORD@HOST:587, or smtps://... for TLS from the first byte"
_PORTS = {"smtp": 587, "smtps": 465}  # RFC 6409, RFC 8314
_NO_TLS = "?tls=no"
_URL = re.compile(
    r"(?P<scheme>smtps?)://(?:(?P<user>[^:@/?#\s]+):(?P<password>[^@/?#\s]+)@)?"
    r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9._-]+))(?::(?P<port>[0-9]{1,5}))?/?"
    r"(?P<plain>\?tls=no)?"
)


class MailServer(NamedTuple):
    """A mail server. ``host`` has no brackets; ``wrapped`` is TLS from the first byte.

    ``plain`` does without TLS; otherwise it is asked for (STARTTLS, RFC 3207), and nothing is said
    to a server that does not offer it. Without a ``user`` nobody logs in. It is shown without its
    password.
    """

    host: str
    port: int
    wrapped: bool = False
    plain: bool = False
    user: str = ""
    password: str = ""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def __repr__(self) -> str:
        return f"MailServer({self})"


def mail_server(text: str) -> MailServer | None:
    """Read the URL of a mail server; "" is none. In user and password %XX stands for a byte.

    Raises ValueError saying what to write.
    """
    if not text:
        return None
    match = _URL.fullmatch(text)
    if match is None:
        raise ValueError(ADVICE)
    wrapped, plain = match["scheme"] == "smtps", bool(match["plain"])
    user, password = unquote(match["user"] or ""), unquote(match["password"] or "")
    port = int(match["port"] or _PORTS[match["scheme"]])
    if not 0 < port <= 65535 or not (user + password).isprintable():
        raise ValueError(ADVICE)
    if not (user + password).isascii():
        raise ValueError("smtplib logs in with ASCII only: give the account such a password")
    if wrapped and plain:
        raise ValueError(f"smtps:// is TLS already: leave {_NO_TLS} out, or write smtp://")
    return MailServer(match["six"] or match["host"], port, wrapped, plain, user, password)


def show_mail_server(value: MailServer | None) -> str:
    """Write a mail server as ``mail_server`` reads it, its password too."""
    if value is None:
        return ""
    who = f"{quote(value.user, safe='')}:{quote(value.password, safe='')}@" if value.user else ""
    scheme = "smtps" if value.wrapped else "smtp"
    return f"{scheme}://{who}{value}{_NO_TLS if value.plain else ''}"


def mask_mail_server(text: str) -> str:
    """Return such a URL with ``***`` for the password.

    Of a text that is no such URL nothing is shown: any of it may be a password.
    """
    if match := _URL.fullmatch(text):
        return text.replace(f":{match['password']}@", ":***@", 1) if match["password"] else text
    return "***" if text else ""
