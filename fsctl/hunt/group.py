"""A hunt group as an administrator describes it: plain, immutable values.

Times are seconds (fractions allowed). The store makes these from rows, strategies turn them into
schedules.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TypeVar

T = TypeVar("T")

MOST_KEPT = 2_000
"""Groups of which ``kept`` keeps what it was told: as many as have calls on a large installation
within minutes. It takes less memory than the groups themselves do."""


@dataclass(frozen=True, slots=True)
class Member:
    """One who rings in a group.

    ``user`` is a user's name in FreeSWITCH's directory (``test002`` or ``test002@domain``), a
    telephone number outside of it (``+48501234567``, see ``is_external``), or another group of the
    same domain (``group:sales``, see ``inner_name``);
    ``delay`` is how many seconds after the call's arrival this member starts to ring;
    ``ring_time`` is how long this member's phone rings, None for as long as the group says;
    ``order`` is the member's place among the others, the lowest first, equal ones as they joined;
    ``weight`` is how often the member is drawn, compared with the others;
    ``note`` is a line for administrators and colleagues;
    ``confirm`` has this member press 1 before the caller is theirs;
    ``signed_on`` is the member's own word: who is signed off is not rung. ``enabled`` is the
    administrator's.
    """

    user: str
    delay: float = 0.0
    enabled: bool = True
    ring_time: float | None = None
    order: int = 0
    weight: int = 1
    note: str = ""
    confirm: bool = False
    signed_on: bool = True

    @property
    def rings(self) -> bool:
        """Whether both the administrator and the member let this one ring."""
        return self.enabled and self.signed_on


PICKUP = ("members", "domain", "nobody")
"""Who may pick up a group's callers: its members, every user of its domain, nobody."""


@dataclass(frozen=True, slots=True)
class Group:
    """A hunt group.

    ``numbers`` are kept normalised (E.164 with ``+``, or an internal number as dialled);
    ``wait`` is the group's wait time: after so many seconds an unanswered call is released;
    ``advance`` starts the next members at once when everyone who was ringing has failed;
    ``domain`` is the tenant, ``""`` in an installation that has one (see ``fsctl.hunt.domain``);
    ``strategy`` is one of ``fsctl.hunt.strategies.STRATEGIES``;
    ``ring_time`` is how long each phone rings, None for as long as the strategy says;
    ``rounds`` is how often everyone rings in turn;
    ``hours``, ``dates`` and ``closed_until`` say when it is open, by the wall clock of
    ``time_zone`` (see ``fsctl.hunt.opening``).

    What a member's phone shows of a caller are ``caller_name`` and ``caller_number``, templates
    (``fsctl.hunt.template``) of what the caller's own are; ``alert_info`` is its distinctive ring,
    ``diversion`` shows the number that was dialled as one that diverts.

    What a caller hears: ``greeting`` before anybody rings, then ``music`` instead of ringing, and
    ``announcement`` every ``announce_every`` seconds; ``answer_first`` answers the call for it.

    ``confirm_prompt`` is what members hear who must press 1, None for a tone; ``too_late`` is what
    they hear when somebody else has the caller, None for nothing.

    ``inner`` are the groups that are members, each with the text by which it is one and with its
    own inner groups; whoever reads a group to ring it puts them there.

    ``skip_busy`` rings nobody who is known to be in a conversation.

    ``pickup`` says whose telephones may pick up its waiting callers, one of ``PICKUP``.
    ``max_callers`` is how many callers may be hunted for at once, None for any number; ``line`` is
    how many more may wait in line, None for nobody (see ``fsctl.hunt.line``). Nobody waits there
    longer than ``line_wait``; the first tries again every ``line_retry``. They hear ``line_music``,
    None for ``music``, and ``line_position``, in which ``{position}`` stands for their own, when it
    changes and every ``line_every``.

    ``recording`` is a template of the file in which a conversation is recorded, None for none.

    ``ending`` is where a call goes that nobody takes, None for a release; the others say it for one
    reason alone, None for what ``ending`` says (``fsctl.hunt.endings``). ``onward`` are the groups
    among them, by name; whoever reads a group to serve calls puts them there.

    ``missed_mail`` are the addresses, with commas between them, that hear of a call which nobody
    took; ``missed_when`` of which outcomes they hear (``fsctl.hunt.missed``).
    """

    name: str
    description: str = ""
    numbers: tuple[str, ...] = ()
    members: tuple[Member, ...] = ()
    wait: float = 30.0
    advance: bool = True
    enabled: bool = True
    domain: str = ""
    strategy: str = "delayed"
    ring_time: float | None = None
    rounds: int = 1
    hours: str = ""
    dates: str = ""
    closed_until: str | None = None
    time_zone: str = "Europe/Warsaw"
    caller_name: str = "{name}"
    caller_number: str = "{number}"
    alert_info: str | None = None
    diversion: bool = False
    music: str | None = None
    greeting: str | None = None
    announcement: str | None = None
    announce_every: float = 30.0
    answer_first: bool = False
    recording: str | None = None
    confirm_prompt: str | None = None
    too_late: str | None = None
    ending: str | None = None
    when_no_answer: str | None = None
    when_busy: str | None = None
    when_unreachable: str | None = None
    when_no_members: str | None = None
    when_closed: str | None = None
    when_disabled: str | None = None
    skip_busy: bool = False
    pickup: str = "members"
    missed_mail: str = ""
    missed_when: str = "all"
    max_callers: int | None = None
    line: int | None = None
    line_wait: float = 300.0
    line_retry: float = 10.0
    line_music: str | None = None
    line_position: str | None = None
    line_every: float = 30.0
    when_full: str | None = None
    when_line_over: str | None = None
    inner: "tuple[tuple[str, Group], ...]" = ()
    onward: "tuple[tuple[str, Group], ...]" = ()


def is_external(user: str) -> bool:
    """Whether a member is a telephone number outside of the directory: in E.164, with its ``+``."""
    return user.startswith("+")


INNER = "group:"
"""What the name of a group begins with that is a member."""


def inner_name(user: str) -> str | None:
    """Return the name of the group that a member is, None for who is none."""
    return user.removeprefix(INNER) if user.startswith(INNER) else None


def is_user(user: str) -> bool:
    """Whether a member is a user of the directory, neither a number nor a group."""
    return not is_external(user) and inner_name(user) is None


def bare_name(user: str) -> str:
    """Return a user's name without the domain, as names are compared."""
    return user.casefold().partition("@")[0]


def same_user(one: str, other: str) -> bool:
    """Whether two members' names mean the same one.

    A name without a domain matches that user in any domain: an installation with one domain never
    mentions it, while FreeSWITCH reports callers with theirs.
    """
    if one.startswith(INNER) or other.startswith(INNER):
        return one.casefold() == other.casefold()
    name, _, domain = one.casefold().partition("@")
    other_name, _, other_domain = other.casefold().partition("@")
    return name == other_name and (not domain or not other_domain or domain == other_domain)


def kept(function: "Callable[[Group], T]") -> "Callable[[Group], T]":
    """Have a function of a group keep what it returned for those that had calls of late.

    Groups are told apart by identity: one never changes, and comparing two takes longer than most
    functions.
    """
    known: dict[int, tuple[Group, T]] = {}

    @wraps(function)
    def of_group(group: Group) -> T:
        found = known.get(id(group))
        if found is not None and found[0] is group:
            return found[1]
        told = function(group)
        if len(known) >= MOST_KEPT:
            known.clear()
        known[id(group)] = group, told
        return told

    return of_group
