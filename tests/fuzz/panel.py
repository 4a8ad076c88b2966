"""Every page of the panel, asked with hostile values in every parameter that it reads.

    python -m tests.fuzz.panel [--rounds 500] [--seed 1]

The pages are those of the application's own map, and the parameters are seen as the pages read
them, so a new page and a new parameter are walked too. In each round every parameter has another
value of ``VALUES``. A finding is an exception, a status of 500 or more, or a browser that is sent
elsewhere.
``tests/web/test_every_page.py`` walks a few rounds of it with every test run.
"""

import argparse
import random
import re
import sys
import tempfile
import traceback
from collections import defaultdict
from typing import Any
from urllib.parse import quote, quote_from_bytes, urljoin, urlsplit

from flask import Request, has_request_context, request
from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from fsctl.admin import passwords, users
from fsctl.admin.example import add_example
from fsctl.admin.groups import add_group
from fsctl.settings import Settings
from fsctl.store.call_records import Version, cleaned
from fsctl.store.call_writing import write_calls
from fsctl.store.engine import make_engine, reading
from fsctl.store.migrate import upgrade
from fsctl.store.web_groups import id_of_group
from fsctl.web.app import create_app
from fsctl.web.openapi import document
from tests.records.samples import ANSWERED

PASSWORD = "correct horse battery"  # noqa: S105
HOST = "http://localhost"
VALUES: tuple[str | bytes, ...] = (
    "", " ", "0", "1", "-1", "00000001", "9" * 9, "9" * 20, "9" * 30, "9" * 5000, "0" * 30 + "7",
    "0000000019999999", "1e9", "1_0", "0x10", "٣٣", "²", "NaN", "Infinity", "-0.0", "1,5", "true",
    "none", "x", "x" * 70_000, "\0", "a\0b", "\r\nSet-Cookie: a=b", "\t", "\x1b[2J", "\x85",
    "\u2028", b"\xff\xfe", b"\xed\xa0\x80", "\u202eabc", "\N{ZERO WIDTH SPACE}", "e\u0301",
    "\ufb03" * 60, "\U0001f600" * 40, "<script>alert(1)</script>", "'\"--;", "%s%(x)s%",
    "{0}{name}{",
    "{{7*7}}", "../../../etc/passwd", "\\", "//evil.example/x", "/\t/evil.example/x",
    "/%09/evil.example",
    "/\\evil.example", "https://evil.example", "http://[", "/groups?x=\r\n", "javascript:1",
    "0001-01-01", "9999-12-31", "9999-12-31 23:59", "2026-02-30", "2026-10-25 2:30", "24:00",
    "America/Los_Angeles", "../etc/localtime", "+48587624731", "+" + "9" * 40, "group:sales",
    "group:", "test002@", "extension 600 ${x}", "play " + "a" * 400, "release NO_SUCH_CAUSE",
    "mon-fri 8:00-16:00", "mon 23:59-0:00", "a@example.org,b@", "answered", "add-1", "remove-²",
    "up-" + "9" * 30, "=1+1",
)  # fmt: skip
BESIDE = ("endpoint", "_method", "_anchor", "_external", "_scheme", "values", "self")
"""Names that no page reads, and that a careless one passes on to a function of its own."""
BASE = {"row": "0", "user-0": "test002", "act": "save", "name": "sales", "new": PASSWORD,
        "again": PASSWORD, "old": PASSWORD, "numbers": "600", "label": "x", "role": "viewer",
        "carried": "version: 1\ngroups: []\n", "keep": "1"}  # fmt: skip
JSON_VALUES: tuple[Any, ...] = (
    *(value for value in VALUES if isinstance(value, str)),
    None, True, 0, -1, 2**31, 2**53, 2**63 - 1, 2**64 - 1, 10**30, 0.1, -0.0, 1e308, 1e-320, 30,
    [], ["600"], ["x"] * 600, [[]], [None], {}, {"test002": 1}, {"test002": "9" * 30}, {"": {}},
    [{"user": "test002"}], [{"user": "group:sales"}], [{}], [{"user": 1, "delay": "x"}],
)  # fmt: skip
JSON_BASE = {"name": "sales", "user": "test002", "numbers": ["0699"], "year": 2027, "label": "x",
             "password": PASSWORD, "current_password": PASSWORD, "role": "viewer"}  # fmt: skip
HEADERS = ("Host", "Accept", "Accept-Language", "Referer", "Origin", "Sec-Fetch-Site", "Range",
           "X-CSRF-Token", "Content-Type", "X-Forwarded-For", "X-Forwarded-Proto", "If-None-Match",
           "X-Forwarded-Prefix", "Authorization", "User-Agent")  # fmt: skip
