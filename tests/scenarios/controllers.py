"""Controllers for scenarios: ``fsctl serve`` as its own process, as an operator runs it."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import IO

from gevent import subprocess

ROOT = Path(__file__).parent.parent.parent


class ServedController:
    """One ``fsctl serve`` on a free port of the loopback interface; ``log`` gets what it logs."""

    def __init__(
        self,
        database_url: str,
        listen: str = "127.0.0.1:0",
        log: IO[str] | None = None,
        **settings: str,
    ) -> None:
        self.database_url = database_url
        environment = {
            **os.environ,
            "FSCTL_DATABASE_URL": database_url,
            "PYTHONUNBUFFERED": "1",
            **{f"FSCTL_{name.upper()}": value for name, value in settings.items()},
        }
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "cli.py"), "serve", "--listen", listen],
            stdout=subprocess.PIPE,
            stderr=log or sys.stderr,
            env=environment,
            text=True,
        )
        self.address = self._where()

    def _where(self) -> str:
        assert self.process.stdout
        for line in self.process.stdout:
            if line.startswith("fsctl listens on "):
                return line.removeprefix("fsctl listens on ").split(" ")[0].rstrip(".")
        raise AssertionError("fsctl serve ended before it listened")

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def stop(self) -> None:
        """Stop at once, whatever it is doing."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()
