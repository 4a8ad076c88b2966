"""Every route of the panel as requests, made from its map of addresses: none can be forgotten.

``requests_of`` fails for an argument or a changing route that it does not know, so whoever adds
such a route says here what a browser or a program sends to it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Flask

QUERY = "search=&group=&member=&since=&until=&numbers=0601&limit=50&first=0&page=1&shown=50"
"""What pages and the programs' interface read of a query, at its most ordinary."""


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


FORMS: dict[str, Mapping[str, str]] = {
    "groups.add": {"name": "New", "description": ""},
    "groups.general": {"name": "Renamed", "description": "changed"},
    "groups.copy": {"name": "Copied"},
    "groups.switch": {"enabled": "0"},
    "groups.numbers": {"numbers": "0699"},
    "groups.remove": {},
    "members.configuration": {"wait": "20", "row": "a", "user-a": "test001"},
    "members.timeline": {"wait": "20", "row": "a", "user-a": "test001"},
    "history.undo": {},
    "transfer.import_": {"carried": "version: 1\ngroups: []\n", "act": "look", "keep": "1"},
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
    ("api.add_group", "POST"): {"name": "New"},
    ("api.put_group", "PUT"): {"name": "Put"},
    ("api.parts.set_group", "PATCH"): {"description": "changed"},
    ("api.remove_group", "DELETE"): None,
    ("api.parts.copy_group", "POST"): {"name": "Copied"},
    ("api.parts.close_on_holidays", "POST"): {"year": 2030},
    ("api.parts.add_member", "POST"): {"user": "test009"},
    ("api.parts.set_member", "PATCH"): {"note": "changed"},
    ("api.parts.remove_member", "DELETE"): None,
    ("api.parts.add_numbers", "POST"): {"numbers": ["0699"]},
    ("api.parts.remove_number", "DELETE"): None,
    ("api.parts.play", "POST"): {},
    ("api.parts.import_", "POST"): "version: 1\ngroups: []\n",
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


def requests_of(app: Flask, arguments: Mapping[str, object], query: str = QUERY) -> Iterator[Call]:
    """Yield a request for each route and method, about the objects that ``arguments`` name."""
    address = app.url_map.bind("localhost")
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: (rule.rule, rule.endpoint)):
        values = {name: arguments[name] for name in rule.arguments}
        path = address.build(rule.endpoint, values)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            if method == "GET":
                yield Call(rule.endpoint, method, f"{path}?{query}")
            elif path.startswith("/api/"):
                body = BODIES[rule.endpoint, method]
                yield Call(rule.endpoint, method, path, body=body)
            else:
                yield Call(rule.endpoint, method, path, form=FORMS[rule.endpoint])
