"""Records of calls as plain values: what a controller writes down, and how it looks on disk.

Owns what a record may hold: numbers and names come from strangers, so ``cleaned`` makes any record
one that both databases and every terminal can take. Knows no table.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from enum import StrEnum
from functools import lru_cache
from typing import Any

import msgspec
import orjson
from msgspec import Struct

from fsctl.hunt.domain import LONGEST_DOMAIN
from fsctl.hunt.group import MOST_KEPT, Group, Member, kept
from fsctl.hunt.ledger import Leg
from fsctl.hunt.machine import Hunt
from fsctl.hunt.outcomes import CALLER_GONE, TEMPORARY_FAILURE, Outcome, outcome_of
from fsctl.store.call_tables import (
    LONGEST_CALLER_NAME,
    LONGEST_CAUSE,
    LONGEST_CONTROLLER,
    LONGEST_NUMBER,
    LONGEST_ONWARD,
    LONGEST_OUTCOME,
    LONGEST_UUID,
)
from fsctl.store.limits import LONGEST_NAME, LONGEST_USER

LONGEST_GROUP = 500_000
"""Characters of a group as it was; beyond that it is left out."""
LONGEST_TIME = 1e8
"""Seconds: three years, longer than anything that is timed within a call."""
LATEST = 4e9
"""The latest UTC time, in epoch seconds: in the year 2096."""
MOST_ATTEMPTS = 10_000


class CallOutcome(StrEnum):
    """How a group call ended for its caller."""

    ANSWERED = "answered"
    NO_ANSWER = "no answer"
    BUSY = "busy"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    FAILED = "failed"
    GAVE_UP = "caller gave up"
    NO_SUCH_NUMBER = "no such number"
    DISABLED = "disabled"
    NO_MEMBERS = "no members"
    CLOSED = "closed"
    FULL = "too many callers"
    LINE_OVER = "waited too long"
    """In line, for as long as the group lets anybody wait."""
    TOO_MANY_HOPS = "too many hops"
    HANDED_BACK = "handed back"
    """The controller could not go on; the dialplan did."""
    SWITCH_LOST = "switch lost"
    """FreeSWITCH died, or could not be reached any more, while the caller waited."""
    INTERRUPTED = "interrupted"
    """The controller died in mid-hunt; the switch finished what was started (``store.live``)."""


REFUSED = (
    CallOutcome.NO_SUCH_NUMBER,
    CallOutcome.DISABLED,
    CallOutcome.NO_MEMBERS,
    CallOutcome.CLOSED,
    CallOutcome.FULL,
    CallOutcome.TOO_MANY_HOPS,
)
"""Outcomes of calls that never hunted, unless their caller waited: telephones rang for him, or he
stood in line, before it came to that."""


class Attempt(Struct, frozen=True, gc=False):
    """One leg. Times are seconds from the start of the hunt, None for what did not happen.

    ``outcome`` is a value of ``fsctl.hunt.outcomes.Outcome``, ``cause`` FreeSWITCH's hangup cause,
    ``sip_code`` the telephone's final reply when there was one.
    """

    member: str
    started: float
    ringing: float | None = None
    answered: float | None = None
    connected: float | None = None
    ended: float | None = None
    outcome: str = ""
    cause: str = ""
    sip_code: int | None = None


class CallRecord(Struct, frozen=True, gc=False):
    """One group call; ``uuid`` and ``began`` together tell it from all others.

    ``began`` and ``ended`` are UTC epoch seconds. ``wait_seconds`` is how long the caller waited
    for a member, a release or their own patience; ``talk_seconds`` is None while unknown.
    ``caller_user`` is the calling directory user. ``group_as_it_was`` is ``group_text``'s.
    ``onward`` is where the caller went when nobody took the call (``fsctl.hunt.endings``).
    ``caller_hidden``: the caller asked not to be shown.
    ``line_seconds`` is how much of the wait was in line, None for a caller who never was.
    """

    uuid: str
    domain: str
    group: str
    number: str
    caller_number: str
    caller_name: str
    began: float
    wait_seconds: float
    outcome: str
    cause: str
    ended: float
    answered_by: str | None = None
    talk_seconds: float | None = None
    group_as_it_was: str = ""
    attempts: tuple[Attempt, ...] = ()
    controller: str = ""
    caller_user: str = ""
    onward: str = ""
    caller_hidden: bool = False
    line_seconds: float | None = None


class Version(Struct, frozen=True, gc=False):
    """A record as it was put: of two for the same call the one with the later stamp counts."""

    recorded_ms: int
    record: CallRecord


# From a hunt to a record


def attempts_of(
    legs: Iterable[Leg], sip_codes: dict[int, int] | None = None
) -> tuple[Attempt, ...]:
    """Return what a hunt's legs came to; ``sip_codes`` are final replies by leg number.

    A leg that was called off and not seen to end is recorded with what it was called off for.
    """
    codes = sip_codes or {}
    return tuple(
        Attempt(
            leg.member,
            leg.started,
            leg.ringing,
            leg.answered,
            leg.connected,
            leg.ended,
            (leg.outcome or outcome_of(leg.refused or leg.cancelled)).value,
            leg.cause or leg.refused or leg.cancelled,
            codes.get(leg.number),
        )
        for leg in legs
    )


def call_outcome(hunt: Hunt) -> CallOutcome:
    """Return how a hunt ended for its caller; one that is not over was handed back."""
    if hunt.winner is not None:
        return CallOutcome.ANSWERED
    if not hunt.ended:
        return CallOutcome.HANDED_BACK
    released_for = outcome_of(hunt.cause)
    if any(leg.cancelled == CALLER_GONE for leg in hunt.legs.values()):
        return CallOutcome.GAVE_UP
    if released_for in _REFUSALS or hunt.cause == TEMPORARY_FAILURE:
        return CallOutcome(released_for.value)
    return CallOutcome.GAVE_UP


def was_picked_up(record: CallRecord) -> bool:
    """Whether who answered a call picked it up by the code, without being rung."""
    return any(attempt.outcome == Outcome.PICKED_UP.value for attempt in record.attempts)


_REFUSALS = (Outcome.NO_ANSWER, Outcome.BUSY, Outcome.REJECTED, Outcome.UNREACHABLE)


@kept
def group_text(group: Group) -> str:
    """Return a group as records keep it: JSON, without the groups that calls may go on to."""
    return orjson.dumps(replace(group, onward=())).decode()


@lru_cache(MOST_KEPT)
def group_of(text: str) -> Group | None:
    """Return the group that ``group_text`` wrote, by whatever version of fsctl; None for none.

    What this version does not know is left out, what it misses has its default.
    """
    try:
        return _group_of(orjson.loads(text))
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError, ValueError):
        return None


def _group_of(found: dict[str, Any]) -> Group:
    members = tuple(Member(**_known(Member, one)) for one in found.pop("members"))
    inner = tuple((user, _group_of(group)) for user, group in found.pop("inner", ()))
    found.pop("onward", None)
    return Group(**{**_known(Group, found), "members": members, "inner": inner})


def _known(kind: type, found: Mapping[str, Any]) -> dict[str, Any]:
    names = {field.name for field in fields(kind)}
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in found.items()
        if name in names
    }


# What a record may hold


_LONGEST = {
    "uuid": LONGEST_UUID,
    "domain": LONGEST_DOMAIN,
    "group": LONGEST_NAME,
    "number": LONGEST_NUMBER,
    "caller_number": LONGEST_NUMBER,
    "caller_name": LONGEST_CALLER_NAME,
    "caller_user": LONGEST_USER,
    "outcome": LONGEST_OUTCOME,
    "cause": LONGEST_CAUSE,
    "controller": LONGEST_CONTROLLER,
    "onward": LONGEST_ONWARD,
}
"""Characters that a record's texts may have, those that are always there."""


