"""Database URLs: what their parts are, and which of them a person may see.

Pure: settings are read by every command. A URL is shown from its parts, each of which is on a list
of what may be seen; of a text that is no URL nothing is shown but its scheme, since any of the rest
may be a password in the wrong place.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote

ADVICE = "write sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE"
ESCAPE = "in a user name or a password write %40 for @, %2F for /, %3A for : and %3F for ?"
HIDDEN = "***"

PREPARE_THRESHOLD = "prepare_threshold"
"""Our own parameter, psycopg's: after how many times a statement is prepared on the server."""

_HOST = r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?"
_SERVER = re.compile(
    r"(?P<scheme>postgres(?:ql)?(?:\+\w+)?)://"
    r"(?:(?P<user>[^:@/?#\s]*)(?P<password>:[^@/?#\s]*)?@)?"
    rf"(?P<hosts>{_HOST}(?:,{_HOST})*)?"
    r"(?:/(?P<database>[^:@/?#\s]*))?(?:\?(?P<query>[^@#\s]*))?"
)
_FILE = re.compile(r"(?P<scheme>sqlite(?:\+\w+)?)://(?P<path>[^?]*)(?:\?(?P<query>.*))?")
_SCHEME = re.compile(r"(sqlite|postgres(ql)?)(\+\w+)?://")
_PAIR = re.compile(r"([a-z_]+)=([^&=]*)")
_PLAIN = re.compile(r"[A-Za-z0-9._:/,~%\[\]-]*")
_SHOWN = frozenset(
    {
        "application_name", "channel_binding", "check_same_thread", "connect_timeout",
        "gssencmode", "host", "hostaddr", "keepalives", "keepalives_count", "keepalives_idle",
        "keepalives_interval", "load_balance_hosts", "mode", "port", PREPARE_THRESHOLD,
        "sslcert", "sslcrl", "sslkey", "sslmode", "sslrootcert", "target_session_attrs",
        "tcp_user_timeout", "timeout", "uri",
    }
)  # fmt: skip
"""Parameters whose values may be seen."""
_SECRET = frozenset({"password", "sslpassword", "passfile", "options", "service", "user"})
"""Parameters whose names may be seen; of all others not even that."""


@dataclass(frozen=True, slots=True)
class ServerURL:
    """The parts of a URL of PostgreSQL, decoded. ``hosts`` have no brackets; a port may be ""."""

    user: str | None
    password: str | None
    hosts: tuple[tuple[str, str], ...]
    database: str
    query: tuple[tuple[str, str], ...]


def read_server_url(text: str) -> ServerURL:
    """Read a URL of PostgreSQL, of one server or of several. Raises ValueError: what to write."""
    match = _SERVER.fullmatch(text)
    if match is None:
        raise ValueError(f"the database URL is not valid: {ADVICE}; {ESCAPE}")
    password = match["password"]
    query = match["query"] or ""
    pairs = [_PAIR.fullmatch(part) for part in query.split("&")] if query else []
    if not all(pairs):
        raise ValueError(
            "the database URL is not valid: after the ? write NAME=VALUE, separated by &"
        )
    parameters = [(pair[1], unquote(pair[2])) for pair in pairs if pair]
    hosts = match["hosts"].split(",") if match["hosts"] else _hosts_of(parameters)
    return ServerURL(
        None if match["user"] is None else unquote(match["user"]),
        None if password is None else unquote(password[1:]),
        tuple(map(_host, hosts)),
        unquote(match["database"] or ""),
        tuple(_joined(parameters).items()),
    )


def _hosts_of(parameters: list[tuple[str, str]]) -> list[str]:
    """Take out hosts with their ports, ``host=db1:5432&host=db2:5433`` as SQLAlchemy has them."""
    hosts = [value for name, value in parameters if name == "host"]
    if not all(re.fullmatch(_HOST, host) for host in hosts) or not any(
        ":" in host for host in hosts
    ):
        return []
    parameters[:] = [one for one in parameters if one[0] != "host"]
    return hosts


def _joined(parameters: list[tuple[str, str]]) -> dict[str, str]:
    """Return parameters by name, as libpq has what is given more than once: with commas."""
    found: dict[str, str] = {}
    for name, value in parameters:
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


def _host(text: str) -> tuple[str, str]:
    """Return a host without its brackets, and its port."""
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        return host, port.removeprefix(":")
    host, _, port = text.partition(":")
    return host, port


def public_url(text: str) -> str:
    """Return a database URL, well formed or not, as a person may see it."""
    if match := _SERVER.fullmatch(text):
        password = f":{HIDDEN}" if match["password"] is not None else ""
        who = "" if match["user"] is None else f"{match['user']}{password}@"
        place = (match["hosts"] or "") + ("" if match["database"] is None else "/")
        return f"{match['scheme']}://{who}{place}{match['database'] or ''}{_query(match['query'])}"
    match = _FILE.fullmatch(text)
    if match and not re.search(r":.*@", match["path"]):
        return f"{match['scheme']}://{match['path']}{_query(match['query'])}"
    scheme = _SCHEME.match(text)
    return f"{scheme[0] if scheme else ''}{HIDDEN}" if text else ""


def _query(text: str | None) -> str:
    if text is None:
        return ""
    return "?" + "&".join(map(_parameter, text.split("&")))


def _parameter(text: str) -> str:
    pair = _PAIR.fullmatch(text)
    if pair and pair[1] in _SHOWN and _PLAIN.fullmatch(pair[2]):
        return text
    return f"{pair[1]}={HIDDEN}" if pair and pair[1] in _SHOWN | _SECRET else HIDDEN
