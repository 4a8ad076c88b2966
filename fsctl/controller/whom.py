"""How each member of a call's group is called, or why not."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from fsctl.controller.capacity import Capacities
from fsctl.controller.onward import Places
from fsctl.controller.showing import recording_of, shown_of
from fsctl.controller.sounds import playable, prompts_of
from fsctl.esl import questions
from fsctl.esl.carried import Carrying
from fsctl.esl.codec import Frame
from fsctl.esl.commands import Extras, LegOrder, Originates
from fsctl.hunt.events import StartLeg
from fsctl.hunt.group import Group, is_external
from fsctl.hunt.nesting import has_external
from fsctl.hunt.outcomes import DO_NOT_DISTURB, ON_THE_PHONE
from fsctl.hunt.template import dialling

if TYPE_CHECKING:
    from fsctl.controller.arrival import Arrival


@dataclass(frozen=True, slots=True)
class Outside:
    """How telephone numbers are called that are members.

    ``dial`` is the template of their dial string, "" when they are not called; ``caller`` that of
    the caller's number, "" for what other members see (``fsctl.hunt.template``).
    """

    dial: str = ""
    caller: str = ""

    def group(self, group: Group) -> Group:
        """Return the group as it shows itself to these telephones."""
        return replace(group, caller_number=self.caller) if self.caller else group


Post = Callable[[str, Callable[[Frame], None]], None]
_YES = re.compile(
    r"\s*(true|t|yes|on|enabled|active|allow|[1-9][0-9]*|!USER_BUSY|error/user_busy)\s*", re.I
)
"""What ``switch_true`` takes for yes, and the dial-strings of who is not to be rung."""


def nobody_talks(_user: str) -> bool:
    """Know of nobody that they are in a conversation."""
    return False


_USUAL = Places()
_BY_DEFAULT = Carrying()


@dataclass(frozen=True, slots=True)
class Around:
    """What is the same for all calls of a controller; ``talks`` is ``Presence.talks``,
    ``dnd`` the api command that tells whether a user wants no calls (``settings.dnd``),
    ``carrying`` what of a caller's channel goes with every leg, ``capacities`` what the
    switches announce."""

    outside: Outside = Outside()
    places: Places = _USUAL
    talks: Callable[[str], bool] = nobody_talks
    dnd: str = ""
    carrying: Carrying = _BY_DEFAULT
    capacities: Capacities = field(default_factory=Capacities)


class Whom:
    """The members of one call's group."""

    def __init__(self, group: Group, arrival: Arrival, around: Around, hops: int = 1) -> None:
        """``hops`` is how many groups there were, this one included."""
        self.too_late = playable(group.too_late) or ""
        """What a member hears who pressed 1 when somebody else had the caller."""
        self._group = group
        self._arrival = arrival
        self._around = around
        self._prompts = prompts_of(group)
        carried = arrival.carried.of_leg(arrival.route_of_leg(group, hops))
        self._originates = Originates(
            arrival.uuid, shown_of(group, arrival), carried, arrival.context
        )
        self._outside = self._originates
        if around.outside.caller and has_external(group):
            shown = shown_of(around.outside.group(group), arrival)
            self._outside = Originates(arrival.uuid, shown, carried, arrival.context)

    @property
    def may_pass_over(self) -> bool:
        """Whether some may not be rung although it is their turn."""
        return self._group.skip_busy or bool(self._around.dnd)

    def ask(self, member: str, post: Post, then: Callable[[str], None]) -> None:
        """Find out whether a member is to be rung now, and go on with the cause why not, or "".

        Whether they want to be is asked of the call's own switch, on the call's own connection.
        """
        user = self._user(member)
        if is_external(member):
            then("")
        elif self._group.skip_busy and self._around.talks(user):
            then(ON_THE_PHONE)
        elif self._around.dnd:
            name, _, domain = user.partition("@")
            question = f"api {questions.expanded(self._around.dnd, name, domain)}"
            post(question, lambda reply: then(DO_NOT_DISTURB if _is_yes(reply.data) else ""))
        else:
            then("")

    def confirms(self, member: str) -> bool:
        """Whether a member must press 1."""
        return member in self._prompts

    def extras(self, member: str, began: float, sounds: tuple[str, ...]) -> Extras:
        """Return what a member does besides who wins a hunt that began then (epoch seconds)."""
        recording = recording_of(self._group, self._arrival, member, began)
        return Extras(sounds, recording, self.too_late)

    def originate(self, job: str, start: StartLeg, extras: Extras) -> str:
        """Return the command that calls a member, as the job of this name."""
        member = start.member
        prompt = self._prompts.get(member, "")
        if is_external(member):
            dial = dialling(self._around.outside.dial, member)
            order = LegOrder(job, member, start.ring_for, prompt, dial)
            return self._outside.command(order, extras)
        order = LegOrder(job, self._user(member), start.ring_for, prompt)
        return self._originates.command(order, extras)

    def _user(self, member: str) -> str:
        return user_of(member, self._group.domain)


def user_of(member: str, domain: str) -> str:
    """Return a member of a domain's group as switches know him."""
    return f"{member}@{domain}" if domain and "@" not in member else member


def _is_yes(answer: str) -> bool:
    return _YES.fullmatch(answer) is not None
