"""What the switches say of their users, for pages: who exists, has a telephone, is on it.

A page never waits for a switch that is gone. A look is taken by a thread of its own, at most once
in ``PACE`` seconds and only while pages ask; they wait for it half a second at most, not at all
when the last one failed, and show what was seen before.
"""

import logging
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property

import gevent

from fsctl.esl import switch_facts
from fsctl.esl.address import SwitchAddress
from fsctl.esl.errors import EventSocketError, Unquotable
from fsctl.esl.inbound import Refused, SwitchConnection
from fsctl.esl.switch_facts import Presence, User
from fsctl.esl.telephones import accounts, on_the_phone
from fsctl.hunt.group import Group, is_user

PACE = 2.0
"""Seconds between two looks."""
REST = 10
"""How many times as long as a look took nobody looks again: a large switch has other work."""
PATIENCE = 0.5
"""Seconds that a page waits for a look."""
CONNECT_TIME = 2.0
ANSWER_TIME = 5.0
SINGLE_QUESTIONS = 1.0
"""Seconds of a look for questions about single users: whoever the list leaves in doubt."""
REMEMBERED = 600.0
"""Seconds after which it is asked again whether a user is called by way of a registration."""
KEPT = 300.0
"""Seconds for which a switch that does not answer counts with what it said last."""
MOST_WANTED = 2_000
"""Members beside those of a directory that are asked for."""

log = logging.getLogger(__name__)


class State(Enum):
    """What is known of a user, the most telling first."""

    TALKS = "talks"
    RINGS = "rings"
    FREE = "free"
    """Registered, and not on the phone."""
    ELSEWHERE = "elsewhere"
    """Called without a registration: a gateway, another server."""
    UNTOLD = "untold"
    """No switch has said yet."""
    AWAY = "away"
    """Not registered."""
    UNKNOWN = "unknown"
    """No user of any switch."""


_ORDER = list(State)
CANNOT_RING = (State.AWAY, State.UNKNOWN)
_PRESENCES = {
    Presence.REGISTERED: State.FREE,
    Presence.UNREGISTERED: State.AWAY,
    Presence.UNKNOWN: State.UNKNOWN,
    Presence.ELSEWHERE: State.ELSEWHERE,
}


@dataclass(frozen=True)
class Known:
    """A user as a page shows them: ``caller_name`` is what telephones show."""

    user: User
    caller_name: str
    state: State


@dataclass(frozen=True)
class Seen:
    """What one switch said: ``users`` are its directory's, ``states`` those of others as well.

    ``domain`` is where users without one are looked up; ``at`` is epoch seconds.
    """

    domain: str
    users: Sequence[Known]
    states: dict[User, State]
    at: float

    def of(self, domain: str) -> "Seen":
        """Return what of this is about users of one domain."""
        own = domain.casefold()
        return replace(
            self,
            users=[one for one in self.users if one.user.domain.casefold() == own],
            states={user: state for user, state in self.states.items() if user.domain == own},
        )


@dataclass(frozen=True)
class Silent:
    """A switch that did not answer, and when it last did (epoch seconds; None: it never did)."""

    address: str
    since: float | None


@dataclass(frozen=True)
class Picture:
    """What the switches said; ``whole`` if each of them did, and lately enough to count."""

    seen: Sequence[Seen] = ()
    silent: Sequence[Silent] = ()
    whole: bool = True

    def of(self, domain: str) -> "Picture":
        """Return what of this may be seen by somebody who has one domain only; ``""``: all.

        Of other domains' users nothing has been said then.
        """
        return replace(self, seen=[one.of(domain) for one in self.seen]) if domain else self

    @cached_property
    def default_domain(self) -> str:
        """The domain of users who are written without one, where no group says it."""
        return next((one.domain for one in self.seen if one.domain), "")

    @cached_property
    def users(self) -> Sequence[Known]:
        """Every user of a directory, by name; of several switches the most telling state counts."""
        found: dict[User, Known] = {}
        for seen in self.seen:
            for one in seen.users:
                other = found.get(_key(one.user))
                if other is None or _ORDER.index(one.state) < _ORDER.index(other.state):
                    found[_key(one.user)] = one
        return sorted(found.values(), key=lambda one: (one.user.name, one.user.domain))

    def users_of(self, domain: str) -> list[Known]:
        """Return the users of a domain; ``""`` for all."""
        return [one for one in self.users if not domain or one.user.domain == domain]

    def state(self, member: str, group_domain: str) -> State:
        """Return what is known of a group's member."""
        states = [
            seen.states.get(_key(User.of(member, group_domain or seen.domain)), State.UNTOLD)
            for seen in self.seen
        ]
        if not self.whole:
            states.append(State.UNTOLD)
        return min(states, key=_ORDER.index, default=State.UNTOLD)

    def nobody_can_ring(self, group: Group) -> bool:
        """Whether it is certain that no member of an enabled group has a telephone."""
        members = [member for member in group.members if member.rings]
        return (
            group.enabled
            and bool(members)
            and all(
                is_user(one.user) and self.state(one.user, group.domain) in CANNOT_RING
                for one in members
            )
        )


