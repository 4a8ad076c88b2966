"""The groups as calls see them: copies in memory, so that no call waits for the database.

How it works. The database's revision is read in a thread, several times a second. When it has
moved, the copies of numbers whose groups have changed are stale: they are read again together, the
latest used first, and serve until then, but no longer than ``GRACE``; a call that comes later for
one not read yet reads it itself. So a change is in force within a second however many copies there
are, and one change costs the reading of one group.

When the database does not answer, the last known copies go on serving.
"""

import logging
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

import gevent
from gevent.event import AsyncResult, Event
from gevent.threadpool import ThreadPool

from fsctl.hunt.group import Group
from fsctl.store.lookups import Keys, number_of
from fsctl.store.onward import all_markers

__all__ = ["Directory", "Keys", "Source", "Unavailable"]

log = logging.getLogger(__name__)

POLL = 0.4
"""Seconds between two looks at the revision: a change is in force within a second."""
GRACE = 0.3
"""Seconds that a copy known to be stale serves on while it is read again."""
PATIENCE = 0.5
"""Seconds that a call for a group never seen before waits for the database at most."""
SLOW = 0.5
"""Seconds without an answer after which the database counts as down."""
LOADS = 4
"""Readings of the database at once; a call beyond that waits for its turn."""
AT_ONCE = 500
"""Groups that are read together: few enough for the others not to notice."""
KNOWN = 10_000
"""Copies kept; those used least recently go first: strangers' misdialling costs no memory."""

Copies = Mapping[Keys, Group | None]
T = TypeVar("T")


class Unavailable(Exception):
    """The database does not answer and this number was never looked up before."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where groups come from. All are called in a thread and may block or raise anything.

    ``load_many`` reads the groups of many keys together; without it they are read one by one.
    ``changed`` returns the numbers whose groups have changed from one revision to another, None
    for any; without it any may have.
    """

    load: Callable[[Keys], Group | None]
    revision: Callable[[], int]
    load_many: Callable[[Sequence[Keys]], Copies] | None = None
    changed: Callable[[int, int], frozenset[str] | None] | None = None

    def read(self, wanted: Sequence[Keys]) -> Copies:
        """Return the groups of all these keys."""
        if self.load_many is not None:
            return self.load_many(wanted)
        return {keys: self.load(keys) for keys in wanted}


