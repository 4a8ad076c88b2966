"""100,000 groups with a million members: what a controller's directory costs and how fast it is.

    python -m benchmarks.lookup [--groups COUNT] [sqlite] [postgresql]

PostgreSQL is a server of our own on loopback, behind a proxy that makes a round trip 50 ms long.
The directory runs in a process of its own, on the very source that ``fsctl serve`` uses. Printed
beside each figure is what is asked of it, where something is.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import gevent
from sqlalchemy import text

from fsctl.admin.groups import set_group
from fsctl.controller.directory import Directory, Unavailable
from fsctl.controller.source import database_source
from fsctl.store import migrate
from fsctl.store.engine import make_engine, reading, writing
from fsctl.store.groups import all_numbers
from fsctl.store.schema import check_schema
from tests.databases import ABSENT, running, server_programs

GROUPS = 100_000
MEMBERS = 10
ONE_WAY_MS = 25
IN_USE = 10_000
LOOKUPS = 200_000
CHANGES = 20

SERIES = """
WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < :count),
each(m) AS (SELECT 1 UNION ALL SELECT m + 1 FROM each WHERE m < :members)
"""
FILL = {
    "hunt_group (id, name, name_key, description, wait_ms, advance, enabled, created_at, domain)": (
        "SELECT n, 'group ' || n, 'group ' || n, '', 30000, true, true, 1, '' FROM series"
    ),
    "group_number (group_id, number, kind, domain)": (
        "SELECT n, CAST(1000000 + n AS VARCHAR(8)), 'internal', '' FROM series"
        " UNION ALL SELECT n, '+48' || (500000000 + n), 'city', '' FROM series"
    ),
    'group_member (group_id, "user", delay_ms, enabled, position)': (
        "SELECT n, 'test' || m, 1000 * m, true, m FROM each CROSS JOIN series"
    ),
}


def number_of(group: int) -> tuple[str, ...]:
    return (str(1_000_000 + group),)


def fill(url: str, groups: int) -> float:
    """Make the groups; return the seconds that took."""
    began = time.monotonic()
    migrate.upgrade(url)
    engine = make_engine(url)
    with writing(engine) as session:
        for table, rows in FILL.items():
            statement = text(f"INSERT INTO {table} {SERIES} {rows}")
            session.execute(statement, {"count": groups, "members": MEMBERS})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    engine.dispose()
    return time.monotonic() - began


# The process that is measured


def measure(url: str, direct: str, groups: int) -> dict[str, float]:
    """Measure a directory on the database at ``url``; changes are made at ``direct``."""
    in_use = random.Random(1).sample(range(1, groups + 1), min(IN_USE, groups))
    figures: dict[str, float] = {}
    before = resident()
    began = time.monotonic()
    engine = make_engine(url)
    check_schema(engine)
    with reading(engine) as session:
        all_numbers(session, most=20)
    directory = Directory(database_source(engine))
    directory.start()
    directory.find(number_of(in_use[0]))
    figures["start-up to the first answer, s"] = time.monotonic() - began
    first = [took(directory, group) for group in in_use[1:200]]
    figures["first lookup of a group, ms, median"] = 1000 * statistics.median(first)
    figures["first lookup of a group, ms, p99"] = 1000 * percentile(first, 0.99)
    last, refused = burst(directory, in_use[200:1200])
    figures["1,000 new groups called at once, s, until the last"] = last
    figures["  calls among them that were left to the dialplan"] = refused
    warm_up(directory, in_use)
    figures["memory for the groups in use, MB"] = resident() - before
    known = random.Random(2).choices(in_use, k=LOOKUPS)
    times = []
    for place, group in enumerate(known):
        times.append(took(directory, group))
        if place % 100 == 0:
            gevent.sleep(0)
    figures["lookup of a known group, ms, p99"] = 1000 * percentile(times, 0.99)
    figures["lookup of a known group, ms, longest"] = 1000 * max(times)
    delays = [change(directory, direct, group) for group in in_use[:CHANGES]]
    figures["one change in force, s, longest"] = max(delays)
    after, during, all_read = change_everything(directory, direct, in_use)
    figures["every group changed by hand: in force, s, longest"] = after
    figures["  lookups meanwhile, ms, p99"] = 1000 * percentile(during, 0.99)
    figures["  all copies read again, s"] = all_read
    directory.stop()
    return figures


def resident() -> float:
    """Return this process's memory in MB, at its most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def took(directory: Directory, group: int) -> float:
    began = time.perf_counter()
    if directory.find(number_of(group)) is None:
        raise LookupError(f"group {group} was not found")
    return time.perf_counter() - began