HEADER_VALUES = ("", "\xff\xfe", "a" * 500, "..", "a b", "[", "[::1", "evil.example", "*;q=-1",
                 "localhost:999999", "en;q=nan,pl;q=1e999", "pl-" * 300, "bytes=0-", 'W/"x',
                 "; = ,", "multipart/form-data; boundary=", "application/json; charset=bogus",
                 "Bearer \xff")  # fmt: skip
ENDS = frozenset({"signin.sign_out", "signin.sign_out_everywhere", "live.events"})
"""Nothing to walk: they end the walker's session, or never end."""
_TOKEN = re.compile(r'name="csrf" content="(\w+)"')
_READ: dict[str, set[str]] = defaultdict(set)


class _Watched(ImmutableMultiDict[str, str]):
    """Parameters that remember which of them a page has read."""

    def _note(self, name: str) -> None:
        if has_request_context() and request.endpoint:
            _READ[request.endpoint].add(name)

    def get(self, key: str, *args: Any, **more: Any) -> Any:
        self._note(key)
        return super().get(key, *args, **more)

    def getlist(self, key: str, *args: Any, **more: Any) -> Any:
        self._note(key)
        return super().getlist(key, *args, **more)

    def __contains__(self, key: object) -> bool:
        self._note(str(key))
        return super().__contains__(key)

    def __getitem__(self, key: str) -> str:
        self._note(key)
        return super().__getitem__(key)


class _WatchedRequest(Request):
    parameter_storage_class = _Watched


