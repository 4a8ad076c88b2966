"""How the text of a setting becomes its value: one function for each kind of value.

Each takes a text that somebody typed and returns the value, or raises ValueError saying what to
write instead. Knows neither settings nor where they come from.
"""

import ipaddress
import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import phonenumbers

from fsctl.catalogs import LANGUAGES
from fsctl.esl.address import ADVICE, SwitchAddress, switch_address
from fsctl.esl.errors import Unquotable
from fsctl.esl.quoting import dial_string, question
from fsctl.hunt.sound import read_sound
from fsctl.hunt.template import ASKED, DIALLING, OUTSIDE, dialling, fill, stray
from fsctl.logs import FORMATS
from fsctl.mail.address import read_address
from fsctl.store.url import ADVICE as ADVICE_ON_URLS

LONGEST_SOUND = 200

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Address(NamedTuple):
    """A TCP address to listen on. ``host`` has no brackets; port 0 asks for any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def database_url(text: str) -> str:
    """Check the scheme only: the store says what else is wrong with a database URL."""
    if not re.match(r"(sqlite|postgres(ql)?)(\+\w+)?://", text) or not text.isprintable():
        raise ValueError(ADVICE_ON_URLS)
    return text


def address(text: str) -> Address:
    """Read ``HOST:PORT``; an IPv6 host stands in brackets."""
    advice = "write HOST:PORT, for example 127.0.0.1:8084 or [::1]:8084"
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):([0-9]{1,5})", text)
    if match is None or int(match[3]) > 65535:
        raise ValueError(advice)
    if match[1] is None:
        return Address(match[2], int(match[3]))
    try:
        return Address(str(ipaddress.IPv6Address(match[1])), int(match[3]))
    except ValueError:
        raise ValueError(advice) from None


def address_or_none(text: str) -> Address | None:
    """Read ``HOST:PORT``; an empty text is no address."""
    return address(text) if text else None


def show_address(value: Address | None) -> str:
    """Write an address as ``address_or_none`` reads it."""
    return "" if value is None else str(value)


def region(text: str) -> str:
    """Read the ISO 3166 code of a region whose numbering plan is known."""
    if text.upper() not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError("write the two letters of a country, for example PL")
    return text.upper()


def variable(text: str) -> str:
    """Read the name of a channel variable."""
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", text):
        raise ValueError("write the name of a channel variable, for example domain_name")
    return text


def header_names(text: str) -> tuple[str, ...]:
    """Read names of SIP headers separated by commas, or ``none``."""
    if text.strip().lower() == "none":
        return ()
    names = tuple(name.strip() for name in text.split(","))
    if len(names) > 50 or not all(re.fullmatch(r"[A-Za-z][\w-]{0,40}\*?", name) for name in names):
        raise ValueError("write names of SIP headers separated by commas, for example X-*, or none")
    return names


def context(text: str) -> str:
    """Read the name of a dialplan context, or nothing."""
    if not re.fullmatch(r"([A-Za-z0-9][A-Za-z0-9._-]{0,63})?", text):
        raise ValueError("write the name of a dialplan context, for example default")
    return text


def voicemail(text: str) -> str:
    """Read the profile of a voicemail system, or an extension in which ``{user}`` stands."""
    if not re.fullmatch(r"[A-Za-z0-9*#+._-]{1,64}", text.replace("{user}", "0")):
        raise ValueError("write a profile, such as default, or an extension, such as *99{user}")
    return text


def count(text: str) -> int:
    """Read a number of things, from 0 to 1000."""
    if not re.fullmatch(r"[0-9]{1,4}", text) or int(text) > 1000:
        raise ValueError("write a number from 0 to 1000")
    return int(text)


def directory(text: str) -> Path:
    """Read the name of a directory, which need not be there yet."""
    if not text.isprintable() or not text.strip():
        raise ValueError("write the name of a directory, for example /var/lib/fsctl/spool")
    return Path(text)


def dnd(text: str) -> str:
    """Read the api command that asks about a user; an empty text is none."""
    advice = "write hash select/..., db select/..., user_data ... or global_getvar ... with {user}"
    if text:
        if stray(text, ASKED) is not None or "{user}" not in text:
            raise ValueError(advice)
        try:
            question(fill(text, dict.fromkeys(ASKED, "x")))
        except Unquotable:
            raise ValueError(advice) from None
    return text


def external_dial(text: str) -> str:
    """Read the dial string of a telephone number; an empty text is none."""
    advice = "write a dial string with {number} or {digits}, for example sofia/gateway/provider/"
    if not text:
        return ""
    tried = dialling(text, "+48501234567")
    if stray(text, DIALLING) is not None or tried == text:
        raise ValueError(advice + "{number}")
    try:
        dial_string(tried)
    except Unquotable:
        raise ValueError(f"{advice}{{number}}; sofia is the only kind of endpoint") from None
    return text


def external_caller(text: str) -> str:
    """Read the caller's number as telephones outside show it; an empty text is the group's."""
    rest = fill(text, dict.fromkeys(OUTSIDE, ""))
    if stray(text, OUTSIDE) is not None or not re.fullmatch(r"\+?[0-9*#]{0,32}", rest):
        raise ValueError("write a number, {number} or {dialled}, for example +48587624731")
    return text


def sound(text: str) -> str:
    """Read a file or a stream that FreeSWITCH plays."""
    if len(text) > LONGEST_SOUND:
        raise ValueError(f"write a sound of at most {LONGEST_SOUND} characters")
    return read_sound(text)


def mail_sender(text: str) -> str:
    """Read the address that mails come from; an empty text is this machine's."""
    return read_address(text) if text else ""


