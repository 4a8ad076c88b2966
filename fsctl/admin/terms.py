"""What an administrator can set of a group and of a member: each declared here, once.

A term is a field of the plain value (``fsctl.hunt.group``) with its kind, its help and its default.
From these tables come the options of the command line, the fields of files, what is shown, what the
audit log tells of a change, and the forms of a panel. To add a setting: a field there, a column in
``fsctl.store.tables`` with its migration, and a line here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import datetime
from typing import Any

from fsctl.admin import values
from fsctl.admin.endings import EndingText
from fsctl.admin.errors import WrongValue
from fsctl.admin.kinds import Choice, Count, Form, Given, Kind, Line, Seconds, Switch
from fsctl.admin.media import AlertInfo, PositionSound, RecordingPath, Sound, Template
from fsctl.hunt import clock, opening
from fsctl.hunt.group import PICKUP, Group, Member
from fsctl.hunt.missed import OUTCOMES, read_outcomes
from fsctl.hunt.strategies import STRATEGIES
from fsctl.mail.address import read_addresses
from fsctl.store import limits

NONE = "none"
"""What is written to clear a setting that need not have a value."""
FIRST_YEAR = 1970


@dataclass(frozen=True, slots=True)
class Term:
    """One setting. ``always``: it is told even where it has its default.

    ``command``: adding and setting have it as an option; otherwise it has commands of its own.
    A setting whose default is None is cleared with ``none``.
    """

    name: str
    kind: Kind
    help: str
    default: Any
    always: bool = False
    command: bool = True

    @property
    def words(self) -> str:
        """The name within a sentence."""
        return self.name.replace("_", " ")

    @property
    def optional(self) -> bool:
        """Whether it can be without a value."""
        return self.default is None

    def read(self, given: Given) -> Any:
        """Return the plain value of what was given. Raises WrongValue."""
        if self.optional and isinstance(given, str) and given.lower() in (NONE, ""):
            return None
        return self.kind.read(self.words, given)

    def write(self, value: Any) -> str:
        """Return a plain value as ``read`` takes it."""
        return NONE if value is None else self.kind.write(value)

    def show(self, value: Any) -> str:
        """Return a plain value for people."""
        return NONE if value is None else self.kind.show(value)

    def document(self, value: Any) -> Any:
        """Return a plain value as files and the audit log have it."""
        return None if value is None else self.kind.document(value)

    def tells(self, value: Any) -> bool:
        """Whether this value is worth telling."""
        return self.always or bool(value != self.default)


Terms = Mapping[str, Term]

_WAIT = Seconds(least_ms=limits.SHORTEST_WAIT_MS, most_ms=limits.LONGEST_WAIT_MS)
_DELAY = Seconds(most_ms=limits.LONGEST_DELAY_MS)
_RING_TIME = Seconds(least_ms=limits.SHORTEST_RING_TIME_MS, most_ms=limits.LONGEST_RING_TIME_MS)


def _terms(plain: type[Group] | type[Member], *lines: tuple[Any, ...]) -> Terms:
    """Return a table of terms, with the defaults that the plain value has."""
    defaults = {field.name: field.default for field in fields(plain)}
    found = {}
    for name, kind, text, *flags in lines:
        if defaults[name] is MISSING:
            raise TypeError(f"{name} has no default")
        found[name] = Term(name, kind, text, defaults[name], *flags)
    return found


def _hours(text: str) -> str:
    return opening.write_hours(opening.read_hours(text))


def _dates(text: str) -> str:
    return opening.write_dates(opening.read_dates(text))


def _moment(text: str) -> str:
    day, _, typed = text.strip().replace("T", " ").partition(" ")
    hour, _, minute = typed.partition(":")
    try:
        found = datetime.fromisoformat(f"{day}T{int(hour or 0):02}:{minute or '00'}")
    except ValueError:
        raise ValueError("write a day, or a day and a time, for example 2026-12-28 7:30") from None
    if found.year < FIRST_YEAR:
        raise ValueError(f"write a day in {FIRST_YEAR} or later")
    return found.isoformat(" ", "minutes")


def _zone(text: str) -> str:
    return clock.zone(text or Group("").time_zone).key


GROUP_TERMS = _terms(
    Group,
    ("description", Line(longest=limits.LONGEST_DESCRIPTION), "A line about the group."),
    ("enabled", Switch(), "Whether the group's calls ring its members.", True, False),
    ("wait", _WAIT,
     "Release an unanswered call after so long: 1 to 3600, for example 30 or 0,5.", True),
    ("advance", Switch(),
     "When everyone who rings has failed, ring the next at once, or when it is their turn.", True),
    ("strategy", Choice("STRATEGY", tuple(STRATEGIES)),
     f"Who rings when: {', '.join(STRATEGIES)}."),
    ("ring_time", _RING_TIME,
     "Let each phone ring so long: 1 to 3600, or none for as long as the strategy says."),
    ("rounds", Count(least=1, most=limits.MOST_ROUNDS),
     f"Ring everyone so often, within the wait: 1 to {limits.MOST_ROUNDS}."),
    ("hours", Form("HOURS", _hours, limits.LONGEST_HOURS),
     "Be open at these hours only, for example 'mon-fri 8:00-16:00, sat 9:00-12:00'; or none."),
    ("dates", Form("DATES", _dates, limits.LONGEST_DATES),
     "Keep other hours on single dates, for example '2026-12-24 8:00-12:00, 2026-12-25'; or none."),
    ("closed_until", Form("MOMENT", _moment, limits.LONGEST_MOMENT),
     "Be closed until then, for example 2026-12-28 or '2026-12-28 7:30'; or none."),
    ("time_zone", Form("ZONE", _zone, limits.LONGEST_ZONE),
     "The time zone of hours and dates."),
    ("caller_name", Template(),
     "The caller's name as telephones show it, of {name}, {number}, {group} and {dialled}."),
    ("caller_number", Template(),
     "The caller's number as telephones show it, of {number}, {dialled} and what you write."),
    ("alert_info", AlertInfo(),
     "A distinctive ring: a word, or <URI>;parameters as in the Alert-Info header; none for none."),
    ("diversion", Switch(), "Whether telephones are told which number diverts the call to them."),
    ("music", Sound(), "What a waiting caller hears instead of ringing: a file or a stream."),
    ("greeting", Sound(), "What a caller hears before anybody rings."),
    ("announcement", Sound(), "What a waiting caller hears again and again."),
    ("announce_every", Seconds(least_ms=limits.SHORTEST_ANNOUNCE_EVERY_MS,
                               most_ms=limits.LONGEST_ANNOUNCE_EVERY_MS),
     "Begin the announcement so often: 1 to 3600."),
    ("answer_first", Switch(), "Whether a call is answered before a member does: it costs then."),
    ("recording", RecordingPath(),
     "Record conversations in this file, of {group}, {number}, {dialled}, {member}, {date}, "
     "{time} and {uuid}."),
    ("confirm_prompt", Sound(), "What members hear who must press 1; none for a tone."),
    ("too_late", Sound(), "What they hear when somebody else has the caller; none for nothing."),
    ("ending", EndingText(),
     "Where a call goes that nobody takes: release [CAUSE], extension NUMBER [CONTEXT], group NAME,"
     " voicemail USER, external NUMBER or play SOUND [CAUSE]; none for a release."),
    ("when_no_answer", EndingText(), "The same if somebody rang; none for what ending says."),
    ("when_busy", EndingText(), "The same if all are busy."),
    ("when_unreachable", EndingText(), "The same if no telephone could be reached."),
    ("when_no_members", EndingText(), "The same if the group has nobody who could ring."),
    ("when_closed", EndingText(), "The same while the group is closed."),
    ("when_disabled", EndingText(), "The same while the group is disabled."),
    ("skip_busy", Switch(),
     "Whether members in a conversation are passed over, as the switches of esl_url tell."),
    ("pickup", Choice("WHO", PICKUP),
     "Whose telephones may pick up waiting callers by the code: members, domain (every user of it)"
     " or nobody."),
    ("missed_mail", Form("ADDRESSES", read_addresses, limits.LONGEST_MISSED_MAIL),
     "Tell these mail addresses of calls that nobody took, with commas between them; or none."),
    ("missed_when", Form("OUTCOMES", read_outcomes, limits.LONGEST_MISSED_WHEN),
     f"Of which calls: all, or some of {', '.join(OUTCOMES)}, with commas."),
    ("max_callers", Count(least=1, most=limits.MOST_CALLERS),
     f"Hunt for so many callers at once: 1 to {limits.MOST_CALLERS}; none for any number."),
    ("line", Count(least=1, most=limits.MOST_IN_LINE),
     "Let so many callers wait in line when all are busy, or the others too many: "
     f"1 to {limits.MOST_IN_LINE}; none for no line."),
    ("line_wait", _WAIT, "Let nobody wait in line for longer than this: 1 to 3600."),
    ("line_retry", _WAIT,
     "Let the first of the line try again so often, whatever the switches tell: 1 to 3600."),
    ("line_music", Sound(), "What callers in line hear; none for the music of the group."),
    ("line_position", PositionSound(),
     "Tell callers in line their place with this sound, in which {position} stands for it, for "
     "example file_string://ivr/ivr-you_are_number.wav!digits/{position}.wav; none for nothing."),
    ("line_every", _WAIT, "Tell it again after so long, if it is the same: 1 to 3600."),
    ("when_full", EndingText(), "The same if there are too many callers."),
    ("when_line_over", EndingText(), "The same if the caller has waited in line for too long."),
)  # fmt: skip

MEMBER_TERMS = _terms(
    Member,
    ("delay", _DELAY, "Ring so long after the call's arrival: 0 to 3600, for example 6 or 0,5.",
     True),
    ("enabled", Switch(), "Whether the member rings.", True, False),
    ("ring_time", _RING_TIME,
     "Let this phone ring so long: 1 to 3600, or none for as long as the group says."),
    ("order", Count("NUMBER", most=limits.LAST_PLACE),
     "Place among the members, the lowest first; those of the same place as they joined."),
    ("weight", Count("NUMBER", least=1, most=limits.HEAVIEST_WEIGHT),
     f"How often to be drawn first, compared with others: 1 to {limits.HEAVIEST_WEIGHT}."),
    ("note", Line(longest=limits.LONGEST_NOTE), "A line about the member, shown with the group."),
    ("confirm", Switch(),
     "Whether the member must press 1 to have the caller, so that no voicemail box does."),
    ("signed_on", Switch(), "Whether the member is signed on; who is signed off is not rung.",
     False, False),
)  # fmt: skip


def read_given(terms: Terms, given: Mapping[str, Given | None]) -> dict[str, Any]:
    """Return the plain values of what was given; None was not. Raises WrongValue.

    A name that is no term's is a mistake of the program: KeyError.
    """
    return {name: terms[name].read(value) for name, value in given.items() if value is not None}


def told(terms: Terms, plain: Group | Member) -> Iterator[tuple[Term, Any]]:
    """Yield the terms that are worth telling of a plain value, with their values."""
    for term in terms.values():
        value = getattr(plain, term.name)
        if term.tells(value):
            yield term, value


def sentence(terms: Terms, plain: Group | Member) -> str:
    """Say what is set of a group or member, on one line; texts come last."""
    parts = [
        (isinstance(term.kind, Line), f"{term.words} {_say(term, value)}")
        for term, value in told(terms, plain)
        if term.command
    ]
    return ", ".join(text for _, text in sorted(parts, key=lambda part: part[0]))


def _say(term: Term, value: Any) -> str:
    return NONE if value is None else term.kind.say(value)


def moment_of(group: Group, text: str) -> float:
    """Read a day, or a day and a time, of a group's time zone; return seconds since 1970 UTC."""
    wall = datetime.fromisoformat(GROUP_TERMS["closed_until"].kind.read("time", text))
    if wall.year > opening.LAST_YEAR:
        raise WrongValue(f"time {values.shown(text)}: write a day before {opening.LAST_YEAR + 1}")
    return clock.first_moment(wall, clock.zone(group.time_zone))
