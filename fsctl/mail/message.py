"""What a mail about missed calls says: one call in full, or many in a line each.

Owns the words and the headers. Callers choose their names and numbers; records hold only what
prints (``call_records.cleaned``), so none of it breaks a line, and the library encodes the rest.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from zoneinfo import ZoneInfo

from fsctl.hunt.clock import zone
from fsctl.hunt.outcomes import CALLER_GONE, Outcome
from fsctl.mail.words import N_, Words
from fsctl.store.call_keys import caller_key
from fsctl.store.call_records import Attempt, CallOutcome, CallRecord, group_of

Call = Sequence[CallRecord]
"""The records of one call, the oldest first: of each group that it came to."""
MOST_LINES = 200
"""Calls that one mail has a line for; of the others it says how many they are."""
MOST_LEGS = 100
LONGEST_SUBJECT = 150

_OUTCOMES = {
    CallOutcome.NO_ANSWER.value: N_("nobody answered"),
    CallOutcome.BUSY.value: N_("everyone was busy"),
    CallOutcome.REJECTED.value: N_("everyone rejected the call"),
    CallOutcome.UNREACHABLE.value: N_("no telephone could be reached"),
    CallOutcome.FAILED.value: N_("faults on the way to the telephones"),
    CallOutcome.GAVE_UP.value: N_("the caller gave up"),
    CallOutcome.DISABLED.value: N_("the group was disabled"),
    CallOutcome.NO_MEMBERS.value: N_("the group had nobody who could ring"),
    CallOutcome.CLOSED.value: N_("the group was closed"),
    CallOutcome.FULL.value: N_("there were too many callers"),
    CallOutcome.LINE_OVER.value: N_("the caller waited in line for too long"),
    CallOutcome.TOO_MANY_HOPS.value: N_("the call was sent on too often"),
}
_LEGS = {
    Outcome.NO_ANSWER.value: N_("nobody picked up"),
    Outcome.BUSY.value: N_("the telephone was busy"),
    Outcome.REJECTED.value: N_("the call was rejected"),
    Outcome.UNREACHABLE.value: N_("could not be reached"),
    Outcome.FAILED.value: N_("failed on the way to the telephone"),
    Outcome.CANCELLED.value: N_("stopped"),
}
_CAUSES = {
    CALLER_GONE: N_("until the caller gave up"),
    "USER_NOT_REGISTERED": N_("the telephone was not registered"),
    "ON_THE_PHONE": N_("not rung, on the phone"),
    "DO_NOT_DISTURB": N_("not rung, wants no calls"),
    "SUBSCRIBER_ABSENT": N_("FreeSWITCH's directory has no such user"),
}


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail ready to be brought. ``message_id`` is its own, the same however often it is made."""

    address: str
    message_id: str
    data: bytes


