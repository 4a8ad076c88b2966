"""The address that FreeSWITCH connects to: whether a controller takes calls there."""

import errno
import time
from collections.abc import Iterator
from enum import Enum
from ipaddress import ip_address

from gevent import socket

from fsctl.doctor.finding import Finding, fault, ok
from fsctl.settings import Settings
from fsctl.settings_values import Address

PART = "listener"
PATIENCE = 3.0
"""Seconds that a controller has for its first word."""
_FIRST_WORD = b"connect\n\n"
_TURNED_AWAY = b"resume\n\n"
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class Answer(Enum):
    """Who is at an address."""

    CONTROLLER = "a controller"
    TURNS_AWAY = "a controller that does not want us"
    SOMEBODY = "somebody else"
    SILENT = "a frozen one"
    NOBODY = "nobody"
    UNREACHABLE = "no such address"


def examine_listener(settings: Settings) -> Iterator[Finding]:
    """Connect to the listener as FreeSWITCH would."""
    place = settings.listen
    answer = ask(place)
    if answer is Answer.CONTROLLER:
        yield ok(PART, f"a controller takes calls on {place}")
    elif answer is Answer.TURNS_AWAY:
        yield fault(
            PART,
            f"the controller on {place} turns connections from this machine away",
            "when FreeSWITCH runs here, add this machine's address to the setting allow; when the "
            "log of fsctl serve says that it is full, raise max_connections",
        )
    elif answer is Answer.SOMEBODY:
        yield fault(
            PART,
            f"something that is no controller listens on {place}",
            f"find it (ss -ltnp 'sport = :{place.port}') and end it, or give another address with "
            "--listen",
        )
    elif answer is Answer.SILENT:
        yield fault(
            PART,
            f"whoever listens on {place} accepts connections and says nothing",
            "restart fsctl serve; when it was frozen, its log and the machine's may say why",
        )
    elif answer is Answer.NOBODY:
        yield fault(
            PART,
            f"no controller listens on {place}",
            "start it: fsctl serve, or: systemctl start fsctl",
        )
    else:
        yield fault(
            PART,
            f"{place} cannot be connected to: this machine has no such address, or a firewall is "
            "in the way",
            "see: ip address; give one that FreeSWITCH reaches with --listen",
        )


def examine_allowed(settings: Settings) -> Iterator[Finding]:
    """Look whether the switches that are named may connect."""
    for switch in settings.esl_url:
        try:
            host = ip_address(switch.host)
        except ValueError:
            continue  # a name; the switch may come from any of its addresses
        if not any(host in network for network in settings.allow):
            yield fault(
                PART,
                f"the switch at {host} may not connect to us: it is in no network of allow",
                f"add {host} to the setting allow",
            )


def reached(place: Address) -> str:
    """Return the host by which this machine reaches what listens there."""
    return _ANY.get(place.host, place.host)


def ask(place: Address) -> Answer:
    """Connect to an address and hear who is there."""
    until = time.monotonic() + PATIENCE
    try:
        with socket.create_connection((reached(place), place.port), timeout=PATIENCE) as sock:
            return _hear(sock, until)
    except TimeoutError:
        return Answer.UNREACHABLE
    except OSError as error:
        return Answer.NOBODY if error.errno == errno.ECONNREFUSED else Answer.UNREACHABLE


def _hear(sock: socket.socket, until: float) -> Answer:
    said = b""
    while len(said) < len(_FIRST_WORD):
        sock.settimeout(max(until - time.monotonic(), 0.001))
        try:
            more = sock.recv(64)
        except TimeoutError:
            break
        except ConnectionResetError:
            more = b""
        if not more:
            break
        said += more
    if said.startswith(_FIRST_WORD):
        return Answer.CONTROLLER
    if said.startswith(_TURNED_AWAY):
        return Answer.TURNS_AWAY
    return Answer.SOMEBODY if said else Answer.SILENT


def places(settings: Settings) -> tuple[str, ...]:
    """Return how a dialplan may name our listener; ``*:PORT`` when it listens everywhere."""
    host, port = settings.listen
    if host in _ANY:
        return (f"*:{port}",)
    loopback = host in ("localhost", "127.0.0.1", "::1")
    names = ("127.0.0.1", "localhost", "::1") if loopback else (host,)
    return tuple(f"{name}:{port}" for name in names)
