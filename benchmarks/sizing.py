"""What a call costs a controller: processor time, and memory while it waits.

    python -m benchmarks.sizing [CALLS] [WAITING]

One ``fsctl serve`` in a process of its own, its database in SQLite, serves the Python switch. What
the kernel has counted for that process is read before and after: the switch and the rest of the
machine do not count.
"""

import os
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import gevent
from gevent.event import Event

from fsctl.admin.groups import add_group
from fsctl.admin.members import add_member
from fsctl.admin.numbers import add_numbers
from fsctl.demo import Script, Switch
from fsctl.store import migrate
from fsctl.store.engine import make_engine

MEMBERS = ("test002", "test006", "test007")
ADDRESS = "127.0.0.1:18085"
PER_SECOND = 20
TICKS = os.sysconf("SC_CLK_TCK")


def main(calls: int, waiting: int) -> None:
    """Measure, and print."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'fsctl.db'}"
        migrate.upgrade(url)
        engine = make_engine(url)
        add_group(engine, "sizing", wait=300)
        add_numbers(engine, "sizing", ["600"], region="PL")
        for user in MEMBERS:
            add_member(engine, "sizing", user)
        command = [sys.executable, "-m", "fsctl", "--database-url", url, "--listen", ADDRESS]
        environment = {**os.environ, "FSCTL_SPOOL": str(Path(folder) / "spool")}
        with subprocess.Popen(
            [*command, "serve"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as serving:
            try:
                if serving.stdout is not None:
                    serving.stdout.readline()
                measure(serving.pid, calls, waiting)
            finally:
                serving.terminate()
        with sqlite3.connect(url.removeprefix("sqlite:///")) as database:
            [[records]] = database.execute("SELECT count(*) FROM call_record")
            database.execute("VACUUM")
            [[pages]] = database.execute("PRAGMA page_count")
            [[size]] = database.execute("PRAGMA page_size")
        print(f"the database: {pages * size / records / 1024:.1f} kB for a record ({records})")


def measure(pid: int, calls: int, waiting: int) -> None:
    """Place calls that are answered, then calls that wait."""
    played(calls // 10, answer_after=0.3)
    before = seconds(pid)
    played(calls, answer_after=0.3)
    print(f"answered: {1000 * (seconds(pid) - before) / calls:.1f} ms of processor time for a call")
    memory = resident(pid)
    switch = Switch(ADDRESS)
    for user in MEMBERS:
        switch.register(user, Script())
    ringing = Event()
    rung = 0

    def saw(_who: str, what: str, _detail: object) -> None:
        nonlocal rung
        rung += what == "invite"
        if rung == len(MEMBERS) * waiting:
            ringing.set()

    switch.observers.append(saw)
    placed = []
    for _ in range(waiting):
        placed.append(switch.dial("600"))
        gevent.sleep(1 / (5 * PER_SECOND))
    if not ringing.wait(60):
        raise SystemExit(f"{rung} telephones ring, not {len(MEMBERS) * waiting}")
    print(f"waiting: {1024 * (resident(pid) - memory) / waiting:.0f} kB of memory for a call")
    print(f"the process: {resident(pid):.0f} MB with {waiting} calls")
    before = seconds(pid)
    gevent.sleep(5)
    print(f"{waiting} calls wait: {100 * (seconds(pid) - before) / 5:.1f} % of a core")
    for call in placed:
        call.hang_up()
    gevent.sleep(2)


def played(calls: int, answer_after: float) -> None:
    """Place calls at a steady rate; each is answered, and ends after a moment."""
    switch = Switch(ADDRESS)
    switch.register(MEMBERS[0], Script(answer_after=answer_after))
    for user in MEMBERS[1:]:
        switch.register(user, Script())
    answered = 0
    done = Event()

    def saw(who: str, what: str, _detail: object) -> None:
        nonlocal answered
        answered += (who, what) == ("caller", "answered")
        if answered == calls:
            done.set()

    switch.observers.append(saw)
    for _ in range(calls):
        call = switch.dial("600")
        gevent.spawn_later(1.0, call.hang_up)
        gevent.sleep(1 / PER_SECOND)
    if not done.wait(30):
        raise SystemExit(f"{answered} of {calls} calls were answered")
    gevent.sleep(1.5)


def seconds(pid: int) -> float:
    """Return the processor time that a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident(pid: int) -> float:
    """Return the memory of a process, in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[1:]]
    main(*(given + [400, 1000][len(given) :]))
