"""Who is compared: fsctl as an operator runs it, and the same hunt on other libraries."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fsctl.admin.transfer import import_groups
from fsctl.hunt.group import Group, Member
from fsctl.store import migrate
from fsctl.store.engine import make_engine

ROOT = Path(__file__).parent.parent.parent
HERE = Path(__file__).parent
RIVALS = ROOT / ".bench"
"""Where ``make bench`` installs the rivals."""
HUNTED, WAITING, LATER = "600", "601", 20.0
"""The number of the hunt, the number whose second leg is due after ``LATER`` seconds."""
USERS = ("test002", "test006", "test007")
START = 20.0
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Served:
    """A contestant that listens."""

    address: tuple[str, int]
    pid: int

    def cpu(self) -> float:
        """Return the seconds of a processor that it and its children have used."""
        return sum(self.each())

    def each(self) -> list[float]:
        """Return the same for each of its processes."""
        used = []
        for pid in (self.pid, *_children(self.pid)):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
            used.append((int(fields[11]) + int(fields[12])) / _TICK)
        return used

    def memory(self) -> int:
        """Return the bytes of memory that are its own (Pss: shared ones by their part)."""
        text = Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        return next(int(line.split()[1]) for line in text.splitlines() if line[:4] == "Pss:") * 1024


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text().split()]


def names() -> list[str]:
    """Return those who can be compared on this machine; whoever is missing is told on stderr."""
    found = ["fsctl", "greenswitch"]
    for name, needs in (
        ("Genesis", (RIVALS / "bin/python").exists()),
        ("esl for Node", bool(shutil.which("node")) and (RIVALS / "node_modules/esl").exists()),
    ):
        if needs:
            found.append(name)
        else:
            print(f"without {name}: it is not installed", file=sys.stderr)
    return found


@contextmanager
def serving(name: str, workers: int = 1) -> Iterator[Served]:
    """Start a contestant, and stop it."""
    with tempfile.TemporaryDirectory(prefix="fsctl-bench-") as folder, socket.socket() as guard:
        guard.bind(("127.0.0.1", 0))
        address = ("127.0.0.1", guard.getsockname()[1])
        guard.close()
        environment = dict(os.environ, PYTHONPATH=str(ROOT))
        command = _command(name, address[1], Path(folder), environment, workers)
        process = subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=RIVALS if RIVALS.exists() else ROOT,
        )
        try:
            _await(address, process)
            yield Served(address, process.pid)
        finally:
            process.terminate()
            try:
                process.wait(2)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _command(
    name: str, port: int, folder: Path, environment: dict[str, str], workers: int
) -> list[str]:
    book = str(folder / "records")
    if name == "fsctl":
        environment |= {"FSCTL_DATABASE_URL": _database(folder), "FSCTL_LOG_LEVEL": "warning"}
        command = [sys.executable, str(ROOT / "cli.py"), "serve", "--listen", f"127.0.0.1:{port}"]
        return [*command, "--workers", str(workers)] if workers > 1 else command
    if name == "greenswitch":
        return [sys.executable, "-m", "benchmarks.hunts.rivals.stock_greenswitch", str(port), book]
    if name == "Genesis":
        module = "benchmarks.hunts.rivals.genesis_hunt"
        return [str(RIVALS / "bin/python"), "-m", module, str(port), book]
    shutil.copy(HERE / "rivals/hunt.mjs", RIVALS)  # which finds its library beside it only
    return ["node", "hunt.mjs", str(port), book]


def _database(folder: Path) -> str:
    url = f"sqlite:///{folder / 'fsctl.db'}"
    migrate.upgrade(url)
    members = tuple(map(Member, USERS))
    waiting = (Member(USERS[0]), Member(USERS[1], LATER))
    groups = [
        Group("hunted", numbers=(HUNTED,), members=members),
        Group("waiting", numbers=(WAITING,), members=waiting, wait=300.0),
    ]
    engine = make_engine(url)
    import_groups(engine, groups)
    engine.dispose()
    return url


def _await(address: tuple[str, int], process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(address, 1.0).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"{process.args} does not listen")
