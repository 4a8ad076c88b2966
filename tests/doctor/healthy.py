"""An installation with which all is well, and in which one thing can be spoilt."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from ipaddress import ip_network
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner
from gevent.pywsgi import WSGIServer

from fsctl.admin.example import add_example
from fsctl.cli.main import root
from fsctl.controller.answering import Application, quiet_server
from fsctl.controller.directory import Directory
from fsctl.controller.metrics import Meter
from fsctl.controller.monitor import Monitor
from fsctl.controller.server import Controller
from fsctl.controller.source import database_source
from fsctl.esl.listener import bind, place_of
from fsctl.esl.switch_facts import NEEDED_MODULES
from fsctl.http_room import Network
from fsctl.store.engine import make_engine
from fsctl.store.numbers import dialled
from tests.databases import make_tables
from tests.esl.inbound_server import InboundServer

MEMBERS = ("test002", "test006", "test007")
DOMAIN = "hunt.example"
EXTENSION = """\
<extension name="fsctl"><condition field="destination_number"
  expression="^(?:(?:\\*45|\\*8)?600|(?:\\+|00)?48587624731)$">
<action application="set" data="socket_resume=true"/>
<action application="socket" data="{} async full"/></condition></extension>"""


class Installation:
    """A database with the example group, a controller, and a switch that knows both.

    ``answers`` is what the switch says, ``environment`` what fsctl is told.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "fsctl.db"
        url = f"sqlite:///{self.database}"
        make_tables(url)
        self.database.chmod(0o600)
        self.engine = make_engine(url)
        add_example(self.engine)
        self.controller = Controller(
            bind("127.0.0.1", 0),
            [ip_network("127.0.0.0/8")],
            Directory(database_source(self.engine)),
            partial(dialled, region="PL"),
        )
        self.controller.start()
        self._beside: list[Monitor | WSGIServer] = []
        self.answers: dict[str, str] = {}
        self.lead = 0
        self.switch = InboundServer(self._answer)
        self.environment = {
            "FSCTL_DATABASE_URL": url,
            "FSCTL_LISTEN": self.controller.address,
            "FSCTL_SPOOL": str(folder / "spool"),
            "FSCTL_ESL_URL": self.switch.url,
        }
        self._learn()

    def _learn(self) -> None:
        self.answers["version short"] = "1.10.12-release\n"
        self.answers["global_getvar domain"] = DOMAIN
        for module in NEEDED_MODULES:
            self.answers[f"module_exists {module}"] = "true"
        for name in MEMBERS:
            self.answers[f"user_exists id {name} {DOMAIN}"] = "true"
            self.answers[f"user_data {name}@{DOMAIN} param dial-string"] = "${sofia_contact(x)}"
            self.register(name, "sofia/internal/sip:a@127.0.0.1")
        self.route(EXTENSION.format(self.controller.address))

    def serve(self, application: Application, allowed: Sequence[Network] | None = None) -> str:
        """Have an application answer HTTP; return where."""
        sock = bind("127.0.0.1", 0)
        self._beside.append(quiet_server(sock, application, allowed))
        self._beside[-1].start()
        return place_of(sock)

    def watch(self) -> None:
        """Have the controller say how it is."""
        sock = bind("127.0.0.1", 0)
        self._beside.append(Monitor(sock, self.controller, Meter()))
        self._beside[-1].start()
        self.environment["FSCTL_METRICS_LISTEN"] = place_of(sock)

    def register(self, name: str, contact: str) -> None:
        self.answers[f"sofia_contact */{name}@{DOMAIN}"] = contact

    def route(self, extensions: str) -> None:
        self.answers["xml_locate dialplan"] = (
            f'<section name="dialplan"><context name="default">{extensions}</context></section>'
        )

    def _answer(self, command: str) -> str:
        if command == "strepoch":
            return str(int(time.time()) + self.lead)
        return self.answers.get(command, f"-ERR {command} Command not found!\n")

    def check(self, *flags: str) -> tuple[int, list[dict[str, str]]]:
        """Run ``fsctl check``; returns its exit code and what it found, without what is well."""
        environment: dict[str, str | None] = dict(self.environment)
        done = CliRunner().invoke(root, ["check", "--json", *flags], env=environment)
        document = orjson.loads(done.stdout)
        assert document["ok"] == (done.exit_code == 0)
        return done.exit_code, [one for one in document["findings"] if one["state"] != "ok"]

    def close(self) -> None:
        for server in self._beside:
            server.stop()
        self.controller.stop()
        self.switch.stop(timeout=0)
        self.engine.dispose()


@contextmanager
def installed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    monkeypatch.chdir(folder)
    installation = Installation(folder)
    try:
        yield installation
    finally:
        installation.close()
