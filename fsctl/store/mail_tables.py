"""The tables of mails about missed calls: what waits to be told to whom, and whose turn it is.

Owns their shape. Times are milliseconds since 1970 UTC.
"""

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from fsctl.hunt.domain import LONGEST_DOMAIN
from fsctl.store.call_tables import LONGEST_CONTROLLER, LONGEST_UUID
from fsctl.store.tables import Base

LONGEST_ADDRESS = 254
LONGEST_RESULT = 8
LONGEST_MESSAGE_ID = 320


class Mail(Base):
    """One call of which one address is to hear, once: rows stay for a while when they are done.

    ``domain`` is the group's that asked. ``done_ms`` is null while it waits for ``due_ms``; then
    ``result`` is what became of it (``fsctl.store.outbox``), and ``message_id`` which mail told it.
    It refers to no other table: a record that is removed meanwhile needs no mail.
    """

    __tablename__ = "mail_outbox"
    __table_args__ = (
        UniqueConstraint("uuid", "domain", "address"),
        Index("ix_mail_outbox_done_ms_due_ms", "done_ms", "due_ms"),
        Index("ix_mail_outbox_address_done_ms", "address", "done_ms"),
    )

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    uuid: Mapped[str] = mapped_column(String(LONGEST_UUID))
    domain: Mapped[str] = mapped_column(String(LONGEST_DOMAIN))
    address: Mapped[str] = mapped_column(String(LONGEST_ADDRESS))
    asked_ms: Mapped[int] = mapped_column(BigInteger)
    due_ms: Mapped[int] = mapped_column(BigInteger)
    tries: Mapped[int] = mapped_column(default=0, server_default="0")
    done_ms: Mapped[int | None] = mapped_column(BigInteger)
    result: Mapped[str | None] = mapped_column(String(LONGEST_RESULT))
    message_id: Mapped[str | None] = mapped_column(String(LONGEST_MESSAGE_ID))


class MailTurn(Base):
    """The one row that says which controller may send mails, and until when."""

    __tablename__ = "mail_turn"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    holder: Mapped[str] = mapped_column(String(LONGEST_CONTROLLER))
    until_ms: Mapped[int] = mapped_column(BigInteger)