@dataclass
class _Look:
    """Looks at one switch, one thread at a time."""

    address: SwitchAddress
    seen: Seen | None = None
    failed: bool = False
    _next: float = 0.0
    _over: threading.Event | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _wanted: dict[tuple[str, str], None] = field(default_factory=dict)
    _elsewhere: dict[User, bool] = field(default_factory=dict)
    _forget: float = 0.0

    def begin(self, wanted: Iterable[tuple[str, str]]) -> None:
        """Take another look, if it is time."""
        with self._lock:
            new = [one for one in wanted if one not in self._wanted]
            for one in new[: MOST_WANTED - len(self._wanted)]:
                self._wanted[one] = None
            due = time.monotonic() >= self._next or (not self.failed and self._leaves_open(new))
            if self._over is None and due:
                self._over = threading.Event()
                threading.Thread(target=self._run, args=(self._over,), daemon=True).start()

    def _leaves_open(self, wanted: Iterable[tuple[str, str]]) -> bool:
        """Whether the last look says nothing of one of these members."""
        seen = self.seen
        return seen is not None and any(
            _key(User.of(member, of or seen.domain)) not in seen.states for member, of in wanted
        )

    def wait(self, until: float) -> None:
        """Wait for the look under way, unless there is little hope of it."""
        over = self._over
        if over is not None and not self.failed:
            over.wait(max(0.0, until - time.monotonic()))

    def _run(self, over: threading.Event) -> None:
        began = time.monotonic()
        try:
            with SwitchConnection(self.address, CONNECT_TIME, ANSWER_TIME) as switch:
                self.seen = self._ask(switch)
            if self.failed:
                log.warning("switch %s answers again", self.address)
            self.failed = False
        except EventSocketError as error:
            if not self.failed:
                log.warning("switch %s tells nothing of its users: %s", self.address, error)
            self.failed = True
        except Exception:
            log.exception("the look at switch %s", self.address)
            self.failed = True
        finally:
            gevent.get_hub().destroy()
            now = time.monotonic()
            with self._lock:
                self._next = now + max(PACE, REST * (now - began))
                self._over = None
            over.set()

    def _ask(self, switch: SwitchConnection) -> Seen:
        self._forget_now_and_then()
        domain = switch_facts.default_domain(switch)
        until = time.monotonic() + SINGLE_QUESTIONS
        listed = accounts(switch)
        states: dict[User, State] = {}
        for one in listed:
            states[_key(one.user)] = (
                State.FREE if one.registered else self._away(switch, one.user, until)
            )
        for user in self._unlisted(domain, states):
            states[_key(user)] = _asked(switch, user, until)
        for user, talks in on_the_phone(switch).items():
            if states.get(_key(user), State.UNKNOWN) is not State.UNKNOWN:
                states[_key(user)] = State.TALKS if talks else State.RINGS
        users = [Known(one.user, one.caller_name, states[_key(one.user)]) for one in listed]
        return Seen(domain, users, states, time.time())

    def _forget_now_and_then(self) -> None:
        if time.monotonic() > self._forget:
            self._forget = time.monotonic() + REMEMBERED
            self._elsewhere.clear()
            with self._lock:
                self._wanted.clear()

    def _away(self, switch: SwitchConnection, user: User, until: float) -> State:
        """Return what is to be said of somebody who has no registration."""
        key = _key(user)
        if key not in self._elsewhere:
            state = _asked(switch, user, until)
            if state not in (State.AWAY, State.ELSEWHERE):
                return state
            self._elsewhere[key] = state is State.ELSEWHERE
        return State.ELSEWHERE if self._elsewhere[key] else State.AWAY

    def _unlisted(self, domain: str, listed: dict[User, State]) -> list[User]:
        """Return the members that pages asked for and no directory lists: aliases, mod_xml_curl."""
        with self._lock:
            wanted = list(self._wanted)
        users = [User.of(member, of or domain) for member, of in wanted]
        return [one for one in users if _key(one) not in listed and one.domain]


def _asked(switch: SwitchConnection, user: User, until: float) -> State:
    if time.monotonic() >= until:
        return State.UNTOLD
    try:
        return _PRESENCES[switch_facts.presence(switch, user)]
    except Refused:
        return State.UNTOLD
    except Unquotable:  # no name that FreeSWITCH could have
        return State.UNKNOWN


class Switches:
    """The switches that were named, none or several."""

    def __init__(self, addresses: Iterable[SwitchAddress]) -> None:
        self._looks = [_Look(address) for address in addresses]

    def picture(self, groups: Iterable[Group] = (), domain: str = "") -> Picture | None:
        """Return what they said, these groups' members included; None when none is named.

        With a domain nothing is asked, and nothing told, of the users of any other.
        """
        if not self._looks:
            return None
        wanted = [(member.user, group.domain) for group in groups for member in group.members]
        if domain:
            wanted = [one for one in wanted if User.of(*one).domain.casefold() == domain.casefold()]
        for look in self._looks:
            look.begin(wanted)
        until = time.monotonic() + PATIENCE
        for look in self._looks:
            look.wait(until)
        oldest = time.time() - KEPT
        said = [(look, look.seen) for look in self._looks]
        counts = tuple(
            seen for look, seen in said if seen and not (look.failed and seen.at < oldest)
        )
        silent = tuple(
            Silent(str(look.address), seen.at if seen else None)
            for look, seen in said
            if look.failed or seen is None
        )
        return Picture(counts, silent, whole=len(counts) == len(said)).of(domain)


def _key(user: User) -> User:
    return User(user.name.casefold(), user.domain.casefold())
