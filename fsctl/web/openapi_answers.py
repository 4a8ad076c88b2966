"""What ``/api/v1`` answers, as schemas: made from the values that it answers with.

``ANSWERS`` has every operation that answers JSON. An answer has all of its parts and no others.
"""

from typing import Any

import msgspec

from fsctl.admin.kinds import Count, Seconds, Switch
from fsctl.admin.terms import GROUP_TERMS, MEMBER_TERMS, Term, Terms
from fsctl.store.audit import Entry
from fsctl.store.call_records import CallRecord
from fsctl.store.call_stats import CallStats
from fsctl.store.live import LiveHunt
from fsctl.store.web_users import User

Schema = dict[str, Any]

_VALUES = (CallRecord, CallStats, LiveHunt, Entry, User)
_TEXT: Schema = {"type": "string"}
_INTEGER: Schema = {"type": "integer"}
_NUMBER: Schema = {"type": "number"}
_FLAG: Schema = {"type": "boolean"}


def ref(name: str) -> Schema:
    """Return a reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def _whole(**properties: Schema) -> Schema:
    """Return an object with exactly these parts."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _or_null(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


def answer_schemas() -> Schema:
    """Return the schemas of what is answered, by name."""
    _refs, found = msgspec.json.schema_components(
        _VALUES, ref_template="#/components/schemas/{name}"
    )
    shown = {f"{name}Answer": _closed(schema) for name, schema in found.items()}
    record = shown.pop("CallRecordAnswer")["properties"]
    del record["group_as_it_was"]
    call = {"id": _INTEGER, **record}
    document = _group()
    return {
        **shown,
        "CallAnswer": _whole(**call),
        "OneCallAnswer": _whole(**call, not_rung=_list(_TEXT)),
        "GroupDocument": document,
        "GroupAnswer": _grown(document, id=_INTEGER, warnings=_list(_TEXT)),
        "StepAnswer": _step(),
        "PlayedAnswer": _grown(_step(), onward=_list(ref("StepAnswer")), missed_mail=_list(_TEXT)),
    }


def _closed(schema: Schema) -> Schema:
    """Return the schema of a value as an answer has it: whole, and of other answers."""
    text = msgspec.json.encode(schema).decode()
    for begin in ("Attempt", "Waiting", "MemberStats", "HourStats", "LiveLeg"):
        text = text.replace(f'schemas/{begin}"', f'schemas/{begin}Answer"')
    read: Schema = msgspec.json.decode(text)
    for part in read["properties"].values():
        part.pop("default", None)
    return _whole(**read["properties"])


def _grown(schema: Schema, **more: Schema) -> Schema:
    """Return an object with more parts than another has."""
    properties = {**schema["properties"], **more}
    return {**schema, "properties": properties, "required": [*schema["required"], *more]}


def _term(term: Term) -> Schema:
    kinds = ((Switch, "boolean"), (Count, "integer"), (Seconds, "number"))
    name = next((name for kind, name in kinds if isinstance(term.kind, kind)), "string")
    return {"type": [name, "null"] if term.optional else name, "description": term.help}


def _terms(terms: Terms) -> Schema:
    return {name: _term(term) for name, term in terms.items()}


def _group() -> Schema:
    member = _whole(user=_TEXT, **_terms(MEMBER_TERMS))
    parts = {"numbers": _list(_TEXT), "members": _list(member)}
    found = _whole(name=_TEXT, domain=_TEXT, **_terms(GROUP_TERMS), **parts)
    found["required"].remove("domain")  # only where there is one
    return found


def _step() -> Schema:
    leg = _whole(
        member=_TEXT,
        started=_NUMBER,
        ended=_or_null(_NUMBER),
        outcome=_or_null(_TEXT),
        cause=_or_null(_TEXT),
    )
    return _whole(
        group=_TEXT,
        legs=_list(leg),
        winner=_or_null(_TEXT),
        ended=_NUMBER,
        cause=_or_null(_TEXT),
        refused=_or_null(_TEXT),
        ending=_or_null(_TEXT),
        stands=_FLAG,
        in_line=_or_null(_NUMBER),
        tries=_INTEGER,
    )


_GROUP = ref("GroupAnswer")
_CHANGE = _whole(name=_TEXT, domain=_TEXT, change=_TEXT, lines=_list(_TEXT))
_SWITCH_USER = _whole(user=_TEXT, domain=_TEXT, caller_name=_TEXT, state=_TEXT)

ANSWERS: dict[str, Schema] = {
    "get /groups": _whole(groups=_list(_GROUP), total=_INTEGER),
    "post /groups": _GROUP,
    "get /groups/{id}": _GROUP,
    "put /groups/{id}": _GROUP,
    "patch /groups/{id}": _GROUP,
    "post /groups/{id}/copy": _GROUP,
    "post /groups/{id}/holidays": _GROUP,
    "post /groups/{id}/members": _GROUP,
    "patch /groups/{id}/members/{user}": _GROUP,
    "post /groups/{id}/numbers": _GROUP,
    "post /groups/{id}/simulation": ref("PlayedAnswer"),
    "get /calls": _whole(calls=_list(ref("CallAnswer"))),
    "get /calls/{id}": ref("OneCallAnswer"),
    "get /stats": ref("CallStatsAnswer"),
    "get /live": _whole(calls=_list(ref("LiveHuntAnswer")), controllers=_list(_TEXT)),
    "get /history": _whole(changes=_list(ref("EntryAnswer"))),
    "post /history/{id}/undo": ref("GroupDocument"),
    "post /import": _whole(changes=_list(_CHANGE), done=_FLAG),
    "get /telephones": _whole(users=_list(_SWITCH_USER), silent=_list(_TEXT)),
    "get /users": _whole(users=_list(ref("UserAnswer"))),
    "post /users": ref("UserAnswer"),
    "get /users/{id}": ref("UserAnswer"),
    "patch /users/{id}": ref("UserAnswer"),
    "delete /users/{id}/sessions": _whole(ended=_INTEGER),
    "get /users/{id}/tokens": _whole(tokens=_list(_TEXT)),
    "post /users/{id}/tokens": _whole(label=_TEXT, token=_TEXT),
}
"""By method and path."""
