"""Ending when the process that started us has ended, however it did: ``kill -9`` included.

A pipe of which the parent alone has the writing end: nothing is ever written, and the system closes
it with the parent. It works wherever there are pipes, and for a process that was started late.
"""

import os
import signal
import threading
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager

VARIABLE = "FSCTL_PARENT_PIPE"
"""The environment variable that tells a child which descriptor to read. It is no setting."""


@contextmanager
def lifeline() -> Iterator[int]:
    """Hold a pipe; children are given its descriptor in ``VARIABLE`` and ``pass_fds``."""
    reading, writing = os.pipe()  # not inherited unless it is passed on
    try:
        yield reading
    finally:
        os.close(reading)
        os.close(writing)


def end_with_parent(environ: MutableMapping[str, str]) -> None:
    """Send ourselves SIGTERM once the parent has gone, if it is one that wants it so."""
    told = environ.pop(VARIABLE, "")
    if told.isdecimal():
        threading.Thread(target=_wait, args=(int(told),), daemon=True).start()


def _wait(descriptor: int) -> None:
    try:
        while os.read(descriptor, 1):
            pass
    except OSError:
        return  # no pipe of ours
    os.kill(os.getpid(), signal.SIGTERM)
