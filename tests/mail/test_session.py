"""What is said to a mail server, and what is made of its answers."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fsctl.mail import session as session_module
from fsctl.mail.server import MailServer
from fsctl.mail.session import BrokenOff, MailServerError, Refused, session
from tests.databases import free_port
from tests.mail.mailbox import PASSWORD, USER, Mailbox, certificate, mailbox, saying

MAIL = b"Subject: try\r\n\r\nhello\r\n"
SENDER, READER = "fsctl@example.net", "anna@example.net"


@pytest.fixture
def plain() -> Iterator[Mailbox]:
    with mailbox() as box:
        yield box


def send(server: MailServer) -> None:
    with session(server) as talk:
        talk.send(SENDER, READER, MAIL)


def trouble(server: MailServer) -> str:
    with pytest.raises(MailServerError) as told:
        send(server)
    return str(told.value)


def here(box: Mailbox, **more: object) -> MailServer:
    return MailServer("127.0.0.1", box.port, **more)  # type: ignore[arg-type]


def test_a_mail_arrives(plain: Mailbox) -> None:
    send(here(plain, plain=True))
    [(sender, reader, mail)] = plain.mails
    assert (sender, reader, mail["Subject"]) == (SENDER, READER, "try")


@pytest.mark.filterwarnings("ignore:Requiring AUTH")  # it does not see TLS from the first byte
@pytest.mark.parametrize("wrapped", [True, False])
def test_tls_and_a_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrapped: bool) -> None:
    tls, trusted = certificate(tmp_path)
    with mailbox(tls, wrapped=wrapped, login=True) as box:
        server = here(box, wrapped=wrapped, user=USER, password=PASSWORD)
        assert "certificate that is not trusted" in trouble(server)
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        send(server)
        assert box.subjects == ["try"]
        wrong = server._replace(password="no")
        said = trouble(wrong)
        assert said.startswith("does not let us in: 535 ")
        assert said.endswith("see user and password in smtp_url")


def test_no_password_without_tls(plain: Mailbox) -> None:
    server = here(plain, user=USER, password=PASSWORD)
    assert trouble(server) == "offers no TLS; where none is needed write ?tls=no behind smtp_url"
    assert plain.connections == 0


def test_what_is_no_mail_server() -> None:
    assert "Connection refused" in trouble(MailServer("127.0.0.1", free_port()))
    with saying(b"HTTP/1.0 200 OK\r\n\r\n") as port:
        assert trouble(MailServer("127.0.0.1", port))
    with saying(b"220 hello\r\n") as port:
        assert "TLS" in trouble(MailServer("127.0.0.1", port, wrapped=True))


def test_a_server_that_talks_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "SESSION_TIME", 0.3)
    began = time.monotonic()
    with saying(b"220-hello\r\n", again=b"220-and hello\r\n") as port:
        assert "took too long" in trouble(MailServer("127.0.0.1", port))
    assert time.monotonic() - began < session_module.PATIENCE


def test_a_server_that_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "PATIENCE", 0.2)
    with saying(b"") as port:
        assert trouble(MailServer("127.0.0.1", port)).endswith("took too long")


@pytest.mark.parametrize("place", [READER, "data"])
@pytest.mark.parametrize("code", [450, 550])
def test_a_mail_that_is_not_taken(plain: Mailbox, place: str, code: int) -> None:
    plain.answers[place] = [f"{code} no\x07t that one"]
    with pytest.raises(Refused) as told:
        send(here(plain, plain=True))
    assert told.value.permanent == (code == 550)
    assert str(told.value).startswith(f"{code} no")
    assert str(told.value).isprintable()


def test_what_is_about_all_mails(plain: Mailbox) -> None:
    plain.answers[READER] = ["421 come again"]
    assert trouble(here(plain, plain=True)) == "421 come again"
    plain.answers["data"] = ["421 come again"]
    with pytest.raises(BrokenOff):
        send(here(plain, plain=True))
    plain.answers[f"from {SENDER}"] = ["550 not you"]
    assert trouble(here(plain, plain=True)) == f"does not take mails of {SENDER}: 550 not you"
