"""Who hears of a call that nobody took, by mail: a real mail server holds what was sent."""

from __future__ import annotations

import json
from collections.abc import Iterator

import gevent
import pytest
from click.testing import CliRunner

from fsctl.cli.main import root
from tests.mail.mailbox import Mailbox, mailbox
from tests.scenarios.conftest import MakeGroup
from tests.scenarios.controllers import ServedController
from tests.scenarios.rig import Rig, Script
from tests.scenarios.test_endings import records

READER = "anna@example.net"


@pytest.fixture(scope="module")
def server() -> Iterator[Mailbox]:
    with mailbox() as box:
        yield box


@pytest.fixture(scope="module")
def telling(database_url: str, server: Mailbox) -> Iterator[ServedController]:
    """A controller that sends mails."""
    url = f"smtp://127.0.0.1:{server.port}?tls=no"
    served = ServedController(database_url, smtp_url=url, mail_language="pl")
    yield served
    served.stop()


@pytest.fixture
def box(server: Mailbox) -> Iterator[Mailbox]:
    yield server
    server.mails.clear()


def waiting(database_url: str) -> list[object]:
    done = CliRunner().invoke(root, ["--database-url", database_url, "mail", "list", "--json"])
    found: list[object] = json.loads(done.stdout)
    return found


def until_nothing_waits(database_url: str) -> None:
    for _ in range(100):
        if not waiting(database_url):
            return
        gevent.sleep(0.05)
    raise AssertionError(f"mails wait: {waiting(database_url)}")


def test_the_caller_gives_up_and_one_mail_says_so(
    rig: Rig, group: MakeGroup, telling: ServedController, box: Mailbox
) -> None:
    rig.phone("test002")
    rig.phone("test006", Script(refuse=486))
    number = group(["test002", "test006"], missed_mail=READER)
    call = rig.dial(number, controllers=telling.address)
    rig.log.wait("test002", "invite")
    rig.log.wait("test006", "busy")
    call.hang_up()
    rig.log.wait("test002", "cancel")
    mail = gevent.get_hub().threadpool.apply(box.wait)[0]
    assert mail["To"] == READER
    assert mail["Subject"] == (f"Nieodebrane połączenie do group {number}: Kowalski, +48600100200")
    text = str(mail.get_content())
    assert "dzwoniący się rozłączył" in text
    assert "- test006: " in text
    assert f"Rozmowa: {call.uuid}" in text


def test_a_withheld_caller_stays_withheld(
    rig: Rig, group: MakeGroup, telling: ServedController, box: Mailbox
) -> None:
    rig.phone("test002", phones=0)
    number = group(["test002"], missed_mail=READER)
    rig.dial(number, controllers=telling.address, hidden=True)
    rig.log.wait("caller", "released")
    mail = gevent.get_hub().threadpool.apply(box.wait)[0]
    assert mail["Subject"] == f"Nieodebrane połączenie do group {number}: numer zastrzeżony"
    assert "600100200" not in mail.as_string()


def test_an_answered_call_and_one_that_the_next_group_answers(
    rig: Rig, group: MakeGroup, telling: ServedController, box: Mailbox, database_url: str
) -> None:
    rig.phone("test002", Script(refuse=486))
    rig.phone("test006", Script(answer_after=0.2))
    second = group(["test006"], missed_mail=READER)
    first = group(["test002"], missed_mail=READER, ending=f"group group {second}")
    for who, number, count in (("one", second, 1), ("two", first, 2)):
        call = rig.dial(number, controllers=telling.address, who=who)
        rig.log.wait(who, "answered")
        call.hang_up()
        rig.log.wait("test006", "bye", count=count)
        outcomes = [one["outcome"] for one in records(database_url, call.uuid, count)]
        assert outcomes == ["busy", "answered"][-count:]
    until_nothing_waits(database_url)
    assert box.mails == []


def test_a_call_that_comes_back_from_the_dialplan_and_is_answered(
    rig: Rig, group: MakeGroup, telling: ServedController, box: Mailbox, database_url: str
) -> None:
    rig.phone("test002", Script(refuse=486))
    rig.phone("test006", Script(answer_after=0.2))
    second = group(["test006"])
    first = group(["test002"], missed_mail=READER, when_busy=f"extension {second} rig")
    call = rig.dial(first, controllers=telling.address)
    rig.log.wait("caller", "answered")
    call.hang_up()
    rig.log.wait("test006", "bye")
    records(database_url, call.uuid)
    until_nothing_waits(database_url)
    assert box.mails == []
