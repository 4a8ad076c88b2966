"""How many callers each controller hunts for in a group, and who stands in its line.

Owns the SQL and the form of the tickets. Only the first ``MOST_TOLD`` of a controller's line are
told by name; the others are counted. Like what is live, it counts for as long as its controller
says that it is there (``fsctl.store.live``).
"""

from collections.abc import Iterable, Mapping
from itertools import islice

import orjson
from sqlalchemy import Table, delete, insert, select
from sqlalchemy.orm import Session

from fsctl.hunt.line import Others, Ticket, together
from fsctl.store.live import there
from fsctl.store.memory import GroupKey
from fsctl.store.web_tables import LiveLine

MOST_TOLD = 200

_LINES: Table = LiveLine.__table__  # type: ignore[assignment]


def write_lines(
    session: Session, controller: str, gone: Iterable[GroupKey], changed: Mapping[GroupKey, Others]
) -> None:
    """Write which of a controller's lines are gone or have changed."""
    for domain, key in [*gone, *changed]:
        session.execute(
            delete(LiveLine).where(
                LiveLine.controller == controller,
                LiveLine.domain == domain,
                LiveLine.group_key == key,
            )
        )
    if changed:
        rows = [_row(controller, key, line) for key, line in changed.items()]
        session.execute(insert(_LINES), rows)


def read_others(session: Session, controller: str, now_ms: int) -> dict[GroupKey, Others]:
    """Return what all controllers but one have told, by group."""
    statement = select(LiveLine).where(
        LiveLine.controller.in_(there(now_ms)), LiveLine.controller != controller
    )
    found: dict[GroupKey, list[Others]] = {}
    for row in session.scalars(statement):
        found.setdefault((row.domain, row.group_key), []).append(_others(row))
    return {key: together(told) for key, told in found.items()}


def _row(controller: str, key: GroupKey, line: Others) -> dict[str, object]:
    tickets = [
        (ticket.came, ticket.uuid, ticket in line.out)
        for ticket in islice(line.tickets, MOST_TOLD)
        if ticket.uuid.isprintable()
    ]
    return {
        "controller": controller,
        "domain": key[0],
        "group_key": key[1],
        "hunting": line.hunting,
        "waiting": line.standing,
        "tickets": orjson.dumps(tickets).decode(),
    }


def _others(row: LiveLine) -> Others:
    told = [(Ticket(float(came), str(uuid)), out) for came, uuid, out in orjson.loads(row.tickets)]
    tickets = tuple(ticket for ticket, _ in told)
    out = frozenset(ticket for ticket, hunts in told if hunts)
    return Others(row.hunting, row.waiting, tickets, out)
