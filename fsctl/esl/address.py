"""Where a switch's own event socket is, and the password for it, as one URL.

Imports nothing that carries calls: settings are read by every command.
"""

import re
from typing import NamedTuple
from urllib.parse import unquote

ADVICE = "write esl://:PASSWORD@HOST:PORT, for example esl://:ClueCon@127.0.0.1:8021"
PORT = 8021
"""Where ``mod_event_socket`` listens unless it is told otherwise."""

_URL = re.compile(
    r"esl://:(?P<password>[^@/?#,\s]+)@"
    r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9._-]+))(?::(?P<port>[0-9]{1,5}))?/?"
)


class SwitchAddress(NamedTuple):
    """A switch's event socket. ``host`` has no brackets; it is shown without its password."""

    host: str
    port: int
    password: str

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def __repr__(self) -> str:
        return f"SwitchAddress({self})"


def switch_address(text: str) -> SwitchAddress:
    """Read ``esl://:PASSWORD@HOST:PORT``; in the password %XX stands for a byte, as in any URL.

    Raises ValueError saying what to write.
    """
    match = _URL.fullmatch(text)
    if match is None:
        raise ValueError(ADVICE)
    password = unquote(match["password"])
    port = int(match["port"] or PORT)
    # A line break in it would be a second command.
    if not password.isprintable() or not 0 < port <= 65535:
        raise ValueError(ADVICE)
    return SwitchAddress(match["six"] or match["host"], port, password)


def masked(text: str) -> str:
    """Return such a URL, or a list of them, with ``***`` for each password.

    Of a text that is no such list nothing is shown: any of it may be a password in the wrong place.
    """
    parts = [part.strip() for part in text.split(",")]
    if all(map(_URL.fullmatch, parts)):
        return ",".join(re.sub("//:[^@]*@", "//:***@", part) for part in parts)
    return "***" if text else ""
