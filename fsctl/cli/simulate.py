"""``fsctl simulate``: how a call to a group would go, from the very code that serves calls."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import click

from fsctl.admin.groups import get_memory, get_whole_group
from fsctl.admin.terms import moment_of
from fsctl.cli.context import Context, json_option, pass_context, settings_options
from fsctl.cli.drawing import seconds, timeline
from fsctl.cli.output import write_json
from fsctl.cli.phones import phone_options, read_phones
from fsctl.hunt.admission import REASONS, Admitted, Refusal, admit
from fsctl.hunt.endings import (
    MOST_HOPS,
    RELEASE,
    TOO_MANY_HOPS,
    Ending,
    Kind,
    Reason,
    ending_for,
    group_after,
    reason_of,
)
from fsctl.hunt.group import Group
from fsctl.hunt.ledger import Leg
from fsctl.hunt.nesting import everybody, who_confirms
from fsctl.hunt.outcomes import CALLER_GONE
from fsctl.hunt.simulation import Phones, Simulated
from fsctl.hunt.simulation import simulate as play


@click.command("simulate")
@click.argument("group")
@phone_options
@click.option(
    "--from", "caller", metavar="USER", help="This user calls; a member is not rung then."
)
@click.option(
    "--seed",
    metavar="NUMBER",
    type=int,
    default=0,
    show_default=True,
    help="Draw lots from this number; the same number draws the same.",
)
@click.option(
    "--at",
    "moment",
    metavar="TIME",
    help="The call comes in at this hour of the group's time zone, for example '2026-12-24 10:00'.",
)
@json_option
@settings_options("domain", "external_dial")
@pass_context
def simulate(
    context: Context,
    group: str,
    answers: tuple[str, ...],
    busy: tuple[str, ...],
    offline: tuple[str, ...],
    hang_up: str | None,
    caller: str | None,
    seed: int,
    moment: str | None,
    as_json: bool,
) -> None:
    """Draw who of GROUP would ring when, and how the call would end.

    A strategy that looks at past calls looks at the real ones; one that draws lots draws others
    for a real call.
    """
    engine = context.engine()
    found = get_whole_group(engine, group, domain=context.settings.domain)
    phones = read_phones(found, answers, busy, offline, hang_up)
    now = time.time() if moment is None else moment_of(found, moment)
    external = bool(context.settings.external_dial)
    memory_of = partial(get_memory, engine)

    def decide(group: Group) -> Admitted | Refusal:
        return admit(group, caller, memory_of(group), seed, now, external, memory_of)

    calls = list(_calls(found, phones, decide))
    if as_json:
        write_json(_document(calls))
        return
    for step in calls:
        for line in _told(step):
            click.echo(line)


@dataclass(frozen=True, slots=True)
class _Step:
    """What becomes of a call in one group, and after: how it went, or why nobody rang."""

    group: Group
    began: float
    went: Simulated | Refusal
    ending: Ending | None
    """Where the caller goes; None for one who has a member or has given up."""
    onward: Group | None

    @property
    def cause(self) -> str:
        """What the caller is released with when nothing else comes."""
        came_to = self.went.value if isinstance(self.went, Refusal) else self.went.cause
        return (self.ending.cause if self.ending else "") or came_to


def _calls(
    group: Group, phones: Phones, decide: Callable[[Group], Admitted | Refusal]
) -> Iterator[_Step]:
    """Yield what becomes of a call in each group that it comes to."""
    began = 0.0
    for hop in range(MOST_HOPS):
        admitted = decide(group)
        went: Simulated | Refusal
        reason: Reason | None
        if isinstance(admitted, Refusal):
            went, reason, lasted = admitted, REASONS.get(admitted), 0.0
        else:
            went = play(admitted.schedule, phones.later(began))
            lasted = went.ended
            over = went.winner is not None or went.cause == CALLER_GONE
            reason = None if over else reason_of(went.cause)
        ending = ending_for(group, reason) if reason else None
        onward = group_after(group, ending) if ending else None
        if ending and ending.kind is Kind.GROUP and (onward is None or hop + 1 >= MOST_HOPS):
            ending, onward = replace(RELEASE, cause=TOO_MANY_HOPS if onward else ""), None
        yield _Step(group, began, went, ending, onward)
        if onward is None:
            return
        group, began = onward, began + lasted


def _told(step: _Step) -> Iterator[str]:
    if isinstance(step.went, Refusal):
        yield f"Nobody rings: {step.went.sentence}."
        yield _further(step, "at once")
    else:
        yield from timeline(step.went.legs, step.group.wait, step.went.ended)
        yield _verdict(step, step.went)
        yield from _remarks(step.group)
    if step.onward:
        yield ""
        yield f'In group "{step.onward.name}":'


def _remarks(group: Group) -> Iterator[str]:
    """Say what the drawing cannot show: what the caller hears, and who must press 1."""
    asked = who_confirms(group)
    for user in everybody(group):
        if user in asked:
            yield f"{user} must press 1 to have the caller."
    if group.answer_first:
        yield "The call is answered at once."
    if group.greeting:
        yield (
            f"Before anybody rings the caller hears {group.greeting}; "
            "the seconds count from its end."
        )
    if group.music:
        yield f"While telephones ring the caller hears {group.music}."
    if group.announcement:
        yield f"Every {seconds(group.announce_every)} the caller hears {group.announcement}."


def _verdict(step: _Step, call: Simulated) -> str:
    if call.winner:
        return f"{call.winner} has the caller after {seconds(call.ended)}."
    if step.ending is None:
        return f"The caller gives up after {seconds(call.ended)}."
    return _further(step, f"after {seconds(call.ended)}")


def _further(step: _Step, when: str) -> str:
    if step.ending is None or step.ending.kind is Kind.RELEASE:
        return f"The caller is released {when} with {step.cause}."
    return f"The caller goes on {when} to {step.ending}."


def _document(calls: list[_Step]) -> dict[str, object]:
    first, *others = map(_step_document, calls)
    return {**first, "onward": others}


def _step_document(step: _Step) -> dict[str, object]:
    call = None if isinstance(step.went, Refusal) else step.went
    return {
        "group": step.group.name,
        "legs": [_leg(leg) for leg in call.legs] if call else [],
        "winner": call.winner if call else None,
        "ended": call.ended if call else 0.0,
        "cause": step.cause or None,
        "refused": step.went.sentence if isinstance(step.went, Refusal) else None,
        "ending": None if step.ending is None else str(step.ending),
    }


def _leg(leg: Leg) -> dict[str, object]:
    return {
        "member": leg.member,
        "started": leg.started,
        "ended": leg.connected if leg.ended is None else leg.ended,
        "outcome": leg.outcome.value if leg.outcome else None,
        "cause": leg.cause or None,
    }
