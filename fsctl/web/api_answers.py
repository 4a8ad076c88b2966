"""How the panel answers programs, and how it reads what they send."""

from typing import Any

import orjson
from flask import Response, request
from werkzeug.exceptions import BadRequest

from fsctl.admin.advice import warnings_about
from fsctl.admin.documents import document_of
from fsctl.admin.errors import WrongValue
from fsctl.admin.kinds import Given
from fsctl.admin.terms import Terms
from fsctl.admin.versions import fingerprint
from fsctl.hunt.group import Group
from fsctl.web.arguments import whole_number


def answer(value: object, status: int = 200) -> Response:
    """Return a JSON answer."""
    return Response(orjson.dumps(value), status, mimetype="application/json")


def problem(status: int, text: str) -> Response:
    """Return why something was not done."""
    return answer({"error": text}, status)


def done() -> Response:
    """Return that something is done of which there is nothing to tell."""
    return Response(status=204)


def seen() -> str | None:
    """Return the version that a change was made from (``If-Match``); None for any version."""
    tags = request.if_match
    if not tags or tags.star_tag:
        return None
    return next(iter(tags.as_set()), "")


def whole_group(group_id: int, group: Group, status: int = 200) -> Response:
    """Answer with a group and its version (``ETag``), which ``If-Match`` brings back."""
    found = answer(group_answer(group_id, group), status)
    found.set_etag(fingerprint(group))
    return found


def group_answer(group_id: int, group: Group) -> dict[str, Any]:
    """Return a group as programs see it."""
    return {"id": group_id, **document_of(group), "warnings": warnings_about(group)}


def body() -> dict[str, Any]:
    """Return the document that was sent."""
    try:
        read = orjson.loads(request.get_data())
    except orjson.JSONDecodeError:
        raise BadRequest("the body is not JSON") from None
    if request.mimetype != "application/json" or not isinstance(read, dict):
        raise BadRequest("send an object as application/json")
    return read


def number(name: str, default: int, most: int, least: int = 0) -> int:
    """Return a number of the query."""
    found = whole_number(request.args.get(name, str(default)), least, most)
    if found is None:
        raise WrongValue(f"{name} is {least} to {most}")
    return found


def text(sent: dict[str, Any], name: str, default: str | None = None) -> str:
    """Return a text of a document; without a default it must be there."""
    value = sent.get(name, default)
    if not isinstance(value, str):
        raise WrongValue(f"{name} is a text")
    return value


def texts(sent: dict[str, Any], name: str) -> list[str]:
    """Return a list of texts of a document; nothing when it is not there."""
    value = sent.get(name, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise WrongValue(f"{name} is a list of texts")
    return value


def given(sent: dict[str, Any], terms: Terms, *others: str) -> dict[str, Given]:
    """Return what a document gives of settings, beside these other names; null is the default."""
    found: dict[str, Given] = {}
    for name, value in sent.items():
        if name in others:
            continue
        if name not in terms:
            raise WrongValue(f"there is no setting {name[:64]!a}")
        if not isinstance(value, str | int | float | bool | None):
            raise WrongValue(f"{name} is one value")
        found[name] = "" if value is None else value
    return found
