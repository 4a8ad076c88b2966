"""The description of ``/api/v1``: OpenAPI 3.1, with the settings of groups from their terms."""

from fsctl import __version__
from fsctl.admin.kinds import Count, Line, Seconds, Switch
from fsctl.admin.spreadsheet import SEPARATORS
from fsctl.admin.terms import GROUP_TERMS, MEMBER_TERMS, Term, Terms
from fsctl.catalogs import LANGUAGES
from fsctl.store.call_records import CallOutcome
from fsctl.store.web_tables import ROLES
from fsctl.web.openapi_answers import ANSWERS, Schema, answer_schemas, ref

_SOME_TEXT: Schema = {"type": "string", "minLength": 1}
_NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 64}
_CHANGING = (400, 403, 404, 409, 422)
_LARGEST_ID = 2_147_483_647


def document(prefix: str = "") -> Schema:
    """Return the description; with a prefix, of a panel that a proxy has below that path."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "fsctl", "version": __version__},
        "servers": [{"url": f"{prefix}/api/v1"}],
        "security": [{"token": []}],
        "paths": _answered({**_paths(), **_parts(), **_everything(), **_users()}),
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {
                "Member": _member(),
                "Group": _group(),
                "User": _user(),
                **answer_schemas(),
                "Error": {
                    "type": "object",
                    "required": ["error"],
                    "properties": {"error": {"type": "string"}},
                },
            },
        },
    }


def _answered(paths: Schema) -> Schema:
    """Add to each operation what it answers when it is done."""
    for path, operations in paths.items():
        for method, operation in operations.items():
            done = next(found for code, found in operation["responses"].items() if code[0] == "2")
            if "content" in done and "application/json" in done["content"]:
                done["content"]["application/json"]["schema"] = ANSWERS[f"{method} {path}"]
    return paths


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
            "members": {"type": "array", "items": ref("Member")},
        },
    }


def _paths() -> Schema:
    group: Schema = ref("Group")
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
            "put": _operation(
                "Make a group be this", [_id(), _version()], *_CHANGING, 412, body=group
            ),
            "patch": _operation(
                "Change what is given of a group",
                [_id()],
                *_CHANGING,
                body=_object({"name": _NAME, **_terms(GROUP_TERMS)}),
            ),
            "delete": _operation(
                "Remove a group", [_id(), _version()], 403, 404, 409, 412, done=204
            ),
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


def _parts() -> Schema:
    user, number = _in_path("user", _SOME_TEXT), _in_path("number", _SOME_TEXT)
    called = {"type": "array", "items": {"type": "string"}, "minItems": 1}
    member: Schema = ref("Member")
    country = {"type": "string", "description": "PL, or a part of a country: GB-ENG"}
    year = _object({"year": {"type": "integer"}, "country": country}, "year")

    def change(summary: str, body: Schema, *more: Schema, done: int = 200) -> Schema:
        return _operation(summary, [_id(), *more], *_CHANGING, body=body, done=done)

    def removal(summary: str, which: Schema) -> Schema:
        return _operation(summary, [_id(), which], 403, 404, 409, 422, done=204)

    return {
        "/groups/{id}/copy": {
            "post": change("Copy a group", _object({"name": _NAME}, "name"), done=201)
        },
        "/groups/{id}/holidays": {"post": change("Close a group on public holidays", year)},
        "/groups/{id}/members": {"post": change("Add a member", member, done=201)},
        "/groups/{id}/members/{user}": {
            "patch": change("Change what is given", _object(_terms(MEMBER_TERMS)), user),
            "delete": removal("Take a member away", user),
        },
        "/groups/{id}/numbers": {
            "post": change("Add numbers", _object({"numbers": called}, "numbers"), done=201)
        },
        "/groups/{id}/numbers/{number}": {"delete": removal("Take a number away", number)},
        "/groups/{id}/simulation": {"post": change("Tell how a call would go", _simulation())},
    }


def _simulation() -> Schema:
    seconds = {"type": "number", "minimum": 0, "maximum": 3600, "multipleOf": 0.001}
    users = {"type": "array", "items": {"type": "string"}}
    text = {"type": ["string", "null"]}
    return _object(
        {
            "answers": {"type": "object", "additionalProperties": seconds},
            "busy": users,
            "busy_until": {"type": "object", "additionalProperties": seconds},
            "offline": users,
            "hang_up": {**seconds, "type": ["number", "null"]},
            "from": {**text, "description": "This user calls."},
            "seed": {"type": "integer", "minimum": 0, "maximum": 2**63 - 1},
            "at": {**text, "description": "A moment of the group's time zone."},
        }
    )


def _everything() -> Schema:
    found: Schema = {}
    flag = {"type": "string", "enum": ["0", "1"]}
    separator = {"type": "string", "enum": list(SEPARATORS)}
    for form in ("yaml", "csv"):
        written = [_query("separator", separator), _query("bom", flag)] if form == "csv" else []
        problems = (422,) if written else ()
        export = _operation(f"Every group, as {form.upper()}", written, *problems)
        export["responses"]["200"]["content"] = {f"text/{form}": {}}
        found[f"/export.{form}"] = {"get": export}
    asked = [_query("keep", flag), _query("dry", flag)]
    imported = _operation("Make the groups be those of a file", asked, 403, 409, 422)
    file = {f"text/{form}": {"schema": {"type": "string"}} for form in ("yaml", "csv")}
    imported["requestBody"] = {"required": True, "content": file}
    imported["description"] = "keep: leave the groups that it does not have; dry: only tell."
    telephones = _operation("Whom the switches know, and who is free", [])
    return {**found, "/import": {"post": imported}, "/telephones": {"get": telephones}}


def _users() -> Schema:
    terms: Schema = _user()["properties"]
    password = {"password": {"type": "string", "minLength": 10, "maxLength": 256}}
    needed = "Needed for the token's own user."
    current = {"current_password": {"type": "string", "maxLength": 256, "description": needed}}
    label = {"type": "string", "minLength": 1, "maxLength": 64}
    new = _object({**terms, **password}, "name", "password")
    changes = _object({key: terms[key] for key in ("role", "domain", "language")})
    token = _object({"label": label}, "label")
    one, gone = [_id()], (403, 404, 409)
    return {
        "/users": {
            "get": _operation("List who may sign in", [], 403),
            "post": _operation("Let somebody sign in", [], 400, 403, 409, 422, body=new, done=201),
        },
        "/users/{id}": {
            "get": _operation("Show a user", one, 403, 404),
            "patch": _operation("Change a user", one, *_CHANGING, body=changes),
            "delete": _operation("Remove a user", one, *gone, done=204),
        },
        "/users/{id}/password": {
            "put": _operation(
                "Set a new password, which ends sessions and tokens",
                one,
                *_CHANGING,
                429,
                body=_object({**password, **current}, "password"),
                done=204,
            )
        },
        "/users/{id}/sessions": {"delete": _operation("End every session of a user", one, *gone)},
        "/users/{id}/tokens": {
            "get": _operation("List the labels of tokens", one, *gone),
            "post": _operation("Make a token, told once", one, *_CHANGING, body=token, done=201),
        },
        "/users/{id}/tokens/{label}": {
            "delete": _operation(
                "Take a token back", [*one, _in_path("label", label)], *gone, done=204
            )
        },
    }


def _user() -> Schema:
    return _object(
        {
            "name": _NAME,
            "role": {"type": "string", "enum": list(ROLES)},
            "domain": {"type": "string", "maxLength": 253},
            "language": {"type": "string", "enum": ["", *LANGUAGES]},
        },
        "name",
    )


def _object(properties: Schema, *required: str) -> Schema:
    return {"type": "object", "properties": properties, "required": list(required)}


def _operation(
    summary: str,
    parameters: list[Schema],
    *errors: int,
    body: Schema | None = None,
    done: int = 200,
) -> Schema:
    error = {"application/json": {"schema": ref("Error")}}
    answers: Schema = {
        str(code): {"description": "not done", "content": error} for code in (401, 503, *errors)
    }
    answers[str(done)] = {"description": "done"}
    if done != 204:
        answers[str(done)]["content"] = {"application/json": {}}
    found: Schema = {"summary": summary, "parameters": parameters, "responses": answers}
    if body is not None:
        content = {"application/json": {"schema": body}}
        found["requestBody"] = {"required": True, "content": content}
    return found


def _query(name: str, schema: Schema | None = None) -> Schema:
    return {"name": name, "in": "query", "schema": schema or {"type": "string"}}


def _id() -> Schema:
    return _in_path("id", {"type": "integer", "minimum": 1, "maximum": _LARGEST_ID})


def _version() -> Schema:
    text = "The ETag of the group as it was read: if it has changed since, the answer is 412."
    return {"name": "If-Match", "in": "header", "schema": {"type": "string"}, "description": text}


def _in_path(name: str, schema: Schema) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": schema}
