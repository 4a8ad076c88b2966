"""One conversation with the mail server, by the standard library's ``smtplib``.

Owns how long it may take, and what of a server's answers is about one mail and what about them all.
Everything here blocks; it belongs into threads.
"""

import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Timer
from typing import Any

from fsctl.mail.server import MailServer

PATIENCE = 10.0
"""Seconds for one answer of the server."""
SESSION_TIME = 30.0
"""Seconds for a whole conversation: then it is cut, however busily the server talks."""
LONGEST_REPLY = 200
_CLOSING = 421
"""Reply code of a server that ends the conversation, whatever was asked (RFC 5321, 3.8)."""
_PERMANENT = 500


class MailServerError(Exception):
    """No mail can be brought now: the server is away, or takes nothing from us."""


class BrokenOff(MailServerError):
    """The server ended the conversation over a mail: for all we know, because of that one."""


class Refused(Exception):
    """The server does not take this mail; ``permanent``: it never will (a 5xx reply)."""

    def __init__(self, code: int, reply: bytes | str) -> None:
        super().__init__(_line(code, reply))
        self.permanent = code >= _PERMANENT


class _Bounded:
    """What makes a connection of smtplib end in time; its limit begins with the connection."""

    sock: socket.socket | None
    _limit: Timer | None = None

    def connect(self, *args: Any, **more: Any) -> tuple[int, bytes]:
        """Connect, for a limited time."""
        self._limit = Timer(SESSION_TIME, self._cut)
        self._limit.daemon = True
        self._limit.start()
        try:
            return super().connect(*args, **more)  # type: ignore[misc, no-any-return]
        except BaseException:
            self._limit.cancel()
            raise

    def close(self) -> None:
        """Close the connection."""
        if self._limit:
            self._limit.cancel()
        super().close()  # type: ignore[misc]

    def _cut(self) -> None:
        if sock := self.sock:
            with suppress(OSError):  # of the socket itself: TLS is the other thread's
                socket.socket.shutdown(sock, socket.SHUT_RDWR)


class _Plain(_Bounded, smtplib.SMTP):
    pass


class _Wrapped(_Bounded, smtplib.SMTP_SSL):
    pass


class MailSession:
    """A conversation in which mails can be sent; ``session`` begins one."""

    def __init__(self, smtp: smtplib.SMTP) -> None:
        self._smtp = smtp

    def send(self, sender: str, address: str, mail: bytes) -> None:
        """Bring a mail, whole as RFC 5322 has it. Raises Refused, BrokenOff or MailServerError."""
        try:
            self._smtp.sendmail(sender, [address], mail)
        except smtplib.SMTPRecipientsRefused as error:
            raise _verdict(*next(iter(error.recipients.values()))) from None
        except smtplib.SMTPDataError as error:
            raise _verdict(error.smtp_code, error.smtp_error) from None
        except smtplib.SMTPSenderRefused as error:  # the setting's fault, not this mail's
            raise MailServerError(
                f"does not take mails of {sender}: {_line(error.smtp_code, error.smtp_error)}"
            ) from None
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise BrokenOff(_what(error)) from None


@contextmanager
def session(server: MailServer) -> Iterator[MailSession]:
    """Connect, agree on TLS and log in. Raises MailServerError: one line, without the password."""
    smtp = None
    try:
        try:
            smtp = _connected(server)
            if not server.wrapped and not server.plain:
                smtp.starttls(context=ssl.create_default_context())
            if server.user:
                smtp.login(server.user, server.password)
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise MailServerError(_what(error)) from None
        yield MailSession(smtp)
    finally:
        if smtp:
            with suppress(smtplib.SMTPException, OSError, ValueError):
                smtp.quit()
            smtp.close()


def _connected(server: MailServer) -> smtplib.SMTP:
    # A name of our own: smtplib would ask the DNS for one, and that may take long.
    name = socket.gethostname()
    name = name if "." in name and name.isascii() else "[127.0.0.1]"
    if server.wrapped:
        context = ssl.create_default_context()
        return _Wrapped(server.host, server.port, name, timeout=PATIENCE, context=context)
    return _Plain(server.host, server.port, name, timeout=PATIENCE)


def _verdict(code: int, reply: bytes | str) -> Exception:
    return BrokenOff(_line(code, reply)) if code == _CLOSING else Refused(code, reply)


def _what(error: Exception) -> str:
    """Return what went wrong, on one line, for whoever wrote the settings."""
    said = next((say(error) for kind, say in _SAID if isinstance(error, kind)), "")
    return _printable(said or str(error)) or type(error).__name__


def _unsupported(error: Any) -> str:
    if "STARTTLS" in str(error):
        return "offers no TLS; where none is needed write ?tls=no behind smtp_url"
    return "has no login that we know; see user and password in smtp_url"


def _not_let_in(error: Any) -> str:
    said = _line(error.smtp_code, error.smtp_error)
    return f"does not let us in: {said}; see user and password in smtp_url"


_SAID: tuple[tuple[type[Exception], Callable[[Any], str]], ...] = (
    (smtplib.SMTPAuthenticationError, _not_let_in),
    (smtplib.SMTPResponseException, lambda error: _line(error.smtp_code, error.smtp_error)),
    (smtplib.SMTPNotSupportedError, _unsupported),
    (smtplib.SMTPServerDisconnected, lambda _: "has closed the connection, or took too long"),
    (
        ssl.SSLCertVerificationError,
        lambda error: f"has a certificate that is not trusted: {error.verify_message}",
    ),
    (ssl.SSLError, lambda error: f"cannot agree on TLS: {error.reason or 'none is spoken there'}"),
    (TimeoutError, lambda _: "does not answer"),
    (OSError, lambda error: f"cannot be reached: {error.strerror}" if error.strerror else ""),
)
"""What is said of an error; of several that fit, the first."""


def _line(code: int, reply: bytes | str) -> str:
    text = reply.decode("ascii", "replace") if isinstance(reply, bytes) else reply
    return f"{code} {_printable(text)}".strip()


def _printable(text: str) -> str:
    """Return what a server said as a log takes it."""
    line = " ".join(text.split())[:LONGEST_REPLY]
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line)
