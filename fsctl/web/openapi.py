"""The description of ``/api/v1``: OpenAPI 3.1, with the settings of groups from their terms."""

from typing import Any

from fsctl import __version__
from fsctl.admin.kinds import Count, Line, Seconds, Switch
from fsctl.admin.terms import GROUP_TERMS, MEMBER_TERMS, Term, Terms
from fsctl.store.call_records import CallOutcome

Schema = dict[str, Any]

_ANYTHING: Schema = {"type": "object"}
_LARGEST_ID = 2_147_483_647


def document() -> Schema:
    """Return the description."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "fsctl", "version": __version__},
        "servers": [{"url": "/api/v1"}],
        "security": [{"token": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {
                "Member": _member(),
                "Group": _group(),
                "Error": {
                    "type": "object",
                    "required": ["error"],
                    "properties": {"error": {"type": "string"}},
                },
            },
        },
    }


def _term(term: Term) -> Schema:
    kind = term.kind
    found: Schema = {"type": "string"}
    if kind.choices:
        found = {"type": "string", "enum": list(kind.choices)}
    elif isinstance(kind, Seconds):
        bounds = {"minimum": kind.least_ms / 1000, "maximum": kind.most_ms / 1000}
        found = {"type": "number", "multipleOf": 0.001, **bounds}
    elif isinstance(kind, Count):
        found = {"type": "integer", "minimum": kind.least, "maximum": kind.most}
    elif isinstance(kind, Switch):
        found = {"type": "boolean"}
    elif isinstance(kind, Line):
        found = {"type": "string", "maxLength": kind.longest}
    if term.optional:
        found["type"] = [found["type"], "null"]
    return {**found, "description": term.help}


def _terms(terms: Terms) -> Schema:
    return {name: _term(term) for name, term in terms.items()}


def _member() -> Schema:
    kinds = "A name in FreeSWITCH's directory, a number with its +, or group:NAME."
    user = {"type": "string", "description": kinds}
    return {
        "type": "object",
        "required": ["user"],
        "properties": {"user": user, **_terms(MEMBER_TERMS)},
    }


def _group() -> Schema:
    return {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "minLength": 1, "maxLength": 64},
            "domain": {"type": "string", "maxLength": 253},
            **_terms(GROUP_TERMS),
            "numbers": {"type": "array", "items": {"type": "string"}},
            "members": {"type": "array", "items": {"$ref": "#/components/schemas/Member"}},
        },
    }


def _paths() -> Schema:
    group: Schema = {"$ref": "#/components/schemas/Group"}
    of_calls = [
        *(_query(name) for name in ("group", "member", "caller")),
        _query("outcome", {"type": "string", "enum": [one.value for one in CallOutcome]}),
        *(_query(name, {"type": "string", "format": "date"}) for name in ("since", "until")),
    ]
    limit = _query("limit", {"type": "integer", "minimum": 1, "maximum": 500})
    first = _query("first", {"type": "integer", "minimum": 0, "maximum": 10_000_000})
    return {
        "/groups": {
            "get": _operation("List groups", [_query("search"), first, limit], 422),
            "post": _operation("Add a group", [], 400, 403, 409, 422, body=group, done=201),
        },
        "/groups/{id}": {
            "get": _operation("Show a group", [_id()], 404),
            "put": _operation("Make a group be this", [_id()], 400, 403, 404, 409, 422, body=group),
            "delete": _operation("Remove a group", [_id()], 403, 404, 409, done=204),
        },
        "/calls": {"get": _operation("List past calls", [*of_calls, limit], 422)},
        "/calls/{id}": {"get": _operation("Show a past call", [_id()], 404)},
        "/stats": {"get": _operation("Count past calls", of_calls, 422)},
        "/live": {"get": _operation("List the calls that hunt right now", [])},
        "/history": {"get": _operation("List the newest changes", [limit], 422)},
        "/history/{id}/undo": {
            "post": _operation("Take the last change of a group back", [_id()], 403, 404, 409)
        },
    }


def _operation(
    summary: str,
    parameters: list[Schema],
    *errors: int,
    body: Schema | None = None,
    done: int = 200,
) -> Schema:
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    answers: Schema = {
        str(code): {"description": "not done", "content": error} for code in (401, 503, *errors)
    }
    answers[str(done)] = {"description": "done"}
    if done != 204:
        answers[str(done)]["content"] = {"application/json": {"schema": _ANYTHING}}
    found: Schema = {"summary": summary, "parameters": parameters, "responses": answers}
    if body is not None:
        content = {"application/json": {"schema": body}}
        found["requestBody"] = {"required": True, "content": content}
    return found


def _query(name: str, schema: Schema | None = None) -> Schema:
    return {"name": name, "in": "query", "schema": schema or {"type": "string"}}


def _id() -> Schema:
    schema = {"type": "integer", "minimum": 1, "maximum": _LARGEST_ID}
    return {"name": "id", "in": "path", "required": True, "schema": schema}
