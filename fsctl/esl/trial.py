"""A test call through a switch, and what its events tell of the caller and of each telephone.

Owns how such a call is placed, followed and ended. Knows no groups: a telephone is named by the
directory user that was called.
"""

import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from fsctl.esl import commands, trial_commands
from fsctl.esl.events import Event
from fsctl.esl.inbound import Refused, SwitchConnection
from fsctl.esl.presentation import Shown

CALLER = "caller"
_STOPPED = {"USER_BUSY": "busy", "CALL_REJECTED": "reject"}
_ELSEWHERE = ("LOSE_RACE", "PICKED_OFF")


@dataclass(frozen=True, slots=True)
class Told:
    """Something that happened to the caller or to a telephone, in the words of a call's drawing.

    ``who`` is ``caller`` or the user; ``what`` is ``ringing``, ``answered``, ``released``, ``bye``
    for the caller, and ``invite``, ``answer``, ``busy``, ``reject``, ``cancel``, ``bye`` else.
    """

    who: str
    what: str
    detail: Mapping[str, object] = field(default_factory=dict)


class Trial:
    """One test call. ``with`` ends it, whatever happens.

    ``controller`` is the host list of the dialplan's ``socket`` once it was reached, "" before;
    ``cause`` is why the call ended without an answer.
    """

    def __init__(self, switch: SwitchConnection, number: str, context: str, shown: Shown) -> None:
        self.answered = self.over = False
        self.controller = self.cause = ""
        self._switch = switch
        self._id = str(uuid.uuid4())
        self._place = (number, context, shown)
        self._caller = ""
        self._heard: set[tuple[str, str]] = set()

    def __enter__(self) -> "Trial":
        return self

    def __exit__(self, *_: object) -> None:
        if self._switch.connected and not self.over:
            self.hang_up()

    def place(self, seconds: int) -> None:
        """Place the call; unanswered it ends after so many seconds. Raises what ``send`` raises."""
        number, context, shown = self._place
        for command in trial_commands.follow_trial(self._id):
            self._switch.send(command)
        order = trial_commands.place_trial(self._id, number, context, shown, seconds)
        reply = self._switch.send(order)
        if not reply.data.startswith("+OK"):
            raise Refused(f"originate: {reply.data[:200]}")

    def hang_up(self) -> None:
        """End the call."""
        self._switch.api(trial_commands.end_trial(self._id))

    def listen(self, until: float) -> Iterator[Told]:
        """Yield what happens until then (``time.monotonic()``), or until the call is over."""
        while not self.over:
            event = self._switch.next_event(until)
            if event is None:
                return
            yield from self._read(event)
            if time.monotonic() >= until:
                return

    def _read(self, event: Event) -> Iterator[Told]:
        if event.name == "BACKGROUND_JOB":
            self._result(event)
        elif caller := event.variable(commands.CALL_TAG):
            if caller == self._caller:
                yield from self._of_leg(event)
        elif event.get("Call-Direction") == "inbound":
            yield from self._of_caller(event)

    def _result(self, event: Event) -> None:
        result = event.job_result()
        if result and not result[0]:
            self.cause = self.cause or result[1]
            self.over = True

    def _of_caller(self, event: Event) -> Iterator[Told]:
        channel = event.get("Unique-ID")
        if event.name == "CHANNEL_CREATE" and not self._caller:
            self._caller = channel
            for command in trial_commands.follow_legs(channel):
                self._switch.send(command)
        elif event.name == "CHANNEL_EXECUTE" and event.get("Application") == "socket":
            self.controller = event.get("Application-Data").partition(" ")[0]
        elif event.name == "CHANNEL_PROGRESS":
            yield Told(CALLER, "ringing")
        elif event.name == "CHANNEL_ANSWER":
            self.answered = True
            yield Told(CALLER, "answered")
        elif event.name == "CHANNEL_HANGUP_COMPLETE":
            self.over = True
            self.cause = event.get("Hangup-Cause")
            yield (
                Told(CALLER, "bye")
                if self.answered
                else Told(CALLER, "released", {"code": self.cause})
            )

    def _of_leg(self, event: Event) -> Iterator[Told]:
        user = event.variable("dialed_user") or event.get("Caller-Destination-Number")
        channel = event.get("Unique-ID")
        if event.name in ("CHANNEL_CREATE", "CHANNEL_PROGRESS", "CHANNEL_PROGRESS_MEDIA"):
            yield from self._once(channel, Told(user, "invite"))
        elif event.name == "CHANNEL_ANSWER":
            yield from self._once(channel, Told(user, "invite"))
            yield from self._once(channel, Told(user, "answer"))
        elif event.name == "CHANNEL_HANGUP_COMPLETE":
            yield self._end_of(user, channel, event.get("Hangup-Cause"))

    def _once(self, channel: str, told: Told) -> Iterator[Told]:
        if (channel, told.what) not in self._heard:
            self._heard.add((channel, told.what))
            yield told

    def _end_of(self, user: str, channel: str, cause: str) -> Told:
        if (channel, "answer") in self._heard:
            return Told(user, "bye")
        if cause in _ELSEWHERE:
            return Told(user, "cancel", {"reason": "Call completed elsewhere"})
        return Told(user, _STOPPED.get(cause, "cancel"), {"code": cause})
