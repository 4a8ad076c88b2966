"""A mail server in this process (aiosmtpd), and one that says whatever it is told to."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from tests.databases import free_port

USER, PASSWORD = "fsctl@example.net", "se:cr@t/"
MOMENT = 20.0
"""Seconds that anything may take on a busy machine."""


class Mailbox:
    """Every mail that came; ``answers`` are replies for an address, in turn, before all is OK."""

    def __init__(
        self,
        tls: ssl.SSLContext | None = None,
        *,
        wrapped: bool = False,
        login: bool = False,
        port: int = 0,
    ) -> None:
        self.mails: list[tuple[str, str, EmailMessage]] = []
        self.answers: dict[str, list[str]] = {}
        self.connections = 0
        """Conversations in which a mail was begun."""
        self._changed = threading.Condition()
        more: dict[str, Any] = {}
        if login:
            more |= {"authenticator": self._let_in, "auth_required": True}
            more |= {"auth_require_tls": tls is not None and not wrapped}
        if tls and not wrapped:
            more |= {"tls_context": tls, "require_starttls": True}
        self.port = port or free_port()
        self._controller = Controller(
            self, "127.0.0.1", self.port, ssl_context=tls if wrapped else None, **more
        )
        self._controller.start()

    def _let_in(self, *given: Any) -> AuthResult:
        said = given[-1]
        assert isinstance(said, LoginPassword)
        well = (said.login, said.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=well, handled=False)

    async def handle_MAIL(
        self, _server: Any, _session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        with self._changed:
            self.connections += 1
            self._changed.notify_all()
        said = self._said(f"from {address}")
        if said.startswith("2"):
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return said

    async def handle_RCPT(
        self, _server: Any, _session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        said = self._said(address)
        if said.startswith("2"):
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
        return said

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        said = self._said("data")
        if said.startswith("2"):
            read = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(read, EmailMessage)
            [address] = envelope.rcpt_tos
            with self._changed:
                self.mails.append((envelope.mail_from, address, read))
                self._changed.notify_all()
        return said

    def _said(self, about: str) -> str:
        waiting = self.answers.get(about)
        return waiting.pop(0) if waiting else "250 OK"

    def wait(self, count: int = 1) -> list[EmailMessage]:
        """Return the mails when there are so many."""
        self.until(lambda: len(self.mails) >= count)
        assert len(self.mails) == count
        return [mail for _sender, _address, mail in self.mails]

    def until(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, MOMENT), self.mails

    @property
    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for _sender, _address, mail in self.mails]

    def stop(self) -> None:
        self._controller.stop()


@contextmanager
def mailbox(*args: Any, **more: Any) -> Iterator[Mailbox]:
    box = Mailbox(*args, **more)
    try:
        yield box
    finally:
        box.stop()


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Return a server's TLS for localhost, and the file by which a client trusts it."""
    pem, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", key, "-out", pem, "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    return context, pem


@contextmanager
def saying(first: bytes, again: bytes = b"", every: float = 0.05) -> Iterator[int]:
    """Be a server that says something at once and then again and again; return its port."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(MOMENT)

        def talk() -> None:
            try:
                sock, _ = listener.accept()
                with sock:
                    sock.sendall(first)
                    while again and not over.wait(every):
                        sock.sendall(again)
                    over.wait(MOMENT)
            except OSError:
                pass

        thread = threading.Thread(target=talk, daemon=True)
        thread.start()
        yield int(listener.getsockname()[1])
        over.set()
        thread.join(MOMENT)
