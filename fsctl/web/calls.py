"""Past calls: the list with its filters, one call drawn, statistics with plots, CSV."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from flask import Blueprint, Response, abort, render_template
from sqlalchemy import Engine

from fsctl.admin.errors import WrongValue
from fsctl.store.call_queries import CallFilter, StoredCall, find_calls, list_calls
from fsctl.store.call_stats import call_stats
from fsctl.web import plots
from fsctl.web.arguments import asked_number
from fsctl.web.filters import chosen_calls
from fsctl.web.languages import sentence
from fsctl.web.panel import domain, panel, shown_domain
from fsctl.web.story import OUTCOMES, drawing, leg_story, outcome_name

pages = Blueprint("calls", __name__)

SHOWN = 50
MOST_SHOWN = 1_000
CSV_HEADS = (
    "id", "uuid", "began", "domain", "group", "number", "caller_number", "caller_name",
    "outcome", "cause", "answered_by", "wait_seconds", "talk_seconds",
)  # fmt: skip
CSV_LINES = 500
"""Lines of a CSV file that are sent together."""
_RISKY = tuple("=+-@'\t")


@pages.get("/calls")
def calls() -> str | tuple[str, int]:
    """List the latest calls that the filters let through."""
    problem, chosen = _chosen()
    shown = asked_number("shown", SHOWN, SHOWN, MOST_SHOWN)
    found: list[StoredCall] = []
    if chosen:
        found = list(list_calls(panel().engine, chosen, shown + 1))
    page = render_template(
        "calls/list.html",
        calls=found[:shown],
        more=min(shown + SHOWN, MOST_SHOWN) if len(found) > shown < MOST_SHOWN else None,
        outcomes=OUTCOMES,
        outcome_name=outcome_name,
        problem=problem,
    )
    return (page, 422) if problem else page


@pages.get("/calls/<int:call_id>")
def call(call_id: int) -> str:
    """Show one call: drawn, and in words why each telephone rang or did not."""
    one = visible_call(call_id) or abort(404)
    return render_template(
        "calls/call.html",
        call=one,
        svg=drawing(one.record),
        legs=[(leg.member, leg_story(leg, one.record)) for leg in one.record.attempts],
        outcome_name=outcome_name,
    )


def visible_call(call_id: int) -> StoredCall | None:
    """Return the call with this id, if this user may see it."""
    hidden = panel().settings.mask_numbers
    found = find_calls(panel().engine, str(call_id), hidden=hidden, domain=domain())
    return next((one for one in found if one.id == call_id), None)


@pages.get("/calls.csv")
def as_csv() -> Response:
    """Send every call that the filters let through, for spreadsheets."""
    problem, chosen = _chosen()
    if problem or not chosen:
        return Response(problem, 422, mimetype="text/plain")
    response = Response(_csv(panel().engine, chosen), 200)
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers["Content-Disposition"] = 'attachment; filename="calls.csv"'
    return response


@pages.get("/stats")
def stats() -> str | tuple[str, int]:
    """Show how many calls were answered, how long callers waited, who answered, and when."""
    problem, chosen = _chosen()
    found = call_stats(panel().engine, chosen) if chosen else None
    page = render_template(
        "calls/stats.html",
        stats=found,
        by_hour=plots.by_hour(found.hours) if found else None,
        share_bar=plots.share_bar,
        outcome_name=outcome_name,
        problem=problem,
    )
    return (page, 422) if problem else page


def _chosen() -> tuple[str | None, CallFilter | None]:
    """Return what is wrong with the filters, or what they let through."""
    try:
        return None, chosen_calls(shown_domain())
    except WrongValue as error:
        return sentence(str(error)), None


def _csv(engine: Engine, chosen: CallFilter) -> Iterator[str]:
    """Yield the lines, some at a time. It asks nothing of the request, which is over by then."""
    line = io.StringIO()
    writer = csv.writer(line)
    writer.writerow(CSV_HEADS)
    rows = list_calls(engine, chosen, None)
    while batch := list(islice(rows, CSV_LINES)):
        writer.writerows(map(_cells, batch))
        yield line.getvalue()
        line.seek(0)
        line.truncate()
    yield line.getvalue()


def _cells(call: StoredCall) -> list[object]:
    record = call.record
    began = datetime.fromtimestamp(record.began).astimezone().isoformat(timespec="milliseconds")
    cells = [
        call.id, record.uuid, began, record.domain, record.group, record.number,
        record.caller_number, record.caller_name, record.outcome, record.cause,
        record.answered_by or "", record.wait_seconds, record.talk_seconds,
    ]  # fmt: skip
    return [f"'{one}" if isinstance(one, str) and one.startswith(_RISKY) else one for one in cells]