def language(text: str) -> str:
    """Read the language of mails."""
    if text.lower() not in LANGUAGES:
        raise ValueError(f"write {' or '.join(LANGUAGES)}")
    return text.lower()


def seconds(text: str) -> float:
    """Read a time, from a tenth of a second to a minute."""
    if not re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,3})?", text) or not 0.1 <= float(text) <= 60:
        raise ValueError("write seconds from 0.1 to 60, for example 10")
    return float(text)


def frame_size(text: str) -> int:
    """Read a number of bytes that no honest frame is beyond."""
    if not re.fullmatch(r"[0-9]{1,9}", text) or not 65_536 <= int(text) <= 67_108_864:
        raise ValueError("write bytes from 65536 to 67108864, for example 4194304")
    return int(text)


def connections(text: str) -> int:
    """Read how many connections there may be."""
    if not re.fullmatch(r"[0-9]{1,7}", text) or not 1 <= int(text) <= 1_000_000:
        raise ValueError("write a number from 1 to 1000000, for example 20000")
    return int(text)


def workers(text: str) -> int:
    """Read a number of processes."""
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= 256:
        raise ValueError("write a number from 1 to 256; one for each core is enough")
    return int(text)


def show_seconds(value: float) -> str:
    """Write seconds as ``seconds`` reads them."""
    return f"{value:g}"


def log_level(text: str) -> str:
    """Read the name of a log level."""
    levels = ("debug", "info", "warning", "error")
    if text.lower() not in levels:
        raise ValueError(f"write one of {', '.join(levels)}")
    return text.lower()


def log_format(text: str) -> str:
    """Read the name of a form of the log."""
    if text.lower() not in FORMATS:
        raise ValueError(f"write one of {', '.join(FORMATS)}")
    return text.lower()


def networks(text: str) -> tuple[Network, ...]:
    """Read a comma list of IP networks; a single address is a network of one."""
    found: list[Network] = []
    for part in text.split(","):
        try:
            found.append(ipaddress.ip_network(part.strip()))
        except ValueError:
            raise ValueError(_network_advice(part.strip())) from None
    return tuple(found)


def networks_or_none(text: str) -> tuple[Network, ...]:
    """Read a comma list of IP networks; an empty text is none."""
    return networks(text) if text.strip() else ()


def _network_advice(part: str) -> str:
    try:
        return f"{part} has host bits set: write {ipaddress.ip_network(part, strict=False)}"
    except ValueError:
        return "write IP networks with commas between them, for example 127.0.0.0/8,::1/128"


def show_networks(value: tuple[Network, ...]) -> str:
    """Write networks as ``networks`` reads them."""
    return ",".join(map(str, value))


def switches(text: str) -> tuple[SwitchAddress, ...]:
    """Read a comma list of switches' event sockets; an empty text is none."""
    if not text:
        return ()
    found = tuple(switch_address(part.strip()) for part in text.split(","))
    if len({(one.host, one.port) for one in found}) < len(found):
        raise ValueError(f"one switch stands there twice; {ADVICE}")
    return found


def show_switches(value: tuple[SwitchAddress, ...]) -> str:
    """Write switches as ``switches`` reads them, passwords too."""
    return ",".join(f"esl://:{quote(one.password, safe='')}@{one}" for one in value)
