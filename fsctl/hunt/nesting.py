"""Groups that are members of groups: what of them rings when.

A group that is a member is one member to the outer group's strategy, with its own delay, order and
weight. When it is its turn its own strategy says who of it rings, from that moment on and for as
long as it has its turn. So a nested hunt is one schedule, like any other.

A group that is closed, disabled or empty rings nobody, and neither does one that is a member of
itself by way of others.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from fsctl.hunt.group import Group, Member, bare_name, inner_name, is_external, kept, same_user
from fsctl.hunt.memory import NOTHING, Memory
from fsctl.hunt.opening import is_open
from fsctl.hunt.schedule import Ring, Schedule
from fsctl.hunt.strategies import STEADY, STRATEGIES, delayed

DEEPEST = 5
"""How many groups may be within each other."""
MOST_MEMBERS = 1_000
"""Members of a group with all that are within it, counted as often as they are there."""

MemoryOf = Callable[[Group], Memory]


def nothing_remembered(_group: Group) -> Memory:
    """Remember nothing of any group."""
    return NOTHING


class Admission:
    """Who may ring in one call, in a group and in those within it.

    ``caller`` is the calling user, None for a stranger; ``now`` (seconds since 1970 UTC) tells
    which groups are open, with None all are; ``external``: telephone numbers can be called.
    """

    def __init__(
        self,
        caller: str | None,
        memory_of: MemoryOf,
        chance: int,
        now: float | None,
        external: bool,
    ) -> None:
        self._caller = caller
        self._memory_of = memory_of
        self._chance = chance
        self._now = now
        self._external = external

    def schedule(self, group: Group, depth: int = 0) -> Schedule:
        """Return the schedule of a group with all that are within it."""
        if self._is_as_ever(group):
            return _schedule_as_ever(group)
        return self._worked_out(group, depth)

    def _is_as_ever(self, group: Group) -> bool:
        """Whether nothing about this call makes a group's schedule another than the last one's."""
        if group.inner or group.strategy not in STEADY:
            return False
        if not self._external and has_external(group):
            return False
        return self._caller is None or bare_name(self._caller) not in _by_bare_name(group)

    def _worked_out(self, group: Group, depth: int) -> Schedule:
        within: dict[str, Schedule] = {}
        members = tuple(self._ready(group, member, within, depth) for member in group.members)
        # A newer fsctl may have more of them, in the same database.
        strategy = STRATEGIES.get(group.strategy, delayed)
        own = replace(group, members=members) if members != group.members else group
        outer = strategy(own, self._caller, self._memory_of(group), self._chance + depth)
        return _unfolded(outer, within) if within else outer

    def _ready(
        self, group: Group, member: Member, within: dict[str, Schedule], depth: int
    ) -> Member:
        """Return a member as the strategy is to see it; who cannot ring is disabled.

        They are not taken away: a strategy may know them by their place.
        """
        if not member.rings or (is_external(member.user) and not self._external):
            return replace(member, enabled=False)
        if inner_name(member.user) is None:
            return member
        inner = dict(group.inner).get(member.user)
        if inner is None or not inner.enabled or depth >= DEEPEST or not self._open(inner):
            return replace(member, enabled=False)
        schedule = self.schedule(inner, depth + 1)
        if not schedule.rings:
            return replace(member, enabled=False)
        within[member.user] = schedule
        length = _length(schedule)
        own = length if member.ring_time is None else min(member.ring_time, length)
        return replace(member, ring_time=own)

    def _open(self, group: Group) -> bool:
        return self._now is None or is_open(group, self._now)


@kept
def _schedule_as_ever(group: Group) -> Schedule:
    return Admission(None, nothing_remembered, 0, None, True)._worked_out(group, 0)


@kept
def _by_bare_name(group: Group) -> Mapping[str, list[Member]]:
    found: dict[str, list[Member]] = {}
    for member in group.members:
        found.setdefault(bare_name(member.user), []).append(member)
    return found


def _length(schedule: Schedule) -> float:
    end = max(ring.start + ring.ring_for for ring in schedule.rings)
    return min(end, schedule.wait)


def _unfolded(outer: Schedule, within: Mapping[str, Schedule]) -> Schedule:
    """Return a schedule in which each line of a group is what that group does meanwhile.

    A user who is there more than once has one name in it, and so one telephone call at a time.
    """
    names: list[str] = []

    def name(user: str) -> str:
        known = next((one for one in names if same_user(one, user)), None)
        if known is None:
            names.append(user)
        return known or user

    lines: list[Ring] = []
    for ring in outer.rings:
        inner = within.get(ring.member)
        if inner is None:
            lines.append(replace(ring, member=name(ring.member)))
            continue
        turn = min(ring.ring_for, inner.wait)
        lines += [
            Ring(name(line.member), ring.start + line.start, min(line.ring_for, turn - line.start))
            for line in inner.rings
            if line.start < turn
        ]
    return replace(outer, rings=tuple(lines))


# Who is in a group, whichever way


@kept
def everybody(group: Group) -> tuple[str, ...]:
    """Return the users and numbers of a group and of those within it, each once."""
    return tuple(dict.fromkeys(user for user, _ in _confirming(group, False)))


@kept
def who_confirms(group: Group) -> frozenset[str]:
    """Return who must press 1, for one reason or another: a group's doing so is its members'."""
    return frozenset(user for user, confirms in _confirming(group, False) if confirms)


def _confirming(group: Group, all_do: bool) -> Iterator[tuple[str, bool]]:
    inner = dict(group.inner)
    for member in group.members:
        confirms = all_do or member.confirm
        if inner_name(member.user) is None:
            yield member.user, confirms
        elif member.user in inner:
            yield from _confirming(inner[member.user], confirms)


@kept
def has_external(group: Group) -> bool:
    """Whether there are telephone numbers outside of the directory among those."""
    return any(map(is_external, everybody(group)))


def takers(group: Group, user: str) -> Iterator[tuple[Group, str]]:
    """Yield each group in which a user has taken a call to ``group``, with the member who did.

    In an outer group that is the inner one.
    """
    inner = dict(group.inner)
    for member in group.members if inner else _by_bare_name(group).get(bare_name(user), ()):
        if member.user in inner:
            found = list(takers(inner[member.user], user))
            if found:
                yield group, member.user
            yield from found
        elif same_user(member.user, user):
            yield group, member.user


def all_groups(group: Group) -> Iterator[Group]:
    """Yield a group and those within it."""
    yield group
    for _, inner in group.inner:
        yield from all_groups(inner)
