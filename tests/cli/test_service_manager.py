"""What ``fsctl serve`` tells systemd, heard on a socket that stands in for it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from fsctl.cli.service_manager import ServiceManager
from tests.databases import make_tables

CLI = Path(__file__).parents[2] / "cli.py"


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(30)
        yield sock


def _forget(manager: socket.socket) -> None:
    """Take what was said so far."""
    manager.setblocking(False)
    with suppress(BlockingIOError):
        while manager.recv(100):
            pass


@pytest.mark.parametrize("workers", ["1", "2"])
def test_serve_is_ready_alive_and_stopping(
    manager: socket.socket, tmp_path: Path, workers: str
) -> None:
    url = f"sqlite:///{tmp_path / 'fsctl.db'}"
    make_tables(url)
    process = subprocess.Popen(
        [sys.executable, CLI, "serve", "--listen", "127.0.0.1:0", "--workers", workers],
        env={
            **os.environ,
            "FSCTL_DATABASE_URL": url,
            "NOTIFY_SOCKET": manager.getsockname(),
            "WATCHDOG_USEC": "200000",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert manager.recv(100) == b"READY=1"
        assert [manager.recv(100) for _ in range(3)] == [b"WATCHDOG=1"] * 3
        process.send_signal(signal.SIGTERM)
        while (said := manager.recv(100)) == b"WATCHDOG=1":
            pass
        assert said.splitlines()[0] == b"STOPPING=1"
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.wait()


def test_a_frozen_process_says_nothing(manager: socket.socket, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'fsctl.db'}"
    make_tables(url)
    process = subprocess.Popen(
        [sys.executable, CLI, "serve", "--listen", "127.0.0.1:0"],
        env={
            **os.environ,
            "FSCTL_DATABASE_URL": url,
            "NOTIFY_SOCKET": manager.getsockname(),
            "WATCHDOG_USEC": "200000",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert manager.recv(100) == b"READY=1"
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)
        _forget(manager)
        manager.settimeout(0.5)
        with pytest.raises(TimeoutError):
            manager.recv(100)
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("environ", "every"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
    ],
)
def test_how_often_it_wants_to_hear(environ: dict[str, str], every: float | None) -> None:
    assert ServiceManager({"NOTIFY_SOCKET": "/x", **environ}).every == every


def test_without_a_manager_nothing_is_said() -> None:
    manager = ServiceManager({"WATCHDOG_USEC": "30000000"})
    assert manager.every is None
    manager.ready()
    ServiceManager({"NOTIFY_SOCKET": "/nowhere/at/all"}).ready()


def test_a_name_in_the_abstract_namespace() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(f"\0fsctl-test-{os.getpid()}")
        sock.settimeout(5)
        ServiceManager({"NOTIFY_SOCKET": f"@fsctl-test-{os.getpid()}"}).ready()
        assert sock.recv(100) == b"READY=1"
