"""``fsctl serve`` as a process of its own, with limits, and the Python switch that calls it."""

from __future__ import annotations

import os
import resource
import socket
import sys
import tempfile
from pathlib import Path

import gevent
from gevent import subprocess

from fsctl.admin.groups import add_group
from fsctl.admin.members import add_member
from fsctl.admin.numbers import add_numbers
from fsctl.store import migrate
from fsctl.store.engine import make_engine
from tests.databases import make_tables
from tests.scenarios.controllers import ROOT, ServedController
from tests.scenarios.python_rig import PythonRig


def furnish(url: str, *numbers: str, wait: float = 3.0) -> None:
    """Give a new database a group with ``test002`` for each of these numbers."""
    if url.startswith("sqlite"):
        make_tables(url)
    else:
        migrate.upgrade(url)
    engine = make_engine(url)
    for number in numbers:
        add_group(engine, f"group {number}", wait=wait)
        add_numbers(engine, f"group {number}", [number], "PL")
        add_member(engine, f"group {number}", "test002")
    engine.dispose()


class LimitedController(ServedController):
    """A controller that the system gives little: open files, bytes of any file it writes."""

    def __init__(
        self, url: str, files: int | None = None, file_size: int | None = None, **settings: str
    ) -> None:
        def limit() -> None:
            if files is not None:
                resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
            if file_size is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))

        self._spool = tempfile.TemporaryDirectory()
        settings = {"spool": self._spool.name, **settings}
        variables = {"FSCTL_" + name.upper(): value for name, value in settings.items()}
        self.database_url = url
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "cli.py"), "serve", "--listen", "127.0.0.1:0"],
            stdout=subprocess.PIPE,
            stderr=sys.stderr,
            env={**os.environ, "FSCTL_DATABASE_URL": url, "PYTHONUNBUFFERED": "1", **variables},
            text=True,
            preexec_fn=limit,
        )
        self.address = self._where()

    def stop(self) -> None:
        super().stop()
        self._spool.cleanup()


class Served:
    """A controller of its own process with a switch; ``settings`` are fsctl's."""

    def __init__(
        self, url: str, files: int | None = None, file_size: int | None = None, **settings: str
    ) -> None:
        self.controller = LimitedController(url, files, file_size, **settings)
        host, _, port = self.controller.address.rpartition(":")
        self.place = host, int(port)
        self.rig = PythonRig(self.controller.address)
        self.rig.phone("test002")

    def rings(self, calls: int = 1, number: str = "600") -> list[float]:
        """Place calls one after the other; seconds after which each rings at the member's."""
        found = []
        for _ in range(calls):
            self.rig.log.clear()
            call = self.rig.dial(number)
            rung = self.rig.log.wait("test002", "invite").at
            found.append(rung - self.rig.log.wait("caller", "calling").at)
            call.hang_up()
            self.rig.log.wait("test002", "cancel")
        return found

    def falls_back(self, number: str) -> float:
        """Place a call; seconds after which the dialplan has it back."""
        self.rig.log.clear()
        call = self.rig.dial(number)
        fallback = self.rig.log.wait("caller", "fallback").at
        call.hang_up()
        return fallback - self.rig.log.wait("caller", "calling").at

    def released(self, number: str) -> object:
        """Place a call; the SIP status with which it is released."""
        self.rig.log.clear()
        self.rig.dial(number)
        return self.rig.log.wait("caller", "released").detail["code"]

    def connect(self, count: int) -> list[socket.socket]:
        """Connect so often as a stranger would, and say nothing."""
        found = []
        for _ in range(count):
            found.append(socket.create_connection(self.place))
            if len(found) % 20 == 0:
                gevent.sleep(0)
        return found

    def processor_time(self) -> float:
        """Seconds of processor time that the controller has used."""
        fields = (self._proc / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> int:
        """Bytes of memory that the controller has."""
        return int((self._proc / "statm").read_text().split()[1]) * resource.getpagesize()

    def files(self) -> int:
        """How many files the controller has open."""
        return len(list((self._proc / "fd").iterdir()))

    @property
    def _proc(self) -> Path:
        return Path(f"/proc/{self.controller.process.pid}")

    def close(self) -> None:
        self.rig.close()
        self.controller.stop()
