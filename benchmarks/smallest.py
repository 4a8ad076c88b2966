"""The smallest controller that can hunt: what a socket costs, whoever listens to it.

It asks whose call it is, orders three legs that claim the caller, and hears, bounds, shows and
records nothing. So what it takes longer than the switch's own ``bridge`` no controller can avoid.
``python -m benchmarks.smallest`` tells its address on the first line.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gevent.server import StreamServer
from gevent.socket import socket

from benchmarks.hunts.rivals.orders import MEMBERS, originate

RECEIVE = 65_536
_UUID = re.compile(rb"^Unique-ID: (\S+)\n", re.MULTILINE)


@contextmanager
def smallest() -> Iterator[str]:
    """Run it in a process of its own; give its address."""
    command = [sys.executable, "-m", "benchmarks.smallest"]
    root = Path(__file__).parent.parent
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def serve(sock: socket, _address: object) -> None:
    """Hunt for one caller."""
    sock.sendall(b"connect\n\n")
    said = b""
    while not (found := _UUID.search(said)):
        more = sock.recv(RECEIVE)
        if not more:
            return
        said += more
    caller = found[1].decode()
    for member in MEMBERS:
        sock.sendall(originate(caller, "600100200", member).encode() + b"\n\n")
    while sock.recv(RECEIVE):
        pass


if __name__ == "__main__":
    server = StreamServer(("127.0.0.1", 0), serve)
    server.start()
    print(f"127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
