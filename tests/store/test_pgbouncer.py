"""PgBouncer in transaction mode: each transaction has another connection of the server."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from fsctl.admin.example import add_example
from fsctl.admin.groups import get_group, set_group
from fsctl.controller.source import database_source
from fsctl.store import migrate
from fsctl.store.call_queries import CallFilter, list_calls
from fsctl.store.call_records import Version
from fsctl.store.call_writing import write_calls
from fsctl.store.engine import describe, make_engine
from fsctl.store.errors import Unavailable
from fsctl.store.url import read_server_url
from tests.databases import Cluster, free_port, server_user
from tests.records.samples import call

THREADS = 8
"""Who asks at once, on a pooler with two connections to the server."""
CONFIGURATION = """
[databases]
* = host=127.0.0.1 port={server} user=fsctl
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
max_client_conn = 100
server_lifetime = 1
ignore_startup_parameters = extra_float_digits
"""


@pytest.fixture
def pooled(postgresql_url: str, postgresql_cluster: Cluster) -> Iterator[str]:
    """The URL of an empty database, by way of a PgBouncer."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        pytest.skip("pgbouncer is not on this machine")
    port = free_port()
    user = server_user()
    home = postgresql_cluster.home / f"pgbouncer-{port}"
    home.mkdir()
    database = postgresql_url.rpartition("/")[2]
    settings = CONFIGURATION.format(server=postgresql_cluster.port, port=port)
    (home / "pgbouncer.ini").write_text(settings)
    as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    process = subprocess.Popen(
        [program, str(home / "pgbouncer.ini")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **(as_user if os.getuid() == 0 else {}),  # type: ignore[arg-type]
    )
    try:
        _wait_for(port, process)
        yield f"postgresql://fsctl@127.0.0.1:{port}/{database}"
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(home)


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("PgBouncer does not listen")


@pytest.mark.postgresql
def test_everything_goes_through_a_pooler(pooled: str) -> None:
    migrate.upgrade(pooled)
    engine = make_engine(pooled)
    add_example(engine)
    source = database_source(engine)

    def work(number: int) -> None:
        for turn in range(6):
            set_group(engine, "sales", wait=10 + number)
            assert get_group(engine, "sales").name == "sales"
            group = source.load(("600",))
            assert group is not None
            assert (group.name, len(group.members)) == ("sales", 3)
            assert source.revision() > 0
            write_calls(engine, [Version(1, call(100 * number + turn))])
            calls = list_calls(engine, CallFilter(hidden=0), 3)
            assert len({one.record.uuid for one in calls}) >= 1

    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(work, number) for number in range(THREADS)]:
            done.result()
    assert len(list(list_calls(engine, CallFilter(hidden=0), None))) == 6 * THREADS
    engine.dispose()


@pytest.mark.postgresql
def test_a_pooler_is_known(pooled: str, postgresql_url: str) -> None:
    for url, prepared in (
        (pooled, None),
        (postgresql_url, 5),
        (f"{postgresql_url}?prepare_threshold=none", None),
        (f"{postgresql_url}?prepare_threshold=0", 0),
    ):
        engine = make_engine(url)
        with engine.connect() as connection:
            driver = connection.connection.dbapi_connection
            assert driver is not None
            assert (driver.prepare_threshold, driver.autocommit) == (prepared, False)
        engine.dispose()


@pytest.mark.postgresql
@pytest.mark.parametrize("dead_first", [True, False])
def test_of_several_servers_one_that_lives_is_enough(
    postgresql_url: str, postgresql_cluster: Cluster, dead_first: bool
) -> None:
    alive, dead = f"127.0.0.1:{postgresql_cluster.port}", f"127.0.0.1:{free_port()}"
    hosts = f"{dead},{alive}" if dead_first else f"{alive},{dead}"
    url = postgresql_url.replace(alive, hosts) + "?target_session_attrs=read-write"
    assert hosts in url
    migrate.upgrade(url)
    engine = make_engine(url)
    add_example(engine)
    assert get_group(engine, "sales").name == "sales"
    assert hosts in describe(engine)
    engine.dispose()


@pytest.mark.postgresql
def test_of_several_servers_none_lives() -> None:
    hosts = f"127.0.0.1:{free_port()},127.0.0.1:{free_port()}"
    url = f"postgresql://fsctl:hush@{hosts}/d"
    with pytest.raises(Unavailable, match=hosts) as raised:
        migrate.upgrade(url)
    assert "hush" not in str(raised.value)


def test_the_form_of_sqlalchemy_means_the_same() -> None:
    url = "postgresql://u:p@/d?host=db1&host=db2&port=5432&port=5433"
    assert dict(read_server_url(url).query) == {"host": "db1,db2", "port": "5432,5433"}
    joined = "postgresql://u:p@/d?host=db1:5432&host=db2:5433"
    assert read_server_url(joined).hosts == (("db1", "5432"), ("db2", "5433"))