class Directory:
    """Finds the group that serves a number."""

    def __init__(self, source: Source, patience: float = PATIENCE, poll: float = POLL) -> None:
        self._source = source
        self._patience = patience
        self._poll = poll
        self._pool = ThreadPool(LOADS + 1)  # one to follow changes
        self._copies: OrderedDict[Keys, Group | None] = OrderedDict()
        self._within: dict[Keys, frozenset[str]] = {}
        """Of copies with other groups within them, by what a change of those is known."""
        self._stale: dict[Keys, float] = {}
        """Since when (monotonic seconds) a copy is known to be stale."""
        self._loading: dict[Keys, AsyncResult[Group | None]] = {}
        self._overtaken: set[Keys] = set()
        """Those loading while the revision moved: what they bring may be from before."""
        self._waiting: deque[Keys] = deque()
        self._loaders = 0
        self._revision: int | None = None
        self._asked: float | None = None
        self._lag = 0.0
        self._keeper: gevent.Greenlet[..., None] | None = None
        self._hurry = Event()
        self.healthy = True
        """Whether the database answered when it was last asked."""

    @property
    def known(self) -> bool:
        """Whether the database has ever answered."""
        return self._revision is not None

    @property
    def lag(self) -> float:
        """Seconds that the last look at the revision took, or has taken so far."""
        return self._lag if self._asked is None else time.monotonic() - self._asked

    def start(self) -> None:
        """Begin to follow changes."""
        for _ in range(LOADS):  # connections open now, not when calls wait for them
            self._pool.spawn(_sealed, self._source.revision, ())
        self._keeper = gevent.spawn(self._keep_fresh)

    def stop(self) -> None:
        """Stop following changes; threads that a dead database holds are left to it."""
        if self._keeper:
            self._keeper.kill()

    def look_now(self) -> None:
        """Look for changes at once: there is one, whoever says so."""
        self._hurry.set()

    def find(self, keys: Keys) -> Group | None:
        """Return the group that serves one of these keys, None when none does.

        Waits only for a number that was never asked for before, or that changed and was not read
        since, and then ``patience`` seconds at most. Raises Unavailable when there is no copy and
        no answer.
        """
        if not keys:
            return None
        if keys in self._copies:
            self._copies.move_to_end(keys)
            if not self._is_overdue(keys):
                return self._copies[keys]
        elif not self.healthy:
            raise Unavailable("the database does not answer")
        try:
            return self._load(keys).get(timeout=self._patience)
        except gevent.Timeout:
            self._is_down("no answer in time")
        except Exception as error:  # whatever a driver raises
            self._is_down(error)
        if keys in self._copies:
            return self._copies[keys]
        raise Unavailable("the database does not answer")

    def copy_of(self, keys: Keys) -> Group | None:
        """Return the group that serves one of these keys as far as it is known, without asking."""
        return self._copies.get(keys)

    def has_copy(self, keys: Keys) -> bool:
        """Whether it is known which group serves these keys, be it none."""
        return keys in self._copies

    def _is_overdue(self, keys: Keys) -> bool:
        since = self._stale.get(keys)
        return since is not None and self.healthy and time.monotonic() - since > GRACE

    # Reading what calls ask for

    def _load(self, keys: Keys) -> "AsyncResult[Group | None]":
        """Return the one load of these keys that is under way, begun if need be."""
        found = self._loading.get(keys)
        if found is None:
            found = self._loading[keys] = AsyncResult()
            self._waiting.append(keys)
            if self._loaders < LOADS:
                self._loaders += 1
                gevent.spawn(self._load_waiting)
        return found

    def _load_waiting(self) -> None:
        """Read what calls wait for, together, until none does."""
        try:
            while self._waiting:
                some = min(AT_ONCE, len(self._waiting))
                self._load_together([self._waiting.popleft() for _ in range(some)])
        finally:
            self._loaders -= 1

    def _load_together(self, wanted: Sequence[Keys]) -> None:
        try:
            if not self.healthy:
                raise Unavailable("the database does not answer")
            groups = self._ask(self._source.read, wanted)
        except Exception as error:
            for keys in wanted:
                self._overtaken.discard(keys)
                self._loading.pop(keys).set_exception(error)
            return
        for keys in wanted:
            self._remember(keys, groups[keys])
            self._loading.pop(keys).set(groups[keys])

    def _remember(self, keys: Keys, group: Group | None) -> None:
        self._put(keys, group)
        self._copies.move_to_end(keys)
        self._stale.pop(keys, None)
        if keys in self._overtaken:
            self._overtaken.discard(keys)
            self._stale[keys] = time.monotonic()
        while len(self._copies) > KNOWN:
            forgotten, _ = self._copies.popitem(last=False)
            self._stale.pop(forgotten, None)
            self._within.pop(forgotten, None)

    def _put(self, keys: Keys, group: Group | None) -> None:
        self._copies[keys] = group
        self._within.pop(keys, None)
        markers = all_markers(group) if group else None
        if markers:
            self._within[keys] = markers

    def _ask(self, question: Callable[..., T], *args: object) -> T:
        """Call in a thread and wait for the answer."""
        answer: T = _open(self._pool.apply(_sealed, (question, args)))
        return answer

    # Following changes

    def _keep_fresh(self) -> None:
        while True:
            began = self._asked = time.monotonic()
            asked = self._pool.spawn(_sealed, self._source.revision, ())
            try:
                asked.wait(SLOW)
                in_time = asked.ready()
                if not in_time:
                    self._is_down(f"no answer within {SLOW} s")
                revision = _open(asked.get())
                self._lag, self._asked = time.monotonic() - began, None
                if in_time:  # one that took long says that the next will
                    self._is_up()
                self._look(revision)
                self._read_again()
            except Exception as error:
                self._is_down(error)
            wanted = bool(self._stale) and self.healthy
            if wanted:
                gevent.sleep(0)
            else:
                self._hurry.wait(max(0.001, began + self._poll - time.monotonic()))
            self._hurry.clear()

    def _look(self, revision: int) -> None:
        """Find out which copies are stale at this revision."""
        if revision == self._revision:
            return
        changed = None
        if self._revision is not None and self._source.changed is not None:
            changed = self._ask(self._source.changed, self._revision, revision)
        self._overtaken.update(self._loading)
        now = time.monotonic()
        for keys in _concerned(reversed(list(self._copies)), changed, self._within):
            self._stale.setdefault(keys, now)
        self._revision = revision

    def _read_again(self) -> None:
        """Read some of the stale copies, the latest used first."""
        # One that has left meanwhile, while others were looked at, is nobody's any more.
        for keys in [keys for keys in islice(self._stale, AT_ONCE) if keys not in self._copies]:
            del self._stale[keys]
        some = list(islice(self._stale, AT_ONCE))
        if not some:
            return
        for keys, group in self._ask(self._source.read, some).items():
            if keys in self._copies:
                self._put(keys, group)
            self._stale.pop(keys, None)

    def _is_up(self) -> None:
        if not self.healthy:
            log.info("the database answers again")
            self.healthy = True

    def _is_down(self, why: object) -> None:
        if self.healthy:
            self.healthy = False
            log.error("the database does not answer, known groups go on: %s", why)


def _concerned(
    copies: Iterable[Keys], changed: frozenset[str] | None, within: Mapping[Keys, frozenset[str]]
) -> Iterable[Keys]:
    """Yield the copies that a change of these numbers' groups concerns (None: of any)."""
    for place, keys in enumerate(copies, 1):
        if (
            changed is None
            or any(number_of(key) in changed for key in keys)
            or (keys in within and not changed.isdisjoint(within[keys]))
        ):
            yield keys
        if place % 500 == 0:
            gevent.sleep(0)  # calls first


def _sealed(question: Callable[..., Any], args: tuple[object, ...]) -> Any:
    """Return an answer or the error in its place: gevent writes out each that a thread raises."""
    try:
        return question(*args)
    except Exception as error:
        return error


def _open(answer: Any) -> Any:
    if isinstance(answer, Exception):
        raise answer
    return answer
