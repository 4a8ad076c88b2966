"""The mail server that takes mails of missed calls: whether it lets us in. Nothing is sent."""

from collections.abc import Iterator

import gevent
from sqlalchemy import Engine

from fsctl.doctor.finding import Finding, fault, ok, warning
from fsctl.mail.server import MailServer
from fsctl.mail.session import MailServerError, session
from fsctl.settings import Settings
from fsctl.store import outbox
from fsctl.store.engine import reading
from fsctl.store.tables import now_ms

PART = "mail"
LONG_WAIT_MS = 600_000
"""Milliseconds after which a mail that is due should have been sent."""
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def examine_mail(settings: Settings) -> Iterator[Finding]:
    """Connect to the mail server that is named, agree on TLS and log in."""
    server = settings.smtp_url
    if server is None:
        return
    trouble: str | None = gevent.get_hub().threadpool.apply(_trouble, (server,))
    if trouble:
        yield fault(
            PART,
            f"mail server {server} {trouble}",
            "see the setting smtp_url, for fsctl serve too; mails wait for a day",
        )
        return
    yield ok(PART, f"mail server {server} lets us in")
    if server.plain and server.user and server.host not in _LOOPBACK:
        yield warning(
            PART,
            f"the password for mail server {server} goes over the network for all to read",
            "leave ?tls=no out of smtp_url, if the server offers TLS",
        )


def examine_outbox(engine: Engine) -> Iterator[Finding]:
    """Look whether mails wait that should have been sent. Raises StoreError."""
    with reading(engine) as there:
        late = outbox.read_due(there, now_ms() - LONG_WAIT_MS)
    if late:
        yield warning(
            PART,
            f"mails of missed calls wait for more than ten minutes: {len(late)}",
            "see: fsctl mail list; start fsctl serve with smtp_url; its log says what it meets",
        )


def _trouble(server: MailServer) -> str | None:
    try:
        with session(server):
            return None
    except MailServerError as error:
        return str(error)
