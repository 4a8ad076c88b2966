"""Past calls: the list with its filters, one call drawn, statistics with plots, CSV."""

from flask import Blueprint, Response, abort, render_template

from fsctl.admin.call_file import COLUMNS, call_row
from fsctl.admin.errors import WrongValue
from fsctl.admin.spreadsheet import write_rows
from fsctl.store.call_queries import CallFilter, StoredCall, find_calls, list_calls
from fsctl.store.call_stats import call_stats
from fsctl.web import plots
from fsctl.web.arguments import asked_number
from fsctl.web.downloads import file_answer, for_people
from fsctl.web.filters import chosen_calls
from fsctl.web.languages import sentence
from fsctl.web.panel import domain, panel, shown_domain
from fsctl.web.story import OUTCOMES, drawing, leg_story, outcome_name

pages = Blueprint("calls", __name__)

SHOWN = 50
MOST_SHOWN = 1_000


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
    try:
        dialect = for_people()
    except WrongValue as error:
        return Response(sentence(str(error)), 422, mimetype="text/plain")
    calls = list_calls(panel().engine, chosen, None)
    return file_answer(write_rows(dialect, COLUMNS, map(call_row, calls)), "calls.csv")


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
