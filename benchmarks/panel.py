"""How heavy the panel's pages are, and how long the list takes with 10,000 groups.

``python -m benchmarks.panel``: SQLite, the panel in this process, without a network.
"""

import gzip
import tempfile
import time
from pathlib import Path
from statistics import median

from fsctl.admin import users
from fsctl.admin.transfer import import_groups
from fsctl.hunt.group import Group, Member
from fsctl.settings import Settings
from fsctl.store import migrate
from fsctl.store.engine import make_engine
from fsctl.web.app import create_app
from tests.web.conftest import PASSWORD, Browser

GROUPS = 10_000
PATHS = (
    "/groups",
    "/groups?page=200",
    "/groups?search=test777",
    "/groups/5000/configuration",
    "/static/panel.css",
    "/static/panel.js",
)
TIMES = 15


def main() -> None:
    """Print a line for each page."""
    with tempfile.TemporaryDirectory() as home:
        url = f"sqlite:///{Path(home)}/fsctl.db"
        migrate.upgrade(url)
        engine = make_engine(url)
        wanted = [
            Group(
                f"group {number:05}",
                numbers=(str(100_000 + number),),
                members=tuple(Member(f"test{number + one}", one * 5.0) for one in range(3)),
            )
            for number in range(GROUPS)
        ]
        import_groups(engine, wanted)
        users.add_user(engine, "anna", PASSWORD)
        browser = Browser(create_app(engine, Settings()).test_client())
        browser.sign_in()
        print(f"{GROUPS} groups")
        for path in PATHS:
            took = []
            for _ in range(TIMES):
                began = time.perf_counter()
                answer = browser.client.get(path)
                took.append(time.perf_counter() - began)
            size, packed = len(answer.data), len(gzip.compress(answer.data))
            print(f"{path:28} {size:7} bytes ({packed} packed), {1000 * median(took):.1f} ms")


if __name__ == "__main__":
    main()
