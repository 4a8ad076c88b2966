"""What of a group and of a member can be set in a form: an input for each term of ``admin``.

Owns the labels. Which settings there are and what a value may be is ``fsctl.admin.terms``'s: a term
without a label here is a mistake of the program.
"""

from dataclasses import dataclass

from fsctl.admin.errors import WrongValue
from fsctl.admin.kinds import Count, Form, Kind, Line, Seconds, Switch
from fsctl.admin.terms import GROUP_TERMS, MEMBER_TERMS, Term


def N_(message: str) -> str:
    """Mark a text to be translated when it is shown."""
    return message


GROUP_LABELS = {
    "wait": (
        N_("Wait time of the group"),
        N_("After so many seconds a call that nobody has answered is released."),
    ),
    "strategy": (N_("Strategy"), N_("Who rings when.")),
    "ring_time": (
        N_("Ring time"),
        N_("How many seconds each phone rings; empty: as long as the strategy says."),
    ),
    "rounds": (N_("Rounds"), N_("How often everyone rings, within the wait time.")),
    "advance": (
        N_("Go on at once"),
        N_("When everyone who rings has failed, the next ring at once, not when it is their turn."),
    ),
    "hours": (
        N_("Opening hours"),
        N_("For example mon-fri 8:00-16:00, sat 9:00-12:00; empty: always open."),
    ),
    "dates": (
        N_("Other hours on single dates"),
        N_("For example 2026-12-24 8:00-12:00, 2026-12-25; a date without hours is closed."),
    ),
    "closed_until": (N_("Closed until"), N_("For example 2026-12-28 7:30; empty: not at all.")),
    "time_zone": (N_("Time zone"), N_("Of hours and dates, for example Europe/Warsaw.")),
    "caller_name": (
        N_("Caller's name"),
        N_(
            "As telephones show it: {name}, {number}, {group} and {dialled} "
            "stand for what they say."
        ),
    ),
    "caller_number": (
        N_("Caller's number"),
        N_("As telephones show it: {number} and {dialled} stand for what they say."),
    ),
    "alert_info": (
        N_("Distinctive ring"),
        N_("A word, or <URI>;parameters, as the Alert-Info header has it; empty: none."),
    ),
    "skip_busy": (
        N_("Pass over who is on the phone"),
        N_("Members in a conversation are not rung, as far as the switch tells of them."),
    ),
    "pickup": (
        N_("Who may pick up"),
        N_("Whose telephones take waiting callers by the code for it, besides being rung."),
    ),
    "diversion": (
        N_("Show the diversion"),
        N_("Telephones are told which number diverts the call to them."),
    ),
    "music": (
        N_("Music"),
        N_("What a waiting caller hears: a file or a stream; empty: ringing."),
    ),
    "greeting": (
        N_("Greeting"),
        N_("What a caller hears before anybody rings: a file or a stream; empty: nothing."),
    ),
    "announcement": (
        N_("Announcement"),
        N_("What a waiting caller hears again and again; empty: nothing."),
    ),
    "announce_every": (N_("Announce every"), N_("How many seconds lie between two beginnings.")),
    "answer_first": (
        N_("Answer first"),
        N_("The call is answered, and costs, before a member has it."),
    ),
    "recording": (
        N_("Record in"),
        N_("The path of a file; {group}, {number}, {member}, {date}, {time}, {uuid} and more."),
    ),
    "confirm_prompt": (
        N_("Prompt"),
        N_("What members hear who must press 1: a file or a stream; empty: a tone."),
    ),
    "too_late": (
        N_("Too late"),
        N_("What they hear when somebody else has the caller; empty: nothing."),
    ),
    "ending": (
        N_("When nobody takes it"),
        N_("release, extension 500, group Support, voicemail test002, play sorry.wav ..."),
    ),
    "when_no_answer": (N_("If somebody rang"), N_("Empty: as above.")),
    "when_busy": (N_("If all are busy"), N_("Empty: as above.")),
    "when_unreachable": (N_("If nobody could be reached"), N_("Empty: as above.")),
    "when_no_members": (N_("If nobody could ring"), N_("Empty: as above.")),
    "when_closed": (N_("While closed"), N_("Empty: as above.")),
    "when_disabled": (N_("While disabled"), N_("Empty: as above.")),
    "missed_mail": (
        N_("Mail of missed calls to"),
        N_("Addresses with commas between them; empty: nobody is told."),
    ),
    "missed_when": (
        N_("Missed calls are"),
        N_("all, or some, with commas: no answer, busy, caller gave up, closed, no members ..."),
    ),
    "when_full": (N_("If there are too many callers"), N_("Empty: as above.")),
    "when_line_over": (N_("If the wait in line was too long"), N_("Empty: as above.")),
    "max_callers": (
        N_("Callers at once"),
        N_("For how many callers telephones ring at the same time; empty: for any number."),
    ),
    "line": (
        N_("Places in line"),
        N_("How many may wait when all are busy, or the callers too many; empty: nobody."),
    ),
    "line_wait": (
        N_("Longest wait in line"),
        N_("After so many seconds in line a call goes on to where it says above."),
    ),
    "line_retry": (
        N_("The first tries again every"),
        N_("Seconds; and whenever the switch tells that a member has hung up."),
    ),
    "line_music": (
        N_("Music in line"),
        N_("What callers in line hear: a file or a stream; empty: the music of the group."),
    ),
    "line_position": (
        N_("Place in line"),
        N_(
            "What tells it, for example file_string://ivr/ivr-you_are_number.wav!digits/{position}.wav."
        ),
    ),
    "line_every": (
        N_("Tell the place every"),
        N_("Seconds, while it is the same; a new one is told at once."),
    ),
}
MEMBER_LABELS = {
    "delay": (N_("Wait time"), ""),
    "enabled": (N_("Rings"), ""),
    "ring_time": (N_("Ring time"), ""),
    "weight": (N_("Weight"), ""),
    "confirm": (N_("Must press 1"), ""),
    "signed_on": (N_("Signed on"), ""),
    "note": (N_("Note"), ""),
}
CHOICES = {
    "delayed": N_("each after their own wait time"),
    "simultaneous": N_("all at once"),
    "top-down": N_("one after another, from the top"),
    "progressive": N_("one after another, who rings goes on ringing"),
    "round-robin": N_("in turn, beginning after who answered last"),
    "random": N_("one after another, in random order"),
    "weighted": N_("one after another, drawn by weight"),
    "longest-idle": N_("who has been idle the longest first"),
    "fewest-calls": N_("who has had the fewest calls first"),
    "members": N_("members of the group"),
    "domain": N_("every user of its domain"),
    "nobody": N_("nobody"),
}
ELSEWHERE = {"description", "enabled"}
"""Terms of a group that have a page of their own."""
BY_PLACE = {"order"}
"""Terms of a member that the order of the rows says."""


