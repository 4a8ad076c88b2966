"""The panel in a real Chromium, for what only a browser does: scripts, keys, the policy."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from fsctl.admin import users
from fsctl.admin.example import add_example
from fsctl.admin.groups import get_group
from fsctl.store.engine import make_engine
from tests.web.conftest import PASSWORD
from tests.web.test_server import lines_until, running

CHROMIUM = shutil.which("chromium")
HOSTILE = "<img src=x onerror=alert(1)>"
LABELS = {
    "en": ("Sign in", "Name", "Password", "Add", "Description", "Configuration", "Save", "Saved."),
    "pl": ("Zaloguj się", "Nazwa", "Hasło", "Dodaj", "Opis", "Konfiguracja", "Zapisz", "Zapisano"),
}
CALL = """
import sys
from tests.scenarios.python_rig import PythonRig
rig = PythonRig(sys.argv[1])
rig.phone("test002")
call = rig.dial("600", caller_name=sys.argv[2])
import gevent.os
gevent.os.tp_read(0, 1)
call.hang_up()
import gevent
gevent.sleep(0.2)
rig.close()
"""
CHECKED = {
    "light": ("/groups", "/groups/1/configuration", "/groups/1", "/stats", "/import"),
    "dark": (
        "/groups",
        "/groups/1/configuration",
        "/groups/1/numbers",
        "/calls",
        "/history",
        "/users",
        "/users/1",
        "/users/add",
    ),
}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not on this machine"),
]


class House:
    """A controller and a panel that run, with their database."""

    def __init__(self, said: str, engine: Engine) -> None:
        self.engine = engine
        self.url = _found(r"http://[0-9.:]+", said)
        self.controller = _found(r"listens on ([0-9.:]+[0-9])", said)


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match is not None, text
    return match[match.lastindex or 0]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[House]:
    place = tmp_path_factory.mktemp("house")
    with running(place, sqlite_template, "run") as process:
        engine = make_engine(f"sqlite:///{place}/fsctl.db")
        add_example(engine)
        users.add_user(engine, "anna", PASSWORD)
        yield House(lines_until(process, "listens on", "The panel is at"), engine)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


def opened(chromium: Any, house: House, language: str) -> Any:
    """A page in a browser of this language; it fails on whatever the policy refuses."""
    context = chromium.new_context(locale=language, base_url=house.url)
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("console", lambda line: line.type == "error" and page.problems.append(line.text))
    page.on("dialog", lambda dialog: page.problems.append(dialog.message))
    return page


def sign_in(page: Any, language: str = "en") -> None:
    sign, name, password, *_ = LABELS[language]
    page.goto("/")
    page.get_by_label(name, exact=True).fill("anna")
    page.get_by_label(password, exact=True).fill(PASSWORD)
    page.get_by_role("button", name=sign).click()


@pytest.mark.parametrize("language", ["en", "pl"])
def test_the_instructions_walk(chromium: Any, house: House, language: str) -> None:
    page = opened(chromium, house, language)
    _, name, _, add, description, configuration, save, saved = LABELS[language]
    number = {"en": "701", "pl": "702"}[language]
    sign_in(page, language)
    page.get_by_role("link", name=add, exact=True).click()
    page.get_by_label(name, exact=True).fill(f"Biuro {language}")
    page.get_by_label(description).fill(HOSTILE)
    page.get_by_role("button", name=add, exact=True).click()
    numbers = page.locator("#numbers")
    numbers.type("600")
    page.locator(".said.wrong").wait_for()
    assert numbers.get_attribute("aria-invalid") == "true"
    numbers.fill(number)
    page.locator(".said:not(.wrong)", has_text=number).wait_for()
    page.get_by_role("button", name=add, exact=True).click()
    page.get_by_role("link", name=configuration, exact=True).click()
    page.locator("#user-0").fill("test002")
    page.locator("#delay-0").fill("2,5")
    page.locator("svg.timeline", has_text="test002").wait_for()
    page.locator("#wait").fill("0")
    page.locator("#wait[aria-invalid]").wait_for()
    page.locator("#wait").fill("12")
    page.locator("svg.timeline", has_text="12").wait_for()
    page.get_by_role("button", name=save, exact=True).last.click()
    page.get_by_text(saved).wait_for()
    group = get_group(house.engine, f"biuro {language}")
    assert (group.wait, group.numbers) == (12, (number,))
    assert [(one.user, one.delay) for one in group.members] == [("test002", 2.5)]
    page.goto("/groups")
    page.get_by_text(HOSTILE).first.wait_for()
    assert page.problems == []
    page.context.close()


def test_members_are_moved_by_keys(chromium: Any, house: House) -> None:
    page = opened(chromium, house, "en")
    sign_in(page)
    page.goto("/groups/1/configuration")
    page.locator("#user-2").focus()
    page.keyboard.press("Alt+ArrowUp")
    page.keyboard.press("Alt+ArrowUp")
    assert page.evaluate("document.activeElement.id") == "user-2"
    page.get_by_role("status").get_by_text("test007 is number 1 of 4.").wait_for()
    page.get_by_role("textbox", name="Wait time, test007").wait_for()
    page.get_by_role("button", name="Move test002 down").press("Enter")
    page.keyboard.press("Enter")
    page.locator("button.main[value=save]").click()
    page.get_by_text("Saved.").wait_for()
    members = [one.user for one in get_group(house.engine, "sales").members]
    assert members == ["test007", "test006", "test002"]
    assert page.problems == []
    page.context.close()


def test_a_call_is_seen_as_it_rings(chromium: Any, house: House) -> None:
    page = opened(chromium, house, "en")
    sign_in(page)
    page.goto("/live")
    page.get_by_text("1 controller", exact=False).first.wait_for()
    call = subprocess.Popen(
        [sys.executable, "-c", CALL, house.controller, HOSTILE],
        stdin=subprocess.PIPE, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    try:
        page.get_by_text(HOSTILE).wait_for()
        page.locator("svg.timeline", has_text="rings for 2").wait_for()
        assert call.stdin is not None
        call.stdin.close()
        page.get_by_role("status").get_by_text("0 calls").wait_for()
    finally:
        call.kill()
        call.wait()
    assert page.problems == []
    page.context.close()


@pytest.mark.parametrize("scheme", CHECKED)
def test_axe_finds_nothing_serious(chromium: Any, house: House, scheme: str) -> None:
    axe = Path(axe_playwright_place())
    context = chromium.new_context(
        base_url=house.url, bypass_csp=True, color_scheme=scheme, locale="en",
        viewport={"width": 390, "height": 800} if scheme == "dark" else None,
    )  # fmt: skip
    page = context.new_page()
    sign_in(page)
    found = []
    for path in CHECKED[scheme]:
        page.goto(path)
        page.evaluate(axe.read_text(encoding="utf-8"))
        result = page.evaluate("axe.run()")
        found += [
            f"{path}: {one['id']}: {one['nodes'][0]['html']}"
            for one in result["violations"]
            if one["impact"] in ("serious", "critical")
        ]
        width = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert width <= 0, f"{path} is wider than the screen"
    assert found == []
    context.close()


def axe_playwright_place() -> str:
    import axe_playwright_python

    [place] = Path(axe_playwright_python.__file__).parent.glob("axe.min.js")
    return str(place)
