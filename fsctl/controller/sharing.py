"""The directory through which several processes count together (see ``metrics``).

Apart from it, because the master of several workers counts nothing and must not load what does.
"""

import os
import shutil
import tempfile
from pathlib import Path

DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
"""The variable by which ``prometheus_client`` finds it; looked at when that is imported."""


def share() -> None:
    """Make a directory for this process' children to count in."""
    os.environ[DIRECTORY] = tempfile.mkdtemp(prefix="fsctl-metrics-")


def forget(pid: int) -> None:
    """Take back how a dead process was; what it has counted stays."""
    # What ``mark_process_dead`` of the library does, without loading it.
    for path in Path(os.environ[DIRECTORY]).glob(f"gauge_live*_{pid}.db"):
        path.unlink(missing_ok=True)


def unshare() -> None:
    """Remove the directory."""
    shutil.rmtree(os.environ.pop(DIRECTORY), ignore_errors=True)
