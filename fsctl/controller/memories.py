"""What ring strategies remember, as this controller knows it.

How it works. What a group's strategy remembers is read from the database with the group's own copy,
and what other controllers write is followed in a thread; this controller's own calls count at once.
So two calls that follow each other on one controller rotate, on two controllers when the second
comes a second or so later. Two that hunt at the same moment see the same, and start with the same
member. No call waits for any of this.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace

import gevent
from gevent.threadpool import ThreadPool

from fsctl.hunt.group import Group
from fsctl.hunt.memory import NOTHING, Memory, Served
from fsctl.hunt.strategies import REMEMBERING
from fsctl.store.memory import GroupKey, News, key_of
from fsctl.store.tables import now_ms

POLL = 0.5
"""Seconds between two looks at what other controllers have written."""
KNOWN = 10_000
"""Groups whose memory is kept; those used least recently go first."""
PRECISION = 0.001
"""Seconds to which the database keeps moments."""

log = logging.getLogger(__name__)


def looks_back(group: Group | None) -> bool:
    """Whether a group's strategy looks at past calls."""
    return group is not None and group.strategy in REMEMBERING


class Memories:
    """What is remembered of each group whose copy this controller has.

    ``news`` returns what was written since; it is called in a thread and may block or raise
    anything. Without it only this controller's own calls are remembered.
    """

    def __init__(self, news: Callable[[int], News] | None = None, poll: float = POLL) -> None:
        self._news = news
        self._poll = poll
        self._kept: OrderedDict[GroupKey, dict[str, Served]] = OrderedDict()
        self._own: dict[GroupKey, dict[str, Served]] = {}
        """Calls of this controller that the database is not known to have yet."""
        self._since = now_ms()
        self._follower: gevent.Greenlet[..., None] | None = None

    def start(self) -> None:
        """Begin to follow what others write."""
        if self._news:
            self._follower = gevent.spawn(self._follow, ThreadPool(1))

    def stop(self) -> None:
        """Stop following."""
        if self._follower:
            self._follower.kill()

    # What calls ask and tell

    def of(self, group: Group) -> Memory:
        """Return what is remembered of a group, now."""
        if not looks_back(group):
            return NOTHING
        key = key_of(group.name, group.domain)
        with suppress(KeyError):
            self._kept.move_to_end(key)
        kept, own = self._kept.get(key, {}), self._own.get(key, {})
        users = dict.fromkeys([*kept, *own])
        return Memory(tuple(_together(kept.get(user), own.get(user)) for user in users))

    def answered(self, group: Group, user: str, at: float) -> None:
        """Take in that a member has a caller since ``at`` (epoch seconds); once more is nothing."""
        if not looks_back(group):
            return
        key = key_of(group.name, group.domain)
        kept = self._kept.get(key, {}).get(user)
        own = self._own.setdefault(key, {})
        before = own.get(user)
        if any(known and known.answered >= at - PRECISION for known in (kept, before)):
            return
        own[user] = Served(user, at, at, 1 + (before.calls if before else 0))
        while len(self._own) > KNOWN:
            del self._own[next(iter(self._own))]

    def over(self, group: Group, user: str, at: float) -> None:
        """Take in that the conversation of a member is over."""
        key = key_of(group.name, group.domain)
        for known in (self._own.get(key, {}), self._kept.get(key, {})):
            if user in known:
                known[user] = replace(known[user], idle=max(at, known[user].idle))

    # What the database says

    def learn(self, memories: Mapping[GroupKey, Memory]) -> None:
        """Take over all that the database remembers of these groups. Any thread may call this."""
        for key, memory in memories.items():
            self._kept[key] = {one.user: one for one in memory.served}
            self._forget_own(key, memory.served)
        while len(self._kept) > KNOWN:
            self._kept.popitem(last=False)

    def _forget_own(self, key: GroupKey, written: Iterable[Served]) -> None:
        """Forget calls of our own that the database has now."""
        own = self._own.get(key)
        if own is None:
            return
        for one in written:
            mine = own.get(one.user)
            if mine and one.answered >= mine.answered - PRECISION:
                del own[one.user]
                if mine.idle > one.idle:
                    self._kept[key][one.user] = replace(one, idle=mine.idle)

    def _follow(self, pool: ThreadPool) -> None:
        while True:
            gevent.sleep(self._poll)
            if not self._kept:  # no group looks back
                self._since = now_ms()
                continue
            found = pool.apply(_asked, (self._news, self._since))
            if found is not None:  # else the database is away: the directory says so
                self._since = found.until
                self._take_in(found)

    def _take_in(self, news: News) -> None:
        for key, served in news.served.items():
            kept = self._kept.get(key)
            if kept is not None:
                for one in served:
                    before = kept.get(one.user, one)
                    kept[one.user] = replace(one, idle=max(one.idle, before.idle))
                self._forget_own(key, served)


def _together(kept: Served | None, own: Served | None) -> Served:
    """Return what the database and this controller know of a member together."""
    if kept is None or own is None:
        known = kept or own
        assert known is not None  # noqa: S101 - one of them has the user
        return known
    return Served(
        own.user,
        max(kept.answered, own.answered),
        max(kept.idle, own.idle),
        kept.calls + own.calls,
    )


def _asked(news: Callable[[int], News], since: int) -> News | None:
    """Return the news, None when there is no answer: gevent writes out what a thread raises."""
    try:
        return news(since)
    except Exception as error:  # whatever a driver raises
        log.debug("no news of what strategies remember: %s", error)
        return None