def cleaned(record: CallRecord) -> CallRecord:
    """Return the record with every value as databases and terminals take it.

    Texts are cut to their longest, and what does not print becomes U+FFFD; times are finite and
    within reason. Raises ValueError for a value of another kind.
    """
    if _is_clean(record):
        return record
    if len(record.attempts) > MOST_ATTEMPTS:
        raise ValueError(f"{len(record.attempts)} attempts are no call")
    by = record.answered_by
    group = record.group_as_it_was
    return msgspec.structs.replace(
        record,
        **{name: _text(getattr(record, name), longest) for name, longest in _LONGEST.items()},
        began=_time(record.began, LATEST),
        ended=_time(record.ended, LATEST),
        wait_seconds=_time(record.wait_seconds),
        talk_seconds=_moment(record.talk_seconds),
        answered_by=None if by is None else _text(by, LONGEST_USER),
        group_as_it_was=_text(group, LONGEST_GROUP) if len(group) <= LONGEST_GROUP else "",
        caller_hidden=bool(record.caller_hidden),
        line_seconds=_moment(record.line_seconds),
        attempts=tuple(map(_cleaned_attempt, record.attempts)),
    )


def _is_clean(record: CallRecord) -> bool:
    """Whether nothing has to be changed, as with nearly all; False also when that is not clear."""
    texts = [(getattr(record, name), longest) for name, longest in _LONGEST.items()]
    if record.answered_by is not None:
        texts.append((record.answered_by, LONGEST_USER))
    return (
        None not in (record.began, record.ended, record.wait_seconds)
        and _are_clean(texts, (record.began, record.ended), LATEST)
        and _are_clean((), (record.wait_seconds, record.talk_seconds, record.line_seconds))
        and type(record.caller_hidden) is bool
        and type(record.group_as_it_was) is str
        and _is_clean_group(record.group_as_it_was)
        and type(record.attempts) is tuple
        and len(record.attempts) <= MOST_ATTEMPTS
        and all(map(_is_clean_attempt, record.attempts))
    )