class Walker:
    """Somebody who is signed in, and the same as a program, and asks for everything."""

    def __init__(self, engine: Engine, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._engine = engine
        write_calls(engine, [Version(1, cleaned(ANSWERED))])
        self.app = create_app(engine, Settings())
        self.app.request_class = _WatchedRequest
        self.app.config["PROPAGATE_EXCEPTIONS"] = True
        self._token = users.add_token(engine, "anna", "walker")
        self.asked = 0
        self.findings: list[str] = []
        self._group = "1"
        self._client, self._csrf = self._signed_in()

    def _signed_in(self) -> tuple[FlaskClient, str]:
        client = self.app.test_client()
        token = _TOKEN.search(client.get("/sign-in").text)
        assert token is not None
        form = {"name": "anna", "password": PASSWORD, "csrf": token[1]}
        assert client.post("/sign-in", data=form).status_code == 302
        token = _TOKEN.search(client.get("/account").text)
        assert token is not None
        return client, token[1]

    @property
    def targets(self) -> list[tuple[Rule, str]]:
        """Every page with each method that it takes."""
        return [
            (rule, method)
            for rule in self.app.url_map.iter_rules()
            if rule.endpoint not in ENDS
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        ]

    def learn(self) -> None:
        """Ask for everything as a browser would, to see what it reads."""
        for rule, method in self.targets:
            self.ask(rule, method, dict(BASE), {})

    def round(self) -> None:
        """Ask for everything with other values."""
        for rule, method in self.targets:
            names = sorted(_READ[rule.endpoint] | set(BASE) & _READ[rule.endpoint] | set(BESIDE))
            hostile = self._random.sample(names, self._random.choice((1, 2, len(names))))
            given = {name: BASE.get(name, "") for name in names if name in BASE}
            given |= {name: self._random.choice(VALUES) for name in hostile}
            paths = {name: self._random.choice(VALUES) for name in rule.arguments}
            self.ask(rule, method, given, paths, self._headers())

        for path, method, schema in self.operations:
            self.order(path, method, schema)

    @property
    def operations(self) -> list[tuple[str, str, dict[str, Any]]]:
        """What programs send documents to, with what these may say."""
        found = []
        for path, operations in document()["paths"].items():
            for method, operation in operations.items():
                content = operation.get("requestBody", {}).get("content", {})
                if "application/json" in content:
                    schema = content["application/json"]["schema"]
                    name = schema.get("$ref", "").rpartition("/")[2]
                    schema = document()["components"]["schemas"].get(name, schema)
                    found.append((path, method, schema["properties"]))
        return found

    def order(self, path: str, method: str, terms: dict[str, Any]) -> None:
        """Send a document in which some terms have hostile values."""
        self.asked += 1
        usual = {"{id}": self._group, "{user}": "test002"}
        for name, value in usual.items():
            path = path.replace(name, value)
        sent = {name: JSON_BASE[name] for name in terms if name in JSON_BASE}
        for name in self._random.sample(
            sorted(terms), min(len(terms), self._random.choice((1, 4)))
        ):
            sent[name] = self._random.choice(JSON_VALUES)
        try:
            answer = self._client.open(
                f"/api/v1{path}",
                method=method.upper(),
                json=sent,
                headers={"Authorization": f"Bearer {self._token}"},
            )
        except Exception:
            self._find(f"{method} {path}", sent, traceback.format_exc())
        else:
            self._look(answer, f"{method} {path}", sent)
            self._restore(answer)

    def ask(
        self,
        rule: Rule,
        method: str,
        given: dict[str, Any],
        paths: dict[str, str | bytes],
        more: dict[str, str] | None = None,
    ) -> None:
        """Ask for one page; ``paths`` are arguments of its path, ``more`` are headers."""
        self.asked += 1
        path = self._path(rule, paths)
        encoded = "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in given.items())
        headers = {"Accept": "text/html", "Referer": f"{HOST}/{_quoted(given.get('back', ''))}"}
        if path.startswith("/api/"):
            headers = {"Authorization": f"Bearer {self._token}"}
        body = None
        if method != "GET":
            body = f"csrf={self._csrf}&{encoded}"
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        headers |= more or {}
        try:
            answer = self._client.open(
                f"{path}?{encoded[:60_000]}", method=method, data=body, headers=headers
            )
            _ = answer.data
        except Exception:
            self._find(f"{method} {path[:200]}", given, traceback.format_exc())
        else:
            self._look(answer, f"{method} {path[:200]}", given)
            self._restore(answer)

    def _headers(self) -> dict[str, str]:
        """Return, for a request in five, one hostile header."""
        if self._random.random() > 0.2:
            return {}
        return {self._random.choice(HEADERS): self._random.choice(HEADER_VALUES)}

    def _look(self, answer: TestResponse, what: str, given: dict[str, Any]) -> None:
        if answer.status_code >= 500:
            self._find(what, given, answer.status)
        for sent in (answer.headers.get("Location"), answer.location):
            if sent and urlsplit(landing(sent)).netloc != "localhost":
                self._find(what, given, f"sent to {sent!r}")

    def _find(self, what: str, given: dict[str, Any], why: str) -> None:
        self.findings.append(f"{what}\n{given!r:.2000}\n{why}")

    def _path(self, rule: Rule, values: dict[str, str | bytes]) -> str:
        path = rule.rule
        for name in rule.arguments:
            usual = {"form": "csv", "group_id": self._group}
            value: str | bytes = usual.get(name, "1")
            if name in values and self._random.random() < 0.3:
                value = values[name]
            path = re.sub(rf"<(?:[^<>]*:)?{name}>", lambda _, v=value: _quoted(v), path)
        return path

    def _restore(self, answer: TestResponse) -> None:
        """Sign in again after what ends sessions, and add the group again after what removes it."""
        if answer.status_code == 401 or (answer.location or "").startswith("/sign-in"):
            users.set_password(self._engine, "anna", PASSWORD)
            self._token = users.add_token(self._engine, "anna", f"walker {self.asked}")
            self._client, self._csrf = self._signed_in()
        with reading(self._engine) as session:
            found = id_of_group(session, "sales", "")
        if found is None:
            add_group(self._engine, "sales")
            with reading(self._engine) as session:
                found = id_of_group(session, "sales", "")
        self._group = str(found)


def landing(location: str, page: str = f"{HOST}/a/b") -> str:
    """Return where a browser goes that is sent to a location, as WHATWG's URL standard says."""
    location = re.sub(r"[\t\n\r]", "", location.strip("".join(map(chr, range(33)))))
    return urljoin(page, location.replace("\\", "/"))


def _quoted(value: str | bytes) -> str:
    if isinstance(value, bytes):
        return quote_from_bytes(value, safe="")
    return quote(value, safe="", errors="surrogatepass")


def cheap_passwords() -> None:
    """Have Argon2 take no time: nobody guesses here."""
    passwords._hasher = passwords.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    passwords._nobodys.cache_clear()


def main() -> int:
    """Walk, and print what is found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    cheap_passwords()
    with tempfile.TemporaryDirectory() as place:
        url = f"sqlite:///{place}/fsctl.db"
        upgrade(url)
        engine = make_engine(url)
        add_example(engine)
        users.add_user(engine, "anna", PASSWORD)
        walker = Walker(engine, given.seed)
        walker.learn()
        for _ in range(given.rounds):
            walker.round()
    for finding in walker.findings:
        print(finding, end="\n\n")
    found = len(walker.findings)
    print(f"{walker.asked} requests to {len(walker.targets)} pages, {found} findings")
    return 1 if walker.findings else 0


if __name__ == "__main__":
    sys.exit(main())
