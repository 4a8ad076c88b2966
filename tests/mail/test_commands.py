"""``fsctl mail``, and what of it the settings tell."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from fsctl.cli.main import root
from tests.mail.mailbox import Mailbox, mailbox
from tests.mail.test_mailer import missed, write

ANNA = "anna@example.net"


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox() as made:
        yield made


def fsctl(*args: str, port: int = 0, **more: str) -> Result:
    environment = {"FSCTL_CONFIG": "", **more}
    if port:
        environment["FSCTL_SMTP_URL"] = f"smtp://127.0.0.1:{port}?tls=no"
    return CliRunner().invoke(root, args, env=environment)


def test_a_try(box: Mailbox) -> None:
    done = fsctl("mail", "test", ANNA, port=box.port, FSCTL_MAIL_SENDER="me@example.net")
    assert done.exit_code == 0
    assert done.output == f"127.0.0.1:{box.port} has taken a mail from me@example.net to {ANNA}.\n"
    assert box.subjects == ["A try: mails of missed calls arrive"]
    done = fsctl("mail", "test", ANNA, port=box.port, FSCTL_MAIL_LANGUAGE="pl")
    assert box.subjects[1] == "Próba: wiadomości o nieodebranych połączeniach dochodzą"


def test_a_try_that_fails(box: Mailbox) -> None:
    box.answers[ANNA] = ["550 no such user"]
    done = fsctl("mail", "test", ANNA, port=box.port)
    assert done.exit_code == 1
    assert done.output.endswith(f"does not take a mail to {ANNA}: 550 no such user\n")
    done = fsctl("mail", "test", "anna", port=box.port)
    assert (done.exit_code, "write a mail address" in done.output) == (2, True)
    done = fsctl("mail", "test", ANNA)
    assert (done.exit_code, "there is no mail server" in done.output) == (2, True)
    assert box.mails == []


def test_what_waits(database_url: str, engine: Engine) -> None:
    write(engine, missed())
    done = fsctl("--database-url", database_url, "mail", "list")
    assert done.output.splitlines()[0].split() == ["ASKED", "DUE", "TRIES", "TO", "CALL"]
    assert done.output.splitlines()[1].split()[-2:] == [ANNA, missed().uuid]
    done = fsctl("--database-url", database_url, "mail", "list", "--json")
    [found] = json.loads(done.output)
    assert (found["address"], found["call"], found["tries"]) == (ANNA, missed().uuid, 0)
    done = fsctl("--database-url", database_url, "mail", "list", "--json", "--domain", "a.example")
    assert json.loads(done.output) == []


def test_the_password_is_not_shown() -> None:
    url = "smtp://me:secret@mail.example.net"
    assert "secret" not in fsctl("config", FSCTL_SMTP_URL=url).output
    assert "smtp://me:***@mail.example.net:587" in fsctl("config", FSCTL_SMTP_URL=url).output
    done = fsctl("config", FSCTL_SMTP_URL="smtp://me:secret@mail.example.net?ssl=no")
    assert (done.exit_code, "secret" in done.output) == (2, False)


@pytest.mark.parametrize(
    ("name", "value"), [("FSCTL_MAIL_SENDER", "A <a@b.c>"), ("FSCTL_MAIL_LANGUAGE", "de")]
)
def test_settings_that_are_wrong(name: str, value: str) -> None:
    done = fsctl("config", **{name: value})
    assert (done.exit_code, done.output.count("\n"), "write" in done.output) == (2, 1, True)