def _is_clean_attempt(attempt: Attempt) -> bool:
    texts = (
        (attempt.member, LONGEST_USER),
        (attempt.outcome, LONGEST_OUTCOME),
        (attempt.cause, LONGEST_CAUSE),
    )
    times = (
        attempt.started,
        attempt.ringing,
        attempt.answered,
        attempt.connected,
        attempt.ended,
    )
    code = attempt.sip_code
    return (
        attempt.started is not None
        and _are_clean(texts, times)
        and (code is None or (type(code) is int and 100 <= code <= 699))
    )


def _are_clean(
    texts: Iterable[tuple[str, int]], times: Iterable[float | None], latest: float = LONGEST_TIME
) -> bool:
    for text, longest in texts:
        if type(text) is not str or len(text) > longest or not text.isprintable():
            return False
    for time in times:
        if time is not None and (type(time) is not float or not 0.0 <= time <= latest):
            return False
    return True


@lru_cache(MOST_KEPT)
def _is_clean_group(text: str) -> bool:
    return len(text) <= LONGEST_GROUP and text.isprintable()


def _cleaned_attempt(attempt: Attempt) -> Attempt:
    code = attempt.sip_code
    return Attempt(
        _text(attempt.member, LONGEST_USER),
        _time(attempt.started),
        _moment(attempt.ringing),
        _moment(attempt.answered),
        _moment(attempt.connected),
        _moment(attempt.ended),
        _text(attempt.outcome, LONGEST_OUTCOME),
        _text(attempt.cause, LONGEST_CAUSE),
        code if isinstance(code, int) and 100 <= code <= 699 else None,
    )


def _text(value: object, longest: int) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{type(value).__name__} where a text belongs")
    cut = value[:longest]
    if cut.isprintable():
        return str(cut)
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in cut)


def _time(value: object, latest: float = LONGEST_TIME) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{type(value).__name__} where a time belongs")
    return 0.0 if math.isnan(value) else min(max(float(value), 0.0), latest)


def _moment(value: float | None) -> float | None:
    return None if value is None else _time(value)


# How it looks on disk


_encode = msgspec.json.Encoder().encode


def encode(version: Version) -> bytes:
    """Return one line of JSON, without its end. The record must be clean."""
    return _encode(version)


def decode(line: bytes) -> Version:
    """Return what a line says, clean. Raises ValueError when it is no record."""
    try:
        found = orjson.loads(line)
        stamp, body = found["recorded_ms"], found["record"]
        attempts = tuple(Attempt(**one) for one in body.pop("attempts"))
        record = CallRecord(**body, attempts=attempts)
        if isinstance(stamp, bool) or not isinstance(stamp, int) or not 0 <= stamp < LATEST * 1000:
            raise ValueError("the stamp is no time")
        return Version(stamp, cleaned(record))
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(str(error)) from None
