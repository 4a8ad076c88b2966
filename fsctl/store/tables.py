"""The tables, as SQLAlchemy's typed declarative classes.

Owns the shape of what is kept and the constraints that hold whoever writes. Times are whole
milliseconds. ``SCHEMA`` names the migration that makes exactly these tables; whoever changes a
table adds a migration and moves it on.
"""

import time
import unicodedata
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    UniqueConstraint,
    false,
    text,
    true,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from fsctl.caches import cache_of_texts
from fsctl.hunt.domain import LONGEST_DOMAIN
from fsctl.hunt.endings import Reason
from fsctl.hunt.group import PICKUP
from fsctl.hunt.strategies import STRATEGIES
from fsctl.store import limits
from fsctl.store.printable import Printable

SCHEMA = "0014"

_USER_CHARACTERS = (
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-@"  # as in a constraint
)
_RING_TIME = (
    f"ring_time_ms BETWEEN {limits.SHORTEST_RING_TIME_MS} AND {limits.LONGEST_RING_TIME_MS}"
)
_ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_RECORDING_CHARACTERS = _ALPHANUMERIC + "/._+@{}-"
_DOMAIN_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789.-"


ENDINGS = ("ending", *(reason.value for reason in Reason))
"""The columns that say where calls go that nobody takes."""
_SOUNDS = (
    "music",
    "greeting",
    "announcement",
    "confirm_prompt",
    "too_late",
    "line_music",
    "line_position",
)
_LINE_TIMES = ("line_wait_ms", "line_retry_ms", "line_every_ms")


class Base(DeclarativeBase):
    """What every table belongs to. Constraints are named so that migrations can name them too."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def now_ms() -> int:
    """Milliseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1_000_000


