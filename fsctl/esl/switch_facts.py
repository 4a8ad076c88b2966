"""What fsctl wants to know of a switch, each as one question over its event socket.

Owns which question is asked and how the answer is read. Every function may raise what
``SwitchConnection.api`` raises; answers are a stranger's text until they have been read here.
"""

import re
import time
from dataclasses import dataclass
from enum import Enum

from fsctl.esl import questions
from fsctl.esl.errors import ProtocolError
from fsctl.esl.inbound import Refused, SwitchConnection

NEEDED_MODULES = (
    "mod_event_socket",
    "mod_commands",
    "mod_dptools",
    "mod_hash",
    "mod_sofia",
)
"""Without one of them no hunt works; which does what stands in ``docs/freeswitch.md``."""
OLDEST = (1, 10)
"""The oldest version that fsctl was tried on, as far as it counts."""


class Presence(Enum):
    """What a switch knows of a user."""

    REGISTERED = "registered"
    UNREGISTERED = "not registered"
    UNKNOWN = "unknown"
    """The directory has no such user."""
    ELSEWHERE = "elsewhere"
    """The user's dial-string asks nobody for registrations: a gateway, another server."""


@dataclass(frozen=True, slots=True)
class User:
    """A user of the directory: ``NAME`` in ``DOMAIN``."""

    name: str
    domain: str

    @classmethod
    def of(cls, member: str, domain: str) -> "User":
        """Read a member's name, which may be ``NAME@DOMAIN``; else ``domain`` is theirs."""
        name, _, own = member.partition("@")
        return cls(name, own or domain)

    def __str__(self) -> str:
        return f"{self.name}@{self.domain}"


def version(switch: SwitchConnection) -> str:
    """Return the version as the switch writes it, such as ``1.10.12-release``."""
    return switch.api(questions.VERSION)[:60]


def is_too_old(text: str) -> bool:
    """Whether a version is one that fsctl was never tried on; one that cannot be read is not."""
    found = re.match(r"(\d{1,4})\.(\d{1,4})", text)
    return found is not None and (int(found[1]), int(found[2])) < OLDEST


def missing_modules(switch: SwitchConnection) -> tuple[str, ...]:
    """Return which of the modules that a hunt needs are not loaded."""
    return tuple(name for name in NEEDED_MODULES if switch.api(questions.module(name)) != "true")


def default_domain(switch: SwitchConnection) -> str:
    """Return the global variable ``domain``, in which users without one are looked up; or ""."""
    try:
        return switch.api(questions.DOMAIN)[:255]
    except Refused:  # it is not set
        return ""


def presence(switch: SwitchConnection, user: User) -> Presence:
    """Return whether a user exists and has a telephone that could ring.

    Registrations are what ``sofia_contact`` finds, as the stock ``dial-string`` does.
    """
    if switch.api(questions.user_exists(user.name, user.domain)) != "true":
        return Presence.UNKNOWN
    dial_string = _dial_string(switch, user)
    if dial_string and "sofia_contact" not in dial_string:
        return Presence.ELSEWHERE
    if switch.api(questions.contact(user.name, user.domain)).startswith("error/"):
        return Presence.UNREGISTERED
    return Presence.REGISTERED


def _dial_string(switch: SwitchConnection, user: User) -> str:
    try:
        return switch.api(questions.dial_string(user.name, user.domain))
    except Refused:
        return ""


def clock_lead(switch: SwitchConnection) -> float:
    """Return by how many seconds the switch's clock is ahead of ours, behind when negative.

    It tells whole seconds, so up to one of them, and the time of the question, means nothing: what
    could be that is 0.
    """
    before = time.time()
    answer = switch.api(questions.CLOCK)
    after = time.time()
    if not re.fullmatch("[0-9]{1,12}", answer):
        raise ProtocolError(f"a clock that says {answer[:60]!r}")
    told = int(answer)
    if told > after:
        return told - after
    if told + 1 < before:
        return told + 1 - before
    return 0.0


def dialplan(switch: SwitchConnection, context: str | None = None) -> str:
    """Return the dialplan, or one context of it, as XML; "" when the switch shows none."""
    question = questions.DIALPLAN if context is None else questions.context(context)
    answer = switch.api(question, within=30.0)
    return answer if answer.startswith("<") else ""
