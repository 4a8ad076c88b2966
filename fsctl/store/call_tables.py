"""The tables of past calls.

Owns their shape. Whatever is compared is kept ready for comparing: names folded, numbers as their
last digits. Times are whole milliseconds, those of a leg counted from the start of its hunt. Few
constraints: a record that is refused is history that is lost, so ``call_records`` makes every value
fit before it comes here.
"""

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import Mapped, mapped_column

from fsctl.hunt.domain import LONGEST_DOMAIN
from fsctl.store.limits import LONGEST_NAME, LONGEST_USER
from fsctl.store.tables import Base

LONGEST_UUID = 64
LONGEST_NUMBER = 64
LONGEST_CALLER_NAME = 128
LONGEST_CAUSE = 64
LONGEST_CONTROLLER = 128
LONGEST_OUTCOME = 32
LONGEST_ONWARD = 300

# SQLite counts rows by itself only in a column of type INTEGER.
_Id = BigInteger().with_variant(Integer, "sqlite")
# Found by its beginning: that needs bytes in order, not a language's order.
_Bytewise = String(LONGEST_UUID).with_variant(String(LONGEST_UUID, collation="C"), "postgresql")


class CallGroup(Base):
    """A group as it was for some call, kept once however many calls it had.

    ``used_ms`` is when a call used it last, to the day: what no remaining call can have used goes.
    """

    __tablename__ = "call_group"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    document: Mapped[str] = mapped_column(Text)
    used_ms: Mapped[int] = mapped_column(BigInteger, index=True)


class Call(Base):
    """One group call. ``recorded_ms`` says which of two versions of a record is the later."""

    __tablename__ = "call_record"
    __table_args__ = (
        # A caller who goes on to another group hunts again under the same uuid.
        UniqueConstraint("uuid", "began_ms"),
        Index("ix_call_record_group_key_began_ms", "group_key", "began_ms"),
        Index("ix_call_record_caller_key_began_ms", "caller_key", "began_ms"),
        Index("ix_call_record_outcome_began_ms", "outcome", "began_ms"),
    )

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    uuid: Mapped[str] = mapped_column(_Bytewise)
    began_ms: Mapped[int] = mapped_column(BigInteger, index=True)
    recorded_ms: Mapped[int] = mapped_column(BigInteger)
    domain: Mapped[str] = mapped_column(String(LONGEST_DOMAIN))
    group_name: Mapped[str] = mapped_column(String(LONGEST_NAME))
    group_key: Mapped[str] = mapped_column(String(3 * LONGEST_NAME))
    group_digest: Mapped[str | None] = mapped_column(ForeignKey("call_group.digest"), index=True)
    number: Mapped[str] = mapped_column(String(LONGEST_NUMBER))
    caller_number: Mapped[str] = mapped_column(String(LONGEST_NUMBER))
    caller_key: Mapped[str] = mapped_column(String(3 * LONGEST_NUMBER))
    caller_name: Mapped[str] = mapped_column(String(LONGEST_CALLER_NAME))
    caller_user: Mapped[str] = mapped_column(String(LONGEST_USER))
    outcome: Mapped[str] = mapped_column(String(LONGEST_OUTCOME))
    cause: Mapped[str] = mapped_column(String(LONGEST_CAUSE))
    answered_by: Mapped[str | None] = mapped_column(String(LONGEST_USER))
    wait_ms: Mapped[int] = mapped_column(BigInteger)
    talk_ms: Mapped[int | None] = mapped_column(BigInteger)
    ended_ms: Mapped[int] = mapped_column(BigInteger)
    controller: Mapped[str] = mapped_column(String(LONGEST_CONTROLLER))
    onward: Mapped[str] = mapped_column(String(LONGEST_ONWARD), default="", server_default="")
    caller_hidden: Mapped[bool] = mapped_column(default=False, server_default=false())
    line_ms: Mapped[int | None] = mapped_column(BigInteger)


class CallAttempt(Base):
    """What one call came to for one member: a leg, or (``started_ms`` is null) no leg at all.

    ``member_user`` is the folded name without its domain. ``last`` marks the member's last leg in
    this call: a member can be rung again. ``began_ms`` is the call's.
    """

    __tablename__ = "call_attempt"
    __table_args__ = (
        Index("ix_call_attempt_began_ms", "began_ms"),
        Index("ix_call_attempt_member_user_began_ms", "member_user", "began_ms"),
    )

    call_id: Mapped[int] = mapped_column(
        _Id, ForeignKey("call_record.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    began_ms: Mapped[int] = mapped_column(BigInteger)
    member: Mapped[str] = mapped_column(String(LONGEST_USER))
    member_user: Mapped[str] = mapped_column(String(LONGEST_USER))
    last: Mapped[bool]
    started_ms: Mapped[int | None] = mapped_column(BigInteger)
    ringing_ms: Mapped[int | None] = mapped_column(BigInteger)
    answered_ms: Mapped[int | None] = mapped_column(BigInteger)
    connected_ms: Mapped[int | None] = mapped_column(BigInteger)
    ended_ms: Mapped[int | None] = mapped_column(BigInteger)
    outcome: Mapped[str] = mapped_column(String(LONGEST_OUTCOME))
    cause: Mapped[str] = mapped_column(String(LONGEST_CAUSE))
    sip_code: Mapped[int | None]
