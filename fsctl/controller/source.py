"""Where the directory's copies come from: the database, asked in threads.

Owns the connections for it. A look at the revision is one round trip and nothing more: connections
are kept without trying them first, and in PostgreSQL every statement is a transaction of its own.
(Two statements that see different moments make a copy that the next look puts right.)
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from queue import Empty, SimpleQueue
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from fsctl.controller.directory import Source
from fsctl.controller.memories import looks_back
from fsctl.hunt.allowed import Allowed, Restriction
from fsctl.hunt.endings import all_onward
from fsctl.hunt.group import Group
from fsctl.hunt.memory import Memory
from fsctl.hunt.nesting import all_groups
from fsctl.store.engine import File, failures, file_of
from fsctl.store.errors import StoreError
from fsctl.store.lookups import Keys, changed_numbers, find_groups
from fsctl.store.memory import GroupKey, News, key_of, read_memories, read_news
from fsctl.store.revision import read_revision

log = logging.getLogger(__name__)

T = TypeVar("T")
Learn = Callable[[Mapping[GroupKey, Memory]], None]


def database_source(
    engine: Engine,
    learn: Learn | None = None,
    allowed: Allowed = Allowed(),  # noqa: B008 - immutable
) -> Source:
    """Return a source that reads the groups of this engine's database.

    ``learn`` is told what strategies remember of the groups that are read, before they are there.
    What is not ``allowed`` is taken from them: the settings may be stricter than when it was set.
    """
    ask = _Asker(engine)

    def load(keys: Keys) -> Group | None:
        return load_many([keys])[keys]

    def load_many(wanted: Sequence[Keys]) -> dict[Keys, Group | None]:
        restriction = Restriction(allowed)
        found = {
            keys: group and restriction.of(group)
            for keys, group in ask(partial(find_groups, wanted=wanted)).items()
        }
        for text in restriction.noted:
            log.warning("%s", text)
        served = [group for group in found.values() if group]
        served += [one for group in served for one in all_onward(group)]
        groups = [one for group in served for one in all_groups(group)]
        looking_back = [group for group in groups if looks_back(group)]
        if learn and looking_back:
            keys = {key_of(group.name, group.domain) for group in looking_back}
            learn(ask(partial(read_memories, groups=keys)))
        return found

    def changed(since: int, until: int) -> frozenset[str] | None:
        return ask(partial(changed_numbers, since=since, until=until))

    return Source(load, lambda: ask(read_revision), load_many, changed)


def database_news(engine: Engine) -> Callable[[int], News]:
    """Return what tells what strategies have to remember since a moment (``read_news``)."""
    ask = _Asker(engine)
    return lambda since: ask(partial(read_news, since=since))


class _Asker:
    """Asks the database, on connections that are kept for it: as many as ask at once.

    SQLite goes on reading a file that was moved away or replaced. So connections belong to a file,
    and are used only while that very file is in its place.
    """

    def __init__(self, engine: Engine) -> None:
        if engine.dialect.name == "postgresql":
            engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._engine = engine
        self._idle: SimpleQueue[tuple[File, Connection]] = SimpleQueue()

    def __call__(self, question: Callable[[Session], T]) -> T:
        """Return the answer. Raises Unavailable."""
        file = file_of(self._engine)
        kept = self._kept(file)
        if kept is not None:
            try:
                return self._ask(file, kept, question)
            except (StoreError, SQLAlchemyError):
                pass  # the server may have gone and come back
        return self._ask(file, None, question)

    def _kept(self, file: File) -> Connection | None:
        """Return a connection to this file that nobody uses, and drop those to another one."""
        while True:
            try:
                belongs, connection = self._idle.get_nowait()
            except Empty:
                return None
            if belongs == file:
                return connection
            connection.invalidate()
            connection.close()

    def _ask(
        self, file: File, connection: Connection | None, question: Callable[[Session], T]
    ) -> T:
        with failures(self._engine):
            connection = connection or self._engine.connect()
            try:
                with Session(connection) as session:
                    answer = question(session)
            except BaseException:
                connection.invalidate()
                connection.close()
                raise
        self._idle.put((file, connection))
        return answer
