"""Every route of the panel as requests, made from its map of addresses: none can be forgotten.

``requests_of`` fails for an argument or a changing route that it does not know: add here what a
browser or a program sends to a new route. Texts may name the objects that a request is about:
``{group}``, ``{user}``, ``{domain}``, ``{number}``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from flask import Flask

EVERYTHING = {"limit": "50", "first": "0", "page": "1", "shown": "50", "numbers": "0601"}
SEARCH = {
    "search": "{group}",
    "group": "{group}",
    "member": "{user}",
    "caller": "{number}",
    "domain": "{domain}",
    "numbers": "0601",
    "since": "2024-01-01",
}
"""What pages and the programs' interface read of a query."""


@dataclass(frozen=True)
class Call:
    """One request: ``form`` is sent by a browser, ``body`` (JSON or a text) by a program."""

    endpoint: str
    method: str
    path: str
    form: Mapping[str, str] = field(default_factory=dict)
    body: Any = None

    @property
    def is_api(self) -> bool:
        return self.path.startswith("/api/")

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


CONFIGURATION = {
    "wait": "20", "strategy": "delayed", "ring_time": "", "rounds": "1", "pickup": "members",
    "caller_name": "{{name}}", "caller_number": "{{number}}", "announce_every": "30",
    "missed_when": "all", "line_wait": "300", "line_retry": "10", "line_every": "30",
    "delay-a": "0", "ring_time-a": "", "weight-a": "1", "note-a": "", "signed_on-a": "on",
}  # fmt: skip
IMPORTED = "version: 1\ngroups:\n- name: {group}\n  domain: {domain}\n"

FORMS: dict[str, Mapping[str, str]] = {
    "groups.add": {"name": "New {group}", "description": "", "domain": "{domain}"},
    "groups.general": {"name": "Renamed {group}", "description": "changed"},
    "groups.copy": {"name": "Copied {group}"},
    "groups.switch": {"enabled": "0"},
    "groups.numbers": {"numbers": "0699"},
    "groups.remove": {},
    "members.configuration": {**CONFIGURATION, "row": "a", "user-a": "group:{group}"},
    "members.timeline": {**CONFIGURATION, "row": "a", "user-a": "{user}@{domain}"},
    "history.undo": {},
    "transfer.import_": {"carried": IMPORTED, "act": "import", "keep": "1"},
    "signin.set_password": {"old": "x", "new": "correct horse battery", "again": "other"},
    "signin.sign_in": {"name": "nobody", "password": "x"},
    "signin.choose_language": {"language": "en", "back": "/groups"},
    "signin.sign_out": {},
    "signin.sign_out_everywhere": {},
    "users.add": {"name": "eve", "new": "correct horse battery", "again": "correct horse battery"},
    "users.one": {"role": "viewer", "domain": "", "language": ""},
    "users.set_password": {"new": "correct horse battery", "again": "correct horse battery"},
    "users.sign_out": {},
    "users.tokens": {"label": "mine"},
    "users.remove": {},
}
"""What the forms send, by endpoint."""

BODIES: dict[tuple[str, str], Any] = {
    ("api.add_group", "POST"): {"name": "New {group}", "domain": "{domain}"},
    ("api.put_group", "PUT"): {"name": "Put {group}", "domain": "{domain}"},
    ("api.parts.set_group", "PATCH"): {"when_full": "group {group}"},
    ("api.remove_group", "DELETE"): None,
    ("api.parts.copy_group", "POST"): {"name": "Copied {group}"},
    ("api.parts.close_on_holidays", "POST"): {"year": 2030},
    ("api.parts.add_member", "POST"): {"user": "group:{group}"},
    ("api.parts.set_member", "PATCH"): {"note": "changed"},
    ("api.parts.remove_member", "DELETE"): None,
    ("api.parts.add_numbers", "POST"): {"numbers": ["0699"]},
    ("api.parts.remove_number", "DELETE"): None,
    ("api.parts.play", "POST"): {"busy": ["{user}"], "from": "{user}"},
    ("api.parts.import_", "POST"): IMPORTED,
    ("api.undo", "POST"): None,
    ("api.users.add_user", "POST"): {"name": "eve", "password": "correct horse battery"},
    ("api.users.set_user", "PATCH"): {"role": "viewer"},
    ("api.users.remove_user", "DELETE"): None,
    ("api.users.set_password", "PUT"): {"password": "correct horse battery"},
    ("api.users.sign_out", "DELETE"): None,
    ("api.users.add_token", "POST"): {"label": "mine"},
    ("api.users.remove_token", "DELETE"): None,
}
"""What programs send, by endpoint and method."""


def requests_of(
    app: Flask, named: Mapping[str, str], query: Mapping[str, str] = EVERYTHING
) -> Iterator[Call]:
    """Yield a request for each route and method, about the objects that are ``named``."""
    address = app.url_map.bind("localhost")
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: (rule.rule, rule.endpoint)):
        values = {name: named[name] for name in rule.arguments}
        path = address.build(rule.endpoint, values)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            if method == "GET":
                yield Call(rule.endpoint, method, f"{path}?{urlencode(_filled(query, named))}")
            elif path.startswith("/api/"):
                body = _filled(BODIES[rule.endpoint, method], named)
                yield Call(rule.endpoint, method, path, body=body)
            else:
                yield Call(rule.endpoint, method, path, form=_filled(FORMS[rule.endpoint], named))


def _filled(sent: Any, named: Mapping[str, str]) -> Any:
    if isinstance(sent, str):
        return sent.format_map(named)
    if isinstance(sent, dict):
        return {key: _filled(value, named) for key, value in sent.items()}
    return [_filled(value, named) for value in sent] if isinstance(sent, list) else sent
