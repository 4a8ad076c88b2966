"""Calls that hunt right now, as their controllers say every second.

Owns the SQL and the form of the legs. What a controller said counts for ``FRESH`` seconds: one that
died is not shown for longer, and the next that writes makes records of what it has left
(``interrupted``) and removes it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import orjson
from sqlalchemy import Select, Table, delete, insert, select
from sqlalchemy.orm import Session

from fsctl.hunt.outcomes import Outcome
from fsctl.store.call_keys import mask_name, mask_number
from fsctl.store.call_records import Attempt, CallOutcome, CallRecord
from fsctl.store.call_tables import LONGEST_CALLER_NAME, LONGEST_NUMBER, LONGEST_UUID
from fsctl.store.limits import LONGEST_NAME, LONGEST_USER
from fsctl.store.web_tables import LiveCall, LiveController, LiveLine

INTERRUPTED_MS = 0
"""When a record was put that tells of an interrupted call: any other of the same call is later."""
FRESH = 10.0
"""Seconds for which a controller counts that says nothing more."""
MOST_SHOWN = 200
MOST_LEGS = 50

_CALLS: Table = LiveCall.__table__  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class LiveLeg:
    """A telephone of a call: ``state`` is rings, claims or the leg's outcome.

    Times are seconds from the call's arrival; ``ended`` is None while it goes on.
    """

    member: str
    started: float
    ended: float | None
    state: str


@dataclass(frozen=True, slots=True)
class LiveHunt:
    """A call that hunts, or stands in line: then ``position`` is its place, from 1.

    ``began`` is epoch seconds, ``wait`` how many seconds the group lets it hunt, or stand.
    """

    uuid: str
    domain: str
    group: str
    number: str
    caller_number: str
    caller_name: str
    began: float
    wait: float
    legs: tuple[LiveLeg, ...] = ()
    position: int = 0


def write_live(
    session: Session,
    controller: str,
    gone: Iterable[str],
    changed: Sequence[LiveHunt],
    now_ms: int,
) -> None:
    """Write that a controller is there, and which of its calls are gone or have changed."""
    session.execute(delete(LiveController).where(LiveController.name == controller))
    session.execute(insert(LiveController).values(name=controller, seen_ms=now_ms))
    uuids = [*gone, *(_text(hunt.uuid, LONGEST_UUID) for hunt in changed)]
    for start in range(0, len(uuids), 500):
        some = LiveCall.uuid.in_(uuids[start : start + 500])
        session.execute(delete(LiveCall).where(LiveCall.controller == controller, some))
    if changed:
        session.execute(insert(_CALLS), [_row(controller, hunt) for hunt in changed])


def interrupted(
    session: Session, now_ms: int, controller: str = "", alive: Iterable[str] = ()
) -> list[CallRecord]:
    """Return records of the calls that hunted when their controllers died, as far as was told.

    Dead is who is silent, and a former ``controller`` of this name, whose calls are those that are
    not ``alive``. Written with ``INTERRUPTED_MS`` they give way to what such a controller has left
    on its disk, since a record is known by the same uuid and beginning.
    """
    former = (LiveCall.controller == controller) & LiveCall.uuid.not_in(list(alive))
    statement = (
        select(LiveCall, LiveController.seen_ms)
        .outerjoin(LiveController, LiveController.name == LiveCall.controller)
        .where(LiveCall.controller.not_in(there(now_ms)) | former)
    )
    return [_interrupted(row, seen_ms) for row, seen_ms in session.execute(statement)]


def _interrupted(row: LiveCall, seen_ms: int | None) -> CallRecord:
    hunt = _hunt(row)
    last = max((seen_ms or 0) / 1000, hunt.began)
    outcomes = {one.value for one in Outcome}
    return CallRecord(
        uuid=hunt.uuid,
        domain=hunt.domain,
        group=hunt.group,
        number=hunt.number,
        caller_number=hunt.caller_number,
        caller_name=hunt.caller_name,
        began=hunt.began,
        wait_seconds=last - hunt.began,
        outcome=CallOutcome.INTERRUPTED,
        cause="",
        ended=last,
        attempts=tuple(
            Attempt(
                leg.member,
                leg.started,
                ended=leg.ended,
                outcome=leg.state if leg.state in outcomes else CallOutcome.INTERRUPTED,
            )
            for leg in hunt.legs
        ),
        controller=row.controller,
    )


def forget_live(session: Session, controller: str) -> None:
    """Remove whatever a controller has said: it begins, or it ends."""
    for told in (LiveCall, LiveLine):
        session.execute(delete(told).where(told.controller == controller))
    session.execute(delete(LiveController).where(LiveController.name == controller))


def forget_dead(session: Session, now_ms: int) -> None:
    """Remove what controllers have left that are silent."""
    for told in (LiveCall, LiveLine):
        session.execute(delete(told).where(told.controller.not_in(there(now_ms))))
    session.execute(delete(LiveController).where(LiveController.seen_ms < _limit(now_ms)))


def read_live(
    session: Session, domain: str, now_ms: int, *, hidden: int
) -> tuple[list[LiveHunt], list[str]]:
    """Return the calls that hunt, the oldest first and ``MOST_SHOWN`` at most, and who said so.

    With a domain, that domain's. The controllers are all of those that are there. Of callers'
    numbers the last ``hidden`` digits are not shown, nor their names then.
    """
    fresh = there(now_ms)
    controllers = sorted(session.scalars(fresh))
    statement = select(LiveCall).where(LiveCall.controller.in_(fresh))
    if domain:
        statement = statement.where(LiveCall.domain == domain)
    in_order = statement.order_by(LiveCall.began_ms, LiveCall.uuid).limit(MOST_SHOWN)
    return [_hide_caller(_hunt(row), hidden) for row in session.scalars(in_order)], controllers


def _hide_caller(hunt: LiveHunt, hidden: int) -> LiveHunt:
    return replace(
        hunt,
        caller_number=mask_number(hunt.caller_number, hidden),
        caller_name=mask_name(hunt.caller_name, hidden),
    )


def read_waiting(
    session: Session, domain: str, group: str, but: str, now_ms: int, most: int
) -> list[LiveHunt]:
    """Return the calls that ring telephones of a group, the oldest first, as others say it.

    ``but`` is the controller that asks: it knows its own. At most so many.
    """
    statement = select(LiveCall).where(
        LiveCall.controller.in_(there(now_ms)),
        LiveCall.controller != but,
        LiveCall.domain == domain,
        LiveCall.group_name == group,
        LiveCall.legs != "[]",
    )
    in_order = statement.order_by(LiveCall.began_ms, LiveCall.uuid).limit(most)
    return [_hunt(row) for row in session.scalars(in_order)]


def there(now_ms: int) -> Select[str]:
    """Return the statement for the names of the controllers that are there."""
    return select(LiveController.name).where(LiveController.seen_ms >= _limit(now_ms))


def _limit(now_ms: int) -> int:
    return now_ms - round(FRESH * 1000)


def _row(controller: str, hunt: LiveHunt) -> dict[str, object]:
    legs = [
        (_text(leg.member, LONGEST_USER), leg.started, leg.ended, leg.state)
        for leg in hunt.legs[:MOST_LEGS]
    ]
    return {
        "controller": controller,
        "uuid": _text(hunt.uuid, LONGEST_UUID),
        "domain": hunt.domain,
        "group_name": _text(hunt.group, LONGEST_NAME),
        "number": _text(hunt.number, LONGEST_NUMBER),
        "caller_number": _text(hunt.caller_number, LONGEST_NUMBER),
        "caller_name": _text(hunt.caller_name, LONGEST_CALLER_NAME),
        "began_ms": round(hunt.began * 1000),
        "wait_ms": round(hunt.wait * 1000),
        "legs": orjson.dumps(legs).decode(),
        "position": hunt.position,
    }


def _hunt(row: LiveCall) -> LiveHunt:
    return LiveHunt(
        row.uuid,
        row.domain,
        row.group_name,
        row.number,
        row.caller_number,
        row.caller_name,
        row.began_ms / 1000,
        row.wait_ms / 1000,
        tuple(LiveLeg(*leg) for leg in orjson.loads(row.legs)),
        row.position,
    )


def _text(text: str, longest: int) -> str:
    """Return a stranger's text as both databases take it."""
    cut = text[:longest]
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in cut)
