"""The tables of the panel: who may sign in and who changed that, who is signed in, and which
calls hunt right now.

Owns their shape. A secret that a browser or a program shows (a session's, a token's) is kept as its
SHA-256 only: it is as random as a key, so nobody finds it from that. Passwords are not random, and
are kept as ``fsctl.admin.passwords`` makes them.
"""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from fsctl.hunt.domain import LONGEST_DOMAIN
from fsctl.store.call_tables import (
    LONGEST_CALLER_NAME,
    LONGEST_CONTROLLER,
    LONGEST_NUMBER,
    LONGEST_UUID,
)
from fsctl.store.limits import LONGEST_ACTOR, LONGEST_NAME
from fsctl.store.printable import Printable
from fsctl.store.tables import Base, now_ms

ROLES = ("administrator", "viewer")
LONGEST_ROLE = 16
LONGEST_LANGUAGE = 8
LONGEST_HASH = 255
LONGEST_LABEL = 64
DIGEST = 64  # SHA-256 in hexadecimal


class WebUser(Base):
    """Somebody who may sign in to the panel; with a ``domain``, to that domain's groups only."""

    __tablename__ = "web_user"
    __table_args__ = (
        UniqueConstraint("name_key"),
        CheckConstraint(f"length(name) BETWEEN 1 AND {LONGEST_NAME}", name="name"),
        CheckConstraint(Printable("name"), name="name_printable"),
        CheckConstraint("role IN ('administrator', 'viewer')", name="role"),
        CheckConstraint("length(password) > 0", name="password"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(LONGEST_NAME))
    name_key: Mapped[str] = mapped_column(String(3 * LONGEST_NAME))
    role: Mapped[str] = mapped_column(String(LONGEST_ROLE))
    domain: Mapped[str] = mapped_column(String(LONGEST_DOMAIN), default="")
    language: Mapped[str] = mapped_column(String(LONGEST_LANGUAGE), default="")
    password: Mapped[str] = mapped_column(String(LONGEST_HASH))
    created_ms: Mapped[int] = mapped_column(BigInteger, default=now_ms)


class WebSession(Base):
    """Somebody who is signed in with a browser, known by the digest of the cookie."""

    __tablename__ = "web_session"

    digest: Mapped[str] = mapped_column(String(DIGEST), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("web_user.id", ondelete="CASCADE"), index=True)
    began_ms: Mapped[int] = mapped_column(BigInteger)
    seen_ms: Mapped[int] = mapped_column(BigInteger, index=True)


class WebToken(Base):
    """What lets a program in as a user, until it is taken back."""

    __tablename__ = "web_token"
    __table_args__ = (
        UniqueConstraint("digest"),
        UniqueConstraint("user_id", "label"),
        CheckConstraint(f"length(label) BETWEEN 1 AND {LONGEST_LABEL}", name="label"),
        CheckConstraint(Printable("label"), name="label_printable"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("web_user.id", ondelete="CASCADE"))
    label: Mapped[str] = mapped_column(String(LONGEST_LABEL))
    digest: Mapped[str] = mapped_column(String(DIGEST))
    created_ms: Mapped[int] = mapped_column(BigInteger, default=now_ms)


class UserAuditEntry(Base):
    """One change of one user of the panel: who made it, when, and the user before and after.

    Apart from the changes of groups, which controllers follow. It refers to no other table, and
    holds no password and no token: what is written here stays when the user is gone.
    """

    __tablename__ = "user_audit"
    __table_args__ = (
        CheckConstraint("at > 0", name="at"),
        CheckConstraint('"before" IS NOT NULL OR "after" IS NOT NULL', name="something"),
    )

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True
    )
    at: Mapped[int] = mapped_column(BigInteger, index=True)
    actor: Mapped[str] = mapped_column(String(LONGEST_ACTOR))
    action: Mapped[str] = mapped_column(String(32))
    user_key: Mapped[str] = mapped_column(String(3 * LONGEST_NAME), index=True)
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class LiveController(Base):
    """A controller that says every second that it is there; what it said counts as long as that."""

    __tablename__ = "live_controller"

    name: Mapped[str] = mapped_column(String(LONGEST_CONTROLLER), primary_key=True)
    seen_ms: Mapped[int] = mapped_column(BigInteger, index=True)


class LiveCall(Base):
    """A call that hunts right now; ``legs`` is JSON of ``fsctl.store.live``.

    It refers to no other table: many calls come and go in a second, and an index is work.
    """

    __tablename__ = "live_call"
    __table_args__ = (Index("ix_live_call_domain_began_ms", "domain", "began_ms"),)

    controller: Mapped[str] = mapped_column(String(LONGEST_CONTROLLER), primary_key=True)
    uuid: Mapped[str] = mapped_column(String(LONGEST_UUID), primary_key=True)
    domain: Mapped[str] = mapped_column(String(LONGEST_DOMAIN))
    group_name: Mapped[str] = mapped_column(String(LONGEST_NAME))
    number: Mapped[str] = mapped_column(String(LONGEST_NUMBER))
    caller_number: Mapped[str] = mapped_column(String(LONGEST_NUMBER))
    caller_name: Mapped[str] = mapped_column(String(LONGEST_CALLER_NAME))
    began_ms: Mapped[int] = mapped_column(BigInteger)
    wait_ms: Mapped[int] = mapped_column(Integer)
    legs: Mapped[str] = mapped_column(Text)
    position: Mapped[int] = mapped_column(default=0, server_default="0")


class LiveLine(Base):
    """How many callers a controller hunts for in a group, and who waits in line there.

    ``tickets`` is JSON of ``fsctl.store.lines``: the first of those who wait, the others are
    counted only.
    """

    __tablename__ = "live_line"

    controller: Mapped[str] = mapped_column(String(LONGEST_CONTROLLER), primary_key=True)
    domain: Mapped[str] = mapped_column(String(LONGEST_DOMAIN), primary_key=True)
    group_key: Mapped[str] = mapped_column(String(3 * LONGEST_NAME), primary_key=True)
    hunting: Mapped[int]
    waiting: Mapped[int]
    tickets: Mapped[str] = mapped_column(Text)