@dataclass(frozen=True, slots=True)
class Field:
    """One input: ``kind`` is seconds, count, text, switch or choice."""

    term: Term
    kind: str
    label: str
    help: str

    @property
    def name(self) -> str:
        """The name of the term."""
        return self.term.name

    @property
    def choices(self) -> list[tuple[str, str]]:
        """What can be chosen, with what it is called."""
        return [(one, CHOICES.get(one, one)) for one in self.term.kind.choices]

    def text(self, value: object, comma: bool) -> str:
        """Return a plain value as the input shows it; ``comma``: decimals are written with one."""
        text = "" if value is None else self.term.write(value)
        return text.replace(".", ",") if comma and self.kind == "seconds" else text

    def wrong(self, text: str) -> str | None:
        """Return what is wrong with what was typed."""
        try:
            self.term.read(text)
        except WrongValue as error:
            return str(error)
        return None


def _kind(kind: Kind) -> str:
    if kind.choices:
        return "choice"
    kinds = (
        (Seconds, "seconds"),
        (Switch, "switch"),
        (Count, "count"),
        (Line, "text"),
        (Form, "text"),
    )
    return next(name for one, name in kinds if isinstance(kind, one))


GROUP_FIELDS = tuple(
    Field(GROUP_TERMS[name], _kind(GROUP_TERMS[name].kind), *labels)
    for name, labels in GROUP_LABELS.items()
)
MEMBER_FIELDS = tuple(
    Field(MEMBER_TERMS[name], _kind(MEMBER_TERMS[name].kind), *labels)
    for name, labels in MEMBER_LABELS.items()
)
