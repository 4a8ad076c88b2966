"""``python -m tests.web.screenshots``: pictures of every page, for docs/panel.md.

Makes a house of its own with an example group and past calls, and looks at it with Chromium.
"""

import shutil
import tempfile
import time
from pathlib import Path

from msgspec import structs
from playwright.sync_api import sync_playwright
from sqlalchemy import Engine

from fsctl.admin import users
from fsctl.admin.actor import acting_as
from fsctl.admin.example import add_example
from fsctl.store import migrate
from fsctl.store.call_records import Version, cleaned
from fsctl.store.call_writing import write_calls
from fsctl.store.engine import make_engine, writing
from fsctl.store.live import LiveHunt, LiveLeg, write_live
from tests.records.samples import call
from tests.web.conftest import PASSWORD
from tests.web.test_browser import CHROMIUM
from tests.web.test_server import lines_until, running

PLACE = Path(__file__).parents[2] / "docs" / "panel"
PAGES = {
    "sign-in": "/sign-in",
    "groups": "/groups",
    "add": "/groups/add",
    "numbers": "/groups/1/numbers",
    "configuration": "/groups/1/configuration",
    "live": "/live",
    "calls": "/calls",
    "call": "/calls/1",
    "stats": "/stats",
    "history": "/history",
    "import": "/import",
}
SIZE = {"width": 1100, "height": 720}


def furnish(engine: Engine) -> None:
    """Let there be something on every page."""
    add_example(acting_as(engine, "anna"))
    users.add_user(engine, "anna", PASSWORD)
    records = [
        call(number * 2_311, group="sales", outcome=outcome)
        for number, outcome in enumerate(["answered", "answered", "caller gave up"] * 8)
    ]
    records = [
        one
        if one.outcome == "answered"
        else structs.replace(one, answered_by=None, talk_seconds=None)
        for one in records
    ]
    write_calls(engine, [Version(1, cleaned(one)) for one in records])


def ring(engine: Engine) -> None:
    """Let a call hunt."""
    legs = (LiveLeg("test002", 0.0, None, "rings"), LiveLeg("test006", 6.0, None, "rings"))
    hunt = LiveHunt("u", "", "sales", "600", "+48601234567", "Jan", time.time() - 8, 30.0, legs)
    with writing(engine) as session:
        write_live(session, "pbx1/123", [], [hunt], time.time_ns() // 1_000_000)


def main() -> None:
    """Take the pictures."""
    PLACE.mkdir(exist_ok=True)
    home = Path(tempfile.mkdtemp())
    template = home / "template.db"
    migrate.upgrade(f"sqlite:///{template}")
    with running(home, template, "web") as process, sync_playwright() as playwright:
        engine = make_engine(f"sqlite:///{home}/fsctl.db")
        furnish(engine)
        place = lines_until(process, "The panel is at").split("The panel is at ")[1].split()[0]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(base_url=place, locale="en", viewport=SIZE)
        for name, path in PAGES.items():
            if name == "groups":
                page.get_by_label("Name").fill("anna")
                page.get_by_label("Password").fill(PASSWORD)
                page.get_by_role("button", name="Sign in").click()
            if name == "live":
                ring(engine)
            page.goto(path)
            page.screenshot(path=PLACE / f"{name}.png")
        browser.close()
    shutil.rmtree(home)


if __name__ == "__main__":
    main()