class Writer:
    """Writes mails in one language, from one sender."""

    def __init__(self, sender: str, language: str) -> None:
        self.sender = sender
        self._words = Words(language)

    def one(self, address: str, call: Call) -> Letter:
        """Return the mail to this address about one call."""
        first, last = call[0], call[-1]
        subject = self._words.gettext(
            "Missed call for %(group)s: %(caller)s", group=first.group, caller=self._caller(first)
        )
        lines = [line for record in call for line in self._about(record, record is not first)]
        named = self._words.gettext("Call")
        lines += ["", f"{named}: {last.uuid}"]
        return self._letter(address, subject, lines, first.uuid, _thread(first))

    def many(self, address: str, calls: Sequence[Call]) -> Letter:
        """Return the mail to this address about several calls, a line each."""
        subject = self._words.ngettext("%(num)s missed call", "%(num)s missed calls", len(calls))
        lines = [f"{subject}:", "", *map(self._line, calls[:MOST_LINES])]
        if len(calls) > MOST_LINES:
            more = len(calls) - MOST_LINES
            lines.append(self._words.ngettext("and %(num)s more", "and %(num)s more", more))
        return self._letter(address, subject, lines, " ".join(call[0].uuid for call in calls))

    def trial(self, address: str, now: float) -> Letter:
        """Return a mail that only says that mails arrive."""
        subject = self._words.gettext("A try: mails of missed calls arrive")
        lines = [self._words.gettext("fsctl mail test has sent this mail.")]
        return self._letter(address, subject, lines, str(now))

    # One call

    def _about(self, record: CallRecord, further: bool) -> Iterator[str]:
        _ = self._words.gettext
        there = _zone(record)
        if further:
            yield ""
        if not further:
            facts = [(_("Caller"), self._caller(record)), (_("Number"), record.number)]
        else:
            facts = []
        moment = f"{self._words.moment(record.began, there)} ({there.key})"
        facts += [
            (_("Group"), record.group),
            (_("When"), moment),
            (_("Waited"), self._words.seconds(record.wait_seconds)),
            (_("Why"), _(_OUTCOMES.get(record.outcome, record.outcome))),
        ]
        if record.onward:
            facts.append((_("Went on to"), record.onward))
        width = max(len(name) for name, _value in facts) + 2
        for name, value in facts:
            yield f"{name + ':':<{width}}{value}"
        yield ""
        if not record.attempts:
            yield _("Nobody was rung.")
            return
        yield _("Who was rung:")
        for attempt in record.attempts[:MOST_LEGS]:
            yield f"- {self._leg(attempt, record)}"
        if (more := len(record.attempts) - MOST_LEGS) > 0:
            yield self._words.ngettext("and %(num)s more", "and %(num)s more", more)

    def _leg(self, attempt: Attempt, record: CallRecord) -> str:
        text = _CAUSES.get(attempt.cause) or _LEGS.get(attempt.outcome)
        ended = record.wait_seconds if attempt.ended is None else attempt.ended
        return self._words.gettext(
            "%(member)s: from %(start)s to %(end)s, %(what)s",
            member=attempt.member,
            start=self._words.seconds(attempt.started),
            end=self._words.seconds(max(ended, attempt.started)),
            what=self._words.gettext(text) if text else attempt.outcome,
        )

    def _line(self, call: Call) -> str:
        first, last = call[0], call[-1]
        moment = self._words.short_moment(first.began, _zone(first))
        why = self._words.gettext(_OUTCOMES.get(last.outcome, last.outcome))
        return f"{moment}  {first.group}  {self._caller(first)}  {why}"

    def _caller(self, record: CallRecord) -> str:
        """Say who called; of who asked not to be shown, just that."""
        number = record.caller_number.strip()
        if record.caller_hidden or number.lower() in ("", "anonymous"):
            return self._words.gettext("a withheld number")
        name = record.caller_name.strip()
        return f"{name}, {number}" if name and name != number else number

    # The mail itself

    def _letter(
        self, address: str, subject: str, lines: Sequence[str], about: str, thread: str = ""
    ) -> Letter:
        host = self.sender.partition("@")[2]
        message_id = f"<{_digest(address, about)}.missed@{host}>"
        mail = EmailMessage(policy=SMTP)
        mail["From"] = self.sender
        mail["To"] = address
        mail["Subject"] = _plain(subject[:LONGEST_SUBJECT])
        mail["Date"] = format_datetime(datetime.now(UTC))
        mail["Message-ID"] = message_id
        if thread:
            # A mailbox shows the calls of one caller together.
            mail["References"] = f"<{thread}.caller@{host}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
        mail.set_content("\n".join(lines) + "\n", charset="utf-8", cte="quoted-printable")
        mail["Content-Language"] = self._words.language  # which setting the content would remove
        return Letter(address, message_id, mail.as_bytes())


def _plain(text: str) -> str:
    """Return a subject in which nothing is an encoded word (RFC 2047) already.

    The library decodes those that it finds in a header's text, line breaks within them too.
    """
    return text.replace("=?", "= ?")


def _thread(record: CallRecord) -> str:
    """Return what the calls of one caller to one group have in common; "" of a hidden one."""
    if record.caller_hidden or not record.caller_number:
        return ""
    return _digest(record.domain, record.group.casefold(), caller_key(record.caller_number))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _zone(record: CallRecord) -> ZoneInfo:
    group = group_of(record.group_as_it_was)
    try:
        return zone(group.time_zone if group else "UTC")
    except ValueError:  # that this machine does not know
        return zone("UTC")
