"""Finding the caller whom a telephone picks up: the oldest who waits in a group, on its switch.

The calls of this process are known as they are; those of others as they told the panel, about a
second ago. So the switch is asked which of them it has, and which are nobody's yet.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gevent.threadpool import ThreadPool
from sqlalchemy import Engine

from fsctl.controller.arrival import Arrival
from fsctl.controller.call import HuntedCall
from fsctl.controller.recorder import controller_name
from fsctl.controller.showing import recording_of
from fsctl.controller.sounds import ALL_SOUNDS
from fsctl.esl import picking
from fsctl.esl.moving import leave
from fsctl.esl.presentation import Caller
from fsctl.esl.session import CallSession
from fsctl.hunt.group import Group
from fsctl.store.engine import reading
from fsctl.store.live import LiveHunt, read_waiting
from fsctl.store.nesting import group_key
from fsctl.store.tables import now_ms

MOST = 20
"""Callers of whom the switch is asked, the oldest first."""
PATIENCE = 0.5
"""Seconds for the database to say who waits at other controllers."""

AT_ONCE = 4
"""Questions to the database at once; one more does without the answer."""

log = logging.getLogger(__name__)

Elsewhere = Callable[[Group], list[LiveHunt]]
"""Tells the calls that ring a group at other controllers; may block, or raise anything."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A caller who waits: how the call came, since when (epoch seconds), and its hunt if that is
    this process's."""

    arrival: Arrival
    began: float
    call: HuntedCall | None = None


def database_waiting(engine: Engine) -> Elsewhere:
    """Return what asks the database who waits at other controllers."""

    def waiting(group: Group) -> list[LiveHunt]:
        with reading(engine) as session:
            return read_waiting(
                session, group.domain, group.name, controller_name(), now_ms(), MOST
            )

    return waiting


class PickUps:
    """Telephones that pick callers up. Without ``elsewhere`` only this process's callers."""

    def __init__(self, elsewhere: Elsewhere | None = None) -> None:
        self._elsewhere = elsewhere
        self._pool = ThreadPool(AT_ONCE)

    def take(
        self,
        session: CallSession,
        group: Group,
        picker: str,
        calls: Iterable[HuntedCall],
        refused: str,
    ) -> bool:
        """Have the switch give the oldest caller of a group to this session's telephone.

        False when nobody waits. ``picker`` is the name of who picks up, ``refused`` what they hear
        when somebody else is faster. The session is over then: it must be closed at once. Raises
        EventSocketError.
        """
        found = self._oldest(session, self._waiting(group, calls))
        if found is None:
            return False
        recording = recording_of(group, found.arrival, picker, found.began)
        order = picking.PickUp(found.arrival.uuid, picker, ALL_SOUNDS, refused, recording)
        let_go, take = leave(session.uuid, order.steps())
        session.post(let_go)
        reply = session.send(take)
        if not reply.data.startswith("+OK"):
            log.info("%s cannot pick up: %s", picker, reply.data[:100].strip())
            return False
        log.info("%s picks up %s in group %r", picker, found.arrival.uuid, group.name)
        return True

    def _waiting(self, group: Group, calls: Iterable[HuntedCall]) -> list[Waiting]:
        here = [
            Waiting(call.caller.arrival, call.stay.began, call)
            for call in calls
            if call.can_be_picked_up and group_key(call.group) == group_key(group)
        ]
        there = [_told(hunt) for hunt in self._ask(group)]
        return sorted(here + there, key=lambda one: one.began)[:MOST]

    def _ask(self, group: Group) -> list[LiveHunt]:
        if self._elsewhere is None or len(self._pool) >= AT_ONCE:
            return []
        answer = self._pool.spawn(_asked, self._elsewhere, group)
        answer.wait(PATIENCE)
        if answer.ready():
            return answer.get() or []
        log.warning("who waits elsewhere in group %r is not known: no answer in time", group.name)
        return []

    def _oldest(self, session: CallSession, waiting: list[Waiting]) -> Waiting | None:
        for one in waiting:
            application, claims = (
                session.send(question).data for question in picking.questions(one.arrival.uuid)
            )
            # While the switch was asked the hunt may have ended, and the caller stand in line.
            still = one.call is None or one.call.can_be_picked_up
            if still and picking.waits(application, claims):
                return one
        return None


def _told(hunt: LiveHunt) -> Waiting:
    caller = Caller(hunt.caller_number, hunt.caller_name, False)
    return Waiting(Arrival(hunt.uuid, hunt.number, caller, None), hunt.began)


def _asked(elsewhere: Elsewhere, group: Group) -> list[LiveHunt]:
    """Return the answer, nothing for an error: gevent writes out what a thread raises."""
    try:
        return elsewhere(group)
    except Exception as error:  # whatever a driver raises
        log.warning("who waits elsewhere in group %r is not known: %s", group.name, error)
        return []