@cache_of_texts(1_000, limits.LONGEST_NAME)
def name_key(name: str) -> str:
    """Return what two names of the same group have in common: case does not tell groups apart."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


class HuntGroup(Base):
    """A hunt group. Its name is its own within its domain."""

    __tablename__ = "hunt_group"
    __table_args__ = (
        UniqueConstraint("domain", "name_key"),
        # What a number's domain refers to.
        UniqueConstraint("id", "domain"),
        CheckConstraint(
            f"length(domain) <= {LONGEST_DOMAIN} AND ltrim(domain, '{_DOMAIN_CHARACTERS}') = ''",
            name="domain",
        ),
        CheckConstraint(
            f"length(name) BETWEEN 1 AND {limits.LONGEST_NAME} AND trim(name) = name", name="name"
        ),
        CheckConstraint(Printable("name"), name="name_printable"),
        CheckConstraint("length(name_key) > 0", name="name_key"),
        CheckConstraint(f"length(description) <= {limits.LONGEST_DESCRIPTION}", name="description"),
        CheckConstraint(Printable("description"), name="description_printable"),
        CheckConstraint(
            f"wait_ms BETWEEN {limits.SHORTEST_WAIT_MS} AND {limits.LONGEST_WAIT_MS}",
            name="wait_ms",
        ),
        CheckConstraint("advance IN (true, false)", name="advance"),
        CheckConstraint("enabled IN (true, false)", name="enabled"),
        CheckConstraint("created_at > 0", name="created_at"),
        CheckConstraint(f"strategy IN {tuple(STRATEGIES)}", name="strategy"),
        CheckConstraint(_RING_TIME, name="ring_time_ms"),
        CheckConstraint(f"rounds BETWEEN 1 AND {limits.MOST_ROUNDS}", name="rounds"),
        CheckConstraint(f"length(hours) <= {limits.LONGEST_HOURS}", name="hours"),
        CheckConstraint(f"length(dates) <= {limits.LONGEST_DATES}", name="dates"),
        CheckConstraint("length(closed_until) = 16", name="closed_until"),
        CheckConstraint(f"length(time_zone) BETWEEN 1 AND {limits.LONGEST_ZONE}", name="time_zone"),
        CheckConstraint(f"length(caller_name) <= {limits.LONGEST_SHOWN}", name="caller_name"),
        CheckConstraint(Printable("caller_name"), name="caller_name_printable"),
        CheckConstraint(f"length(caller_number) <= {limits.LONGEST_SHOWN}", name="caller_number"),
        CheckConstraint(Printable("caller_number"), name="caller_number_printable"),
        CheckConstraint(
            f"length(alert_info) BETWEEN 1 AND {limits.LONGEST_ALERT_INFO}", name="alert_info"
        ),
        CheckConstraint(Printable("alert_info"), name="alert_info_printable"),
        CheckConstraint("diversion IN (true, false)", name="diversion"),
        *(
            CheckConstraint(f"length({sound}) BETWEEN 1 AND {limits.LONGEST_SOUND}", name=sound)
            for sound in _SOUNDS
        ),
        *(CheckConstraint(Printable(sound), name=f"{sound}_printable") for sound in _SOUNDS),
        CheckConstraint(
            f"announce_every_ms BETWEEN {limits.SHORTEST_ANNOUNCE_EVERY_MS}"
            f" AND {limits.LONGEST_ANNOUNCE_EVERY_MS}",
            name="announce_every_ms",
        ),
        CheckConstraint("answer_first IN (true, false)", name="answer_first"),
        CheckConstraint(
            f"length(recording) BETWEEN 1 AND {limits.LONGEST_RECORDING}"
            f" AND ltrim(recording, '{_RECORDING_CHARACTERS}') = ''",
            name="recording",
        ),
        *(
            CheckConstraint(f"length({ending}) BETWEEN 1 AND {limits.LONGEST_ENDING}", name=ending)
            for ending in ENDINGS
        ),
        *(CheckConstraint(Printable(ending), name=f"{ending}_printable") for ending in ENDINGS),
        CheckConstraint("skip_busy IN (true, false)", name="skip_busy"),
        CheckConstraint(f"pickup IN {PICKUP}", name="pickup"),
        CheckConstraint(f"length(missed_mail) <= {limits.LONGEST_MISSED_MAIL}", name="missed_mail"),
        CheckConstraint(Printable("missed_mail"), name="missed_mail_printable"),
        CheckConstraint(
            f"length(missed_when) BETWEEN 1 AND {limits.LONGEST_MISSED_WHEN}", name="missed_when"
        ),
        CheckConstraint(f"max_callers BETWEEN 1 AND {limits.MOST_CALLERS}", name="max_callers"),
        CheckConstraint(f"line BETWEEN 1 AND {limits.MOST_IN_LINE}", name="line"),
        *(
            CheckConstraint(
                f"{time} BETWEEN {limits.SHORTEST_WAIT_MS} AND {limits.LONGEST_WAIT_MS}", name=time
            )
            for time in _LINE_TIMES
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(limits.LONGEST_NAME))
    # Folding a case can make three characters of one.
    name_key: Mapped[str] = mapped_column(String(3 * limits.LONGEST_NAME))
    description: Mapped[str] = mapped_column(String(limits.LONGEST_DESCRIPTION), default="")
    wait_ms: Mapped[int]
    advance: Mapped[bool]
    enabled: Mapped[bool]
    created_at: Mapped[int] = mapped_column(BigInteger, default=now_ms)
    domain: Mapped[str] = mapped_column(String(LONGEST_DOMAIN), default="", server_default="")
    strategy: Mapped[str] = mapped_column(
        String(limits.LONGEST_STRATEGY), default="delayed", server_default="delayed"
    )
    ring_time_ms: Mapped[int | None]
    rounds: Mapped[int] = mapped_column(default=1, server_default="1")
    # The forms of these are ``fsctl.hunt.opening``'s.
    hours: Mapped[str] = mapped_column(String(limits.LONGEST_HOURS), default="", server_default="")
    dates: Mapped[str] = mapped_column(String(limits.LONGEST_DATES), default="", server_default="")
    closed_until: Mapped[str | None] = mapped_column(String(limits.LONGEST_MOMENT))
    time_zone: Mapped[str] = mapped_column(
        String(limits.LONGEST_ZONE), default="Europe/Warsaw", server_default="Europe/Warsaw"
    )
    caller_name: Mapped[str] = mapped_column(
        String(limits.LONGEST_SHOWN), default="{name}", server_default="{name}"
    )
    caller_number: Mapped[str] = mapped_column(
        String(limits.LONGEST_SHOWN), default="{number}", server_default="{number}"
    )
    alert_info: Mapped[str | None] = mapped_column(String(limits.LONGEST_ALERT_INFO))
    diversion: Mapped[bool] = mapped_column(default=False, server_default=false())
    music: Mapped[str | None] = mapped_column(String(limits.LONGEST_SOUND))
    greeting: Mapped[str | None] = mapped_column(String(limits.LONGEST_SOUND))
    announcement: Mapped[str | None] = mapped_column(String(limits.LONGEST_SOUND))
    announce_every_ms: Mapped[int] = mapped_column(default=30_000, server_default="30000")
    answer_first: Mapped[bool] = mapped_column(default=False, server_default=false())
    recording: Mapped[str | None] = mapped_column(String(limits.LONGEST_RECORDING))
    confirm_prompt: Mapped[str | None] = mapped_column(String(limits.LONGEST_SOUND))
    too_late: Mapped[str | None] = mapped_column(String(limits.LONGEST_SOUND))
    # The forms of these are ``fsctl.hunt.endings``'s.
    ending: Mapped[str | None] = mapped_column(String(limits.LONGEST_ENDING))
    when_no_answer: Mapped[str | None] = mapped_column(String(limits.LONGEST_ENDING))
    when_busy: Mapped[str | None] = mapped_column(String(limits.LONGEST_ENDING))
    when_unreachable: Mapped[str | None] = mapped_column(String(limits.LONGEST_ENDING))
    when_no_members: Mapped[str | None] = mapped_column(String(limits.LONGEST_ENDING))
    when_closed: Mapped[str | None] = mapped_column(String(limits.LONGEST_ENDING))
    when_disabled: Mapped[str | None] = mapped_column(String(limits.LONGEST_ENDING))
    skip_busy: Mapped[bool] = mapped_column(default=False, server_default=false())
    # The forms of these are ``fsctl.mail.address``'s and ``fsctl.hunt.missed``'s.
    missed_mail: Mapped[str] = mapped_column(
        String(limits.LONGEST_MISSED_MAIL), default="", server_default=""
    )
    missed_when: Mapped[str] = mapped_column(
        String(limits.LONGEST_MISSED_WHEN), default="all", server_default="all"
    )
    pickup: Mapped[str] = mapped_column(
        String(limits.LONGEST_PICKUP), default="members", server_default="members"
    )
    max_callers: Mapped[int | None]
    line: Mapped[int | None]
    line_wait_ms: Mapped[int] = mapped_column(default=300_000, server_default="300000")
    line_retry_ms: Mapped[int] = mapped_column(default=10_000, server_default="10000")
    line_music: Mapped[str | None] = mapped_column(String(limits.LONGEST_SOUND))
    line_position: Mapped[str | None] = mapped_column(String(limits.LONGEST_SOUND))
    line_every_ms: Mapped[int] = mapped_column(default=30_000, server_default="30000")
    when_full: Mapped[str | None] = mapped_column(String(limits.LONGEST_ENDING))
    when_line_over: Mapped[str | None] = mapped_column(String(limits.LONGEST_ENDING))

    numbers: Mapped[list["GroupNumber"]] = relationship(
        cascade="all, delete-orphan", passive_deletes=True, order_by="GroupNumber.id"
    )
    members: Mapped[list["GroupMember"]] = relationship(
        cascade="all, delete-orphan",
        passive_deletes=True,
        order_by="(GroupMember.position, GroupMember.id)",
    )


class GroupNumber(Base):
    """A number that calls a group.

    ``domain`` is always the group's own. A city number is one group's everywhere, an internal
    number one group's within its domain.
    """

    __tablename__ = "group_number"
    __table_args__ = (
        ForeignKeyConstraint(
            ["group_id", "domain"],
            ["hunt_group.id", "hunt_group.domain"],
            ondelete="CASCADE",
            onupdate="CASCADE",
        ),
        Index(
            "uq_group_number_city",
            "number",
            unique=True,
            sqlite_where=text("kind = 'city'"),
            postgresql_where=text("kind = 'city'"),
        ),
        Index(
            "uq_group_number_internal",
            "number",
            "domain",
            unique=True,
            sqlite_where=text("kind = 'internal'"),
            postgresql_where=text("kind = 'internal'"),
        ),
        Index(None, "number"),
        CheckConstraint(
            "(kind = 'city' AND length(number) BETWEEN 3 AND 16"
            " AND substr(number, 1, 1) = '+' AND substr(number, 2, 1) <> '0'"
            " AND ltrim(substr(number, 2), '0123456789') = '')"
            " OR (kind = 'internal' AND length(number) BETWEEN 1 AND 8"
            " AND ltrim(number, '0123456789*#') = '')",
            name="number",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    group_id: Mapped[int] = mapped_column(index=True)
    number: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(8))
    domain: Mapped[str] = mapped_column(String(LONGEST_DOMAIN), default="", server_default="")


class GroupMember(Base):
    """A user of a group. ``position`` is the order of joining."""

    __tablename__ = "group_member"
    __table_args__ = (
        UniqueConstraint("group_id", "user"),
        CheckConstraint(
            f'(length("user") BETWEEN 1 AND {limits.LONGEST_USER}'
            f" AND ltrim(\"user\", '{_USER_CHARACTERS}') = ''"
            " AND ltrim(substr(\"user\", 1, 1), '._+-@') <> '')"
            ' OR (length("user") BETWEEN 3 AND 16'
            " AND substr(\"user\", 1, 1) = '+' AND substr(\"user\", 2, 1) <> '0'"
            " AND ltrim(substr(\"user\", 2), '0123456789') = '')"
            " OR (substr(\"user\", 1, 6) = 'group:'"
            f' AND length("user") BETWEEN 7 AND {6 + limits.LONGEST_NAME})',
            name="user",
        ),
        CheckConstraint(Printable('"user"'), name="user_printable"),
        CheckConstraint(f"delay_ms BETWEEN 0 AND {limits.LONGEST_DELAY_MS}", name="delay_ms"),
        CheckConstraint("enabled IN (true, false)", name="enabled"),
        CheckConstraint("position >= 0", name="position"),
        CheckConstraint(_RING_TIME, name="ring_time_ms"),
        CheckConstraint(f'"order" BETWEEN 0 AND {limits.LAST_PLACE}', name="order"),
        CheckConstraint(f"weight BETWEEN 1 AND {limits.HEAVIEST_WEIGHT}", name="weight"),
        CheckConstraint(f"length(note) <= {limits.LONGEST_NOTE}", name="note"),
        CheckConstraint(Printable("note"), name="note_printable"),
        CheckConstraint("confirm IN (true, false)", name="confirm"),
        CheckConstraint("signed_on IN (true, false)", name="signed_on"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("hunt_group.id", ondelete="CASCADE"))
    user: Mapped[str] = mapped_column(String(limits.LONGEST_USER))
    delay_ms: Mapped[int]
    enabled: Mapped[bool]
    position: Mapped[int]
    ring_time_ms: Mapped[int | None]
    order: Mapped[int] = mapped_column(default=0, server_default="0")
    weight: Mapped[int] = mapped_column(default=1, server_default="1")
    note: Mapped[str] = mapped_column(String(limits.LONGEST_NOTE), default="", server_default="")
    confirm: Mapped[bool] = mapped_column(default=False, server_default=false())
    signed_on: Mapped[bool] = mapped_column(default=True, server_default=true())


class MemberMemory(Base):
    """What strategies remember of a member; goes when the member does (``fsctl.store.memory``).

    ``answered_ms`` is when the last caller was answered, ``idle_ms`` when the last conversation was
    over (or began, while it goes on), ``calls`` how many callers there were; ``written_ms`` is when
    this row was written, by which controllers find what is new.
    """

    __tablename__ = "member_memory"
    __table_args__ = (
        CheckConstraint("answered_ms > 0 AND idle_ms > 0", name="times"),
        CheckConstraint("calls >= 0", name="calls"),
    )

    member_id: Mapped[int] = mapped_column(
        ForeignKey("group_member.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    answered_ms: Mapped[int] = mapped_column(BigInteger)
    idle_ms: Mapped[int] = mapped_column(BigInteger)
    calls: Mapped[int]
    written_ms: Mapped[int] = mapped_column(BigInteger, index=True)


class GroupRevision(Base):
    """The one row that says how often groups have changed (see ``fsctl.store.revision``)."""

    __tablename__ = "group_revision"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigInteger)


class AuditEntry(Base):
    """One change of one group: who made it, when, and the group before and after as a document.

    It refers to no other table: what is written here stays when the group is gone.
    """

    __tablename__ = "audit"
    __table_args__ = (
        CheckConstraint("at > 0", name="at"),
        CheckConstraint(f"length(actor) BETWEEN 1 AND {limits.LONGEST_ACTOR}", name="actor"),
        CheckConstraint(Printable("actor"), name="actor_printable"),
        CheckConstraint('"before" IS NOT NULL OR "after" IS NOT NULL', name="something"),
        Index("ix_audit_domain_group_key", "domain", "group_key"),
        Index("ix_audit_domain_former_key", "domain", "former_key"),
    )

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True
    )
    at: Mapped[int] = mapped_column(BigInteger, index=True)
    actor: Mapped[str] = mapped_column(String(limits.LONGEST_ACTOR))
    action: Mapped[str] = mapped_column(String(32))
    domain: Mapped[str] = mapped_column(String(LONGEST_DOMAIN))
    group_key: Mapped[str] = mapped_column(String(3 * limits.LONGEST_NAME))
    former_key: Mapped[str | None] = mapped_column(String(3 * limits.LONGEST_NAME))
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    # With which revision of the groups the change came; null only until its transaction ends.
    revision: Mapped[int | None] = mapped_column(BigInteger, index=True)
