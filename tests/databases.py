"""The databases that a test runs on: SQLite, and a PostgreSQL of our own for the session.

``database_url`` gives each test a fresh, empty database of either kind, which has its tables if the
test takes ``engine`` or ``tables`` too. ``make_tables`` is for whoever makes a database by itself.
"""

import atexit
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from fsctl.store import migrate
from fsctl.store.engine import make_engine

ABSENT = "PostgreSQL's server programs are not on this machine"
ROOM = 2 << 30
"""Bytes that a server of the tests never needs, since each test's database goes with the test."""
TRUSTING = ["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off"]


def server_programs() -> Path | None:
    """Return the directory of initdb and pg_ctl."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if shutil.which("pg_config"):
        found = subprocess.check_output(["pg_config", "--bindir"], text=True)
        places.append(Path(found.strip()))
    return next((place for place in places if (place / "initdb").exists()), None)


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL server on loopback, which nobody else uses."""

    programs: Path
    home: Path
    port: int

    def url(self, database: str) -> str:
        return f"postgresql://fsctl@127.0.0.1:{self.port}/{database}"

    def run(self, program: str, *args: str) -> None:
        """Run a server program, as a user whom PostgreSQL lets: not as root."""
        command = [str(self.programs / program), "-D", str(self.home / "data"), *args]
        user = server_user() if os.getuid() == 0 else None
        with (self.home / "log").open("a") as log:
            subprocess.run(
                command,
                check=True,
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=90,
                user=user.pw_uid if user else None,
                group=user.pw_gid if user else None,
                extra_groups=[] if user else None,
            )

    @property
    def by_files(self) -> str:
        """How to ask for a copy by files; PostgreSQL before 15 knows no other way."""
        version = self.programs.parent.name
        return " STRATEGY FILE_COPY" if version.isdigit() and int(version) >= 15 else ""

    def execute(self, statement: str) -> None:
        with self.admin.connect() as connection:
            connection.execute(text(statement))

    @cached_property
    def admin(self) -> Engine:
        """One connection for every test's database: a new one costs as much as the database."""
        url = self.url("postgres").replace("postgresql://", "postgresql+psycopg://")
        return create_engine(url, isolation_level="AUTOCOMMIT", pool_size=1, pool_pre_ping=True)


def server_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def postgresql_cluster() -> Iterator[Cluster]:
    programs = server_programs()
    if programs is None:
        pytest.skip(ABSENT)
    with running(programs) as cluster:
        yield cluster


def _in_memory() -> str | None:
    """Return where files take a tenth of the time that a disk takes, if there is room."""
    place = Path("/dev/shm")  # noqa: S108 - a directory of our own is made in it
    roomy = place.is_dir() and shutil.disk_usage(place).free > ROOM
    return str(place) if roomy and os.access(place, os.W_OK) else None


def _started(cluster: Cluster) -> Cluster:
    """Start a server; on another port if somebody has taken this one meanwhile."""
    for last in (False, False, True):
        options = ["-k", str(cluster.home), "-p", str(cluster.port), *TRUSTING]
        options += ["-c", "listen_addresses=127.0.0.1"]
        try:
            cluster.run("pg_ctl", "start", "-w", "-o", " ".join(options))
            break
        except subprocess.CalledProcessError:
            if last:
                raise
            cluster = Cluster(cluster.programs, cluster.home, free_port())
    return cluster


@contextmanager
def running(programs: Path) -> Iterator[Cluster]:
    """A new server, which is gone with all its data at the end."""
    home = Path(tempfile.mkdtemp(prefix="fsctl-postgresql-", dir=_in_memory()))
    if os.getuid() == 0:
        user = server_user()
        os.chown(home, user.pw_uid, user.pw_gid)
    cluster = Cluster(programs, home, free_port())
    try:
        cluster.run("initdb", "-U", "fsctl", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        cluster = _started(cluster)
        yield cluster
    finally:
        cluster.admin.dispose()
        if (home / "data" / "postmaster.pid").exists():
            cluster.run("pg_ctl", "stop", "-w", "-m", "immediate")
        shutil.rmtree(home)


@cache
def _sqlite_tables() -> Path:
    kept = tempfile.TemporaryDirectory(prefix="fsctl-template-")
    atexit.register(kept.cleanup)
    file = Path(kept.name) / "fsctl.db"
    migrate.upgrade(f"sqlite:///{file}")
    return file


def make_tables(url: str) -> None:
    """Give a new SQLite database its tables.

    The migrations have made them once; a copy is the same in a hundredth of the time.
    """
    shutil.copy(_sqlite_tables(), url.removeprefix("sqlite:///"))


@pytest.fixture(scope="session")
def sqlite_template() -> Path:
    """An SQLite database that has its tables, to be copied."""
    return _sqlite_tables()


@pytest.fixture(scope="session")
def postgresql_template(postgresql_cluster: Cluster) -> str:
    """The name of a PostgreSQL database that has its tables, to be copied."""
    postgresql_cluster.execute("CREATE DATABASE template_fsctl")
    migrate.upgrade(postgresql_cluster.url("template_fsctl"))
    return "template_fsctl"


def wants_tables(request: pytest.FixtureRequest) -> bool:
    """Whether the test asks for a database that has its tables already."""
    return not {"engine", "tables"}.isdisjoint(request.fixturenames)


@pytest.fixture
def tables() -> None:
    """Asks for a database that has its tables, for who makes no engine or another one."""


@pytest.fixture
def sqlite_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    file = tmp_path / "fsctl.db"
    if wants_tables(request):
        make_tables(f"sqlite:///{file}")
    return f"sqlite:///{file}"


@pytest.fixture
def postgresql_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database of its own."""
    cluster: Cluster = request.getfixturevalue("postgresql_cluster")
    name = f"test_{uuid.uuid4().hex}"
    template = ""
    if wants_tables(request):
        template = f" TEMPLATE {request.getfixturevalue('postgresql_template')}{cluster.by_files}"
    cluster.execute(f"CREATE DATABASE {name}{template}")
    yield cluster.url(name)
    cluster.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a fresh database, without tables unless the test asks for them."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine of a fresh database with its tables."""
    made = make_engine(database_url)
    yield made
    made.dispose()