def burst(directory: Directory, groups: Sequence[int]) -> tuple[float, int]:
    """Call all of these at once; return when the last had an answer, and how many had no group."""

    def is_served(group: int) -> bool:
        try:
            return directory.find(number_of(group)) is not None
        except Unavailable:
            return False

    began = time.monotonic()
    calls = [gevent.spawn(is_served, group) for group in groups]
    gevent.joinall(calls)
    return time.monotonic() - began, sum(not call.value for call in calls)


def warm_up(directory: Directory, groups: Sequence[int]) -> None:
    """Make the directory know all of these."""
    for start in range(0, len(groups), 500):
        while burst(directory, groups[start : start + 500])[1]:
            gevent.sleep(0.1)


def change(directory: Directory, url: str, group: int) -> float:
    """Change one group and return after how many seconds calls see it."""
    engine = make_engine(url)
    set_group(engine, f"group {group}", wait=17)
    done = time.monotonic()
    engine.dispose()
    while directory.find(number_of(group)).wait != 17:
        gevent.sleep(0.002)
    return time.monotonic() - done


def change_everything(
    directory: Directory, url: str, in_use: Sequence[int]
) -> tuple[float, list[float], float]:
    """Change all groups past the audit log, and call those in use while they are read again.

    Returns after how many seconds the last call with the old group came, what the lookups took, and
    after how many seconds every copy was new.
    """
    engine = make_engine(url)
    with writing(engine) as session:
        session.execute(text("UPDATE hunt_group SET wait_ms = 23000"))
        session.execute(text("UPDATE group_revision SET number = number + 1"))
    done = last_old = time.monotonic()
    engine.dispose()
    times, chance = [], random.Random(3)
    while any(directory._copies[number_of(group)].wait != 23 for group in in_use):
        for group in chance.choices(in_use, k=20):
            began = time.perf_counter()
            found = directory.find(number_of(group))
            times.append(time.perf_counter() - began)
            if found.wait != 23:
                last_old = time.monotonic()
        gevent.sleep(0.002)
    return last_old - done, times, time.monotonic() - done


# The process that measures

ASKED = {
    "start-up to the first answer, s": 2.0,
    "lookup of a known group, ms, p99": 1.0,
    "one change in force, s, longest": 1.0,
    "every group changed by hand: in force, s, longest": 1.0,
}


@contextmanager
def distant(port: int) -> Iterator[int]:
    """A port on loopback that leads to the other one, slowly."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.slow_link",
        "127.0.0.1",
        str(port),
        str(ONE_WAY_MS),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as proxy:
        try:
            yield int(proxy.stdout.readline())  # type: ignore[union-attr]
        finally:
            proxy.terminate()


def report(title: str, url: str, direct: str, groups: int) -> None:
    print(f"\n{title}: {groups} groups, {groups * MEMBERS} members", flush=True)
    print(f"  (made in {fill(direct, groups):.0f} s)", flush=True)
    command = [sys.executable, "-m", "benchmarks.lookup", "--measure", url, direct, str(groups)]
    figures = json.loads(subprocess.check_output(command, text=True))
    for name, value in figures.items():
        asked = ASKED.get(name)
        verdict = "" if asked is None else f"   asked: < {asked:g}" + " MISSED" * (value >= asked)
        print(f"  {name:<52} {value:9.3f}{verdict}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--groups", type=int, default=GROUPS)
    parser.add_argument("databases", nargs="*", metavar="sqlite, postgresql")
    args = parser.parse_args()
    wanted = args.databases or ["sqlite", "postgresql"]
    if "sqlite" in wanted:
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite:///{Path(folder) / 'fsctl.db'}"
            report("SQLite", url, url, args.groups)
    if "postgresql" in wanted:
        programs = server_programs()
        if programs is None:
            sys.exit(ABSENT)
        with running(programs) as cluster, distant(cluster.port) as far:
            cluster.execute("CREATE DATABASE lookup")
            direct = cluster.url("lookup")
            url = direct.replace(f":{cluster.port}/", f":{far}/")
            report(f"PostgreSQL, {2 * ONE_WAY_MS} ms away", url, direct, args.groups)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measure(sys.argv[2], sys.argv[3], int(sys.argv[4]))))
    else:
        main()
