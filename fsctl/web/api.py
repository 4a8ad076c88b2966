"""The panel for programs: JSON under ``/api/v1``, signed in with a token.

The same functions, roles and domains as the pages; documents are those of files and the audit log,
with the ids of groups. What each path takes and returns is in ``/api/v1/openapi.json``, made by
``openapi``.
"""

from typing import Any

import msgspec
from flask import Blueprint, Response, current_app, g, request
from werkzeug.exceptions import HTTPException

from fsctl.admin import groups as admin
from fsctl.admin import whole
from fsctl.admin.audit import has_change, list_changes
from fsctl.admin.documents import document_of
from fsctl.admin.errors import AdminError, WrongValue
from fsctl.admin.users import user_with_token
from fsctl.admin.versions import Conflict
from fsctl.store.call_queries import StoredCall, list_calls
from fsctl.store.call_stats import call_stats
from fsctl.store.engine import reading
from fsctl.store.errors import NoRoom, StoreError
from fsctl.store.live import read_live
from fsctl.store.web_groups import find_page
from fsctl.store.web_users import User
from fsctl.web import api_parts, api_users
from fsctl.web.api_answers import (
    answer,
    body,
    done,
    group_answer,
    number,
    problem,
    seen,
    whole_group,
)
from fsctl.web.calls import visible_call
from fsctl.web.filters import chosen_calls
from fsctl.web.openapi import document as openapi_document
from fsctl.web.panel import domain, engine, explain, id_of, panel, visible_group

pages = Blueprint("api", __name__, url_prefix="/api/v1")
pages.register_blueprint(api_parts.pages)
pages.register_blueprint(api_users.pages)

MOST = 500
FIRST = 50


@pages.errorhandler(AdminError)
def _refused(error: AdminError) -> Response:
    if isinstance(error, Conflict):
        return problem(412, explain(error))
    return problem(422 if isinstance(error, WrongValue) else 409, explain(error))


@pages.errorhandler(StoreError)
def _unavailable(error: StoreError) -> Response:
    current_app.logger.error("%s", error)
    if isinstance(error, NoRoom):
        return problem(503, "the database's disk is full, so nothing was changed")
    return problem(503, "the database does not answer")


@pages.errorhandler(HTTPException)
def _http(error: HTTPException) -> Response:
    return problem(error.code or 500, error.description or error.name)


@pages.get("/openapi.json")
def openapi() -> Response:
    """Describe all of this."""
    return answer(openapi_document(request.script_root))


@pages.get("/groups")
def list_groups() -> Response:
    """List the groups that hold what is looked for."""
    search = request.args.get("search", "")[:100].replace("\0", "")
    first, limit = number("first", 0, 10_000_000), number("limit", FIRST, MOST, least=1)
    with reading(panel().engine, at_one_moment=True) as session:
        found = find_page(session, search, domain(), first, limit)
    return answer({"groups": [group_answer(*one) for one in found.groups], "total": found.total})


@pages.post("/groups")
def add_group() -> Response:
    """Add a group, as a document says."""
    sent = body()
    if domain():
        sent["domain"] = domain()
    group = whole.put_group(engine(), sent, region=panel().settings.region).group
    return answer(group_answer(id_of(group), group), 201)


@pages.get("/groups/<int:group_id>")
def get_group(group_id: int) -> Response:
    """Return a group."""
    return whole_group(group_id, visible_group(group_id))


@pages.put("/groups/<int:group_id>")
def put_group(group_id: int) -> Response:
    """Make a group be what a document says; what it does not say has its default."""
    before = visible_group(group_id)
    sent = {**body(), "domain": before.domain}
    region = panel().settings.region
    change = whole.put_group(engine(), sent, before.name, region=region, seen=seen())
    return whole_group(group_id, change.group)


@pages.delete("/groups/<int:group_id>")
def remove_group(group_id: int) -> Response:
    """Remove a group."""
    group = visible_group(group_id)
    admin.remove_group(engine(), group.name, domain=group.domain, seen=seen())
    return done()


@pages.get("/calls")
def calls() -> Response:
    """List the latest calls that the filters let through."""
    chosen = chosen_calls(domain())
    found = list_calls(panel().engine, chosen, number("limit", FIRST, MOST, least=1))
    return answer({"calls": [{"id": one.id, **_record(one)} for one in found]})


@pages.get("/calls/<int:call_id>")
def call(call_id: int) -> Response:
    """Return one call."""
    one = visible_call(call_id)
    if one is None:
        return problem(404, "there is no such call")
    return answer({"id": one.id, **_record(one), "not_rung": one.not_rung})


@pages.get("/stats")
def stats() -> Response:
    """Count the calls that the filters let through."""
    return answer(call_stats(panel().engine, chosen_calls(domain())))


@pages.get("/live")
def live() -> Response:
    """List the calls that hunt right now."""
    with reading(panel().engine) as session:
        hunts, controllers = read_live(
            session,
            domain(),
            round(panel().now() * 1000),
            hidden=panel().settings.mask_numbers,
        )
    return answer({"calls": hunts, "controllers": controllers})


@pages.get("/history")
def history() -> Response:
    """List the newest changes of groups."""
    entries = list_changes(
        panel().engine, domain=domain(), limit=number("limit", FIRST, MOST, least=1)
    )
    return answer({"changes": entries})


@pages.post("/history/<int:entry_id>/undo")
def undo(entry_id: int) -> Response:
    """Take the last change of a group back."""
    if not has_change(panel().engine, entry_id, domain=domain()):
        return problem(404, "there is no such change")
    group = whole.undo(engine(), entry_id, domain=domain()).group
    return answer(document_of(group))


def _record(call: StoredCall) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(call.record)
    found.pop("group_as_it_was", None)
    return found


def user_of_token() -> User | None:
    """Return who sent a token with this request; None for nobody."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    g.secret = None
    return user_with_token(panel().engine, token) if kind.lower() == "bearer" else None
