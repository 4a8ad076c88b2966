"""Where a call goes when its group does not take it: what is set, read and chosen. Pure.

An ending is written as a word and what belongs to it: ``release USER_BUSY``, ``extension 500``,
``group Support``, ``voicemail test002``, ``external +48501234567``, ``play sorry.wav``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from fsctl.hunt.group import Group
from fsctl.hunt.outcomes import Outcome, outcome_of

MOST_HOPS = 5
"""Groups that a call may go through, wherever it went between them: what sends it on and on stops
here."""
TOO_MANY_HOPS = "EXCHANGE_ROUTING_ERROR"
"""Cause of a caller who was sent on too often (SIP 483)."""


class Reason(Enum):
    """Why a group did not take a call; the value is the setting that says what comes then."""

    NO_ANSWER = "when_no_answer"
    """Somebody's phone rang, or was rejected."""
    BUSY = "when_busy"
    UNREACHABLE = "when_unreachable"
    """No phone could be reached, or there were faults only."""
    NO_MEMBERS = "when_no_members"
    CLOSED = "when_closed"
    DISABLED = "when_disabled"
    FULL = "when_full"
    """So many callers are hunted for as may be, and nobody else may wait in line."""
    LINE_OVER = "when_line_over"
    """The caller has waited in line for as long as the group lets anybody wait."""


_REASONS = {
    Outcome.BUSY: Reason.BUSY,
    Outcome.UNREACHABLE: Reason.UNREACHABLE,
    Outcome.FAILED: Reason.UNREACHABLE,
}


def reason_of(cause: str) -> Reason:
    """Return the reason of a hunt that would release its caller with this cause."""
    return _REASONS.get(outcome_of(cause), Reason.NO_ANSWER)


class Kind(Enum):
    """What an ending does; the value is its first word."""

    RELEASE = "release"
    EXTENSION = "extension"
    GROUP = "group"
    VOICEMAIL = "voicemail"
    EXTERNAL = "external"
    PLAY = "play"


@dataclass(frozen=True, slots=True)
class Ending:
    """``to`` is the extension, group, user, number or sound; ``cause`` is what a caller is released
    with, "" for what the hunt came to; ``context`` is the extension's, "" for the usual one."""

    kind: Kind
    to: str = ""
    cause: str = ""
    context: str = ""

    def __str__(self) -> str:
        parts = (self.kind.value, self.to, self.context or self.cause)
        return " ".join(part for part in parts if part)


RELEASE = Ending(Kind.RELEASE)
HOW = (
    "write release [CAUSE], extension NUMBER [CONTEXT], group NAME, voicemail USER, "
    "external NUMBER or play SOUND [CAUSE]"
)
_CAUSE = re.compile(r"[A-Z][A-Z0-9_]{2,40}")
_EXTENSION = re.compile(r"[A-Za-z0-9*#+._-]{1,64}")
_CONTEXT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_USER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}(@[A-Za-z0-9][A-Za-z0-9.-]{0,252})?")
_NUMBER = re.compile(r"\+[1-9][0-9]{2,14}")
_SOUND = re.compile(r"\S{1,200}")
_FORMS: dict[Kind, tuple[re.Pattern[str], re.Pattern[str] | None]] = {
    Kind.EXTENSION: (_EXTENSION, _CONTEXT),
    Kind.VOICEMAIL: (_USER, None),
    Kind.EXTERNAL: (_NUMBER, None),
    Kind.PLAY: (_SOUND, _CAUSE),
}
"""What may follow the word, and after it."""


def read_ending(text: str) -> Ending:
    """Return the ending that a text says. Raises ValueError, which tells what to write.

    Whether there is such a group, user or sound is not looked at.
    """
    word, _, rest = text.strip().partition(" ")
    rest = rest.strip()
    try:
        kind = Kind(word.lower())
    except ValueError:
        raise ValueError(HOW) from None
    if kind is Kind.RELEASE:
        cause = rest.upper()
        if cause and not _CAUSE.fullmatch(cause):
            raise ValueError("a cause is one of FreeSWITCH's, for example USER_BUSY")
        return Ending(kind, cause=cause)
    if kind is Kind.GROUP:
        if not rest:
            raise ValueError(HOW)
        return Ending(kind, rest)
    form, more = _FORMS[kind]
    to, *others = rest.split() or [""]
    second = others[0] if others else ""
    if not form.fullmatch(to) or len(others) > 1 or (second and not more):
        raise ValueError(HOW)
    if kind is Kind.PLAY:
        second = second.upper()
    if second and more and not more.fullmatch(second):
        raise ValueError(HOW)
    if kind is Kind.PLAY:
        return Ending(kind, to, cause=second)
    return Ending(kind, to, context=second)


def ending_for(group: Group, reason: Reason) -> Ending:
    """Return the ending of a group for a reason: its own, else the group's general one.

    One that cannot be read, of a newer fsctl perhaps, is a release.
    """
    text = getattr(group, reason.value) or group.ending
    try:
        return read_ending(text) if text else RELEASE
    except ValueError:
        return RELEASE


def next_groups(group: Group) -> list[str]:
    """Return the names of the groups that calls of this one may go on to."""
    endings = (ending_for(group, reason) for reason in Reason)
    return list(dict.fromkeys(one.to for one in endings if one.kind is Kind.GROUP))


def group_after(group: Group, ending: Ending) -> Group | None:
    """Return the group to which an ending leads; None when it leads elsewhere, or to nobody."""
    return dict(group.onward).get(ending.to) if ending.kind is Kind.GROUP else None


def following(group: Group, ending: Ending, hops: int) -> tuple[Ending, Group | None]:
    """Return where a call goes by an ending of its group, and which group that is, if one.

    ``hops`` is how many groups it came through before this one. A call that has been through the
    most that it may is released, and so is one that would go on to a group that is not there.
    """
    if ending.kind is not Kind.GROUP:
        return ending, None
    onward = group_after(group, ending)
    if onward is None:
        return RELEASE, None
    if hops + 1 >= MOST_HOPS:
        return Ending(Kind.RELEASE, cause=TOO_MANY_HOPS), None
    return ending, onward


def all_onward(group: Group) -> Iterator[Group]:
    """Yield the groups that a group's calls may go on to, and so on; each once."""
    seen: set[int] = set()
    to_do = [one for _, one in group.onward]
    while to_do:
        one = to_do.pop()
        if id(one) not in seen:
            seen.add(id(one))
            to_do += [another for _, another in one.onward]
            yield one
