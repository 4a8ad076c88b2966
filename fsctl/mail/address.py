"""Mail addresses: the form of them that we write into envelopes and headers.

An allow-list, narrower than RFC 5322: a dot-atom of ASCII at a host name, no quotes, comments or
groups. What passes can stand in a header or an SMTP command as it is. A domain of another script is
written in its ``xn--`` form.
"""

import re
import socket

LONGEST_ADDRESS = 254
"""Characters: what an SMTP path has room for (RFC 5321, 4.5.3.1.3)."""
MOST_ADDRESSES = 20

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?=[^@]{{1,64}}@){_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")


def read_address(text: str) -> str:
    """Return an address, its domain in small letters. Raises ValueError saying what to write."""
    if len(text) > LONGEST_ADDRESS or not _ADDRESS.fullmatch(text):
        raise ValueError("write a mail address, for example sales@example.net")
    name, _, domain = text.partition("@")
    return f"{name}@{domain.lower()}"


def sender_of(given: str) -> str:
    """Return whom mails come from: whom the setting says, else fsctl at this machine's name."""
    try:
        return given or read_address(f"fsctl@{socket.gethostname()}")
    except ValueError:
        return "fsctl@localhost"


def read_addresses(text: str) -> str:
    """Return addresses with commas between them, each once; "" for none. Raises ValueError."""
    given = [part.strip() for part in text.split(",")]
    if given == [""]:
        return ""
    try:
        found = list(dict.fromkeys(map(read_address, given)))
    except ValueError:
        raise ValueError(
            "write mail addresses with commas between them, for example sales@example.net"
        ) from None
    if len(found) > MOST_ADDRESSES:
        raise ValueError(f"write at most {MOST_ADDRESSES} addresses; a mailing list has more")
    return ",".join(found)
