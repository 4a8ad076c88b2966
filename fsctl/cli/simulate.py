"""``fsctl simulate``: how a call to a group would go, from the very code that serves calls."""

import time
from collections.abc import Iterator

import click

from fsctl.admin.groups import get_whole_group
from fsctl.admin.rehearsal import played_document, rehearse
from fsctl.admin.terms import moment_of
from fsctl.cli.context import Context, json_option, pass_context, settings_options
from fsctl.cli.drawing import seconds, timeline
from fsctl.cli.output import write_json
from fsctl.cli.phones import phone_options, read_phones
from fsctl.hunt.admission import Refusal
from fsctl.hunt.course import Step
from fsctl.hunt.endings import Kind
from fsctl.hunt.group import Group
from fsctl.hunt.missed import told_of
from fsctl.hunt.nesting import all_groups, everybody, who_confirms
from fsctl.hunt.simulation import Simulated


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
    course = rehearse(
        engine,
        found,
        phones,
        caller=caller,
        seed=seed,
        now=now,
        external=bool(context.settings.external_dial),
    )
    if as_json:
        write_json(played_document(course))
        return
    for step in course:
        for line in _told(step):
            click.echo(line)
    if addresses := told_of(course):
        verb = "hears" if len(addresses) == 1 else "hear"
        away = "" if context.settings.smtp_url else ", if the setting smtp_url named a mail server"
        click.echo(f"{', '.join(addresses)} {verb} of the missed call by mail{away}.")


def _told(step: Step) -> Iterator[str]:
    if isinstance(step.went, Refusal):
        yield f"Nobody rings: {step.went.sentence}."
        yield from _signed_off(step.group)
        yield _further(step, "at once")
    else:
        if step.in_line is not None:
            yield from _stood(step)
        if step.went.legs:
            yield from timeline(step.went.legs, step.group.wait, step.went.ended)
        yield _verdict(step, step.went)
        if not step.stands:
            yield from _remarks(step.group)
    if step.onward:
        yield ""
        yield f'In group "{step.onward.name}":'


def _remarks(group: Group) -> Iterator[str]:
    """Say what the drawing cannot show: what the caller hears, and who must press 1."""
    yield from _signed_off(group)
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
    if group.max_callers is not None:
        more = "others wait in line" if group.line else "others are too many"
        yield f"Telephones ring for {group.max_callers} at once; {more}."
    if group.music:
        yield f"While telephones ring the caller hears {group.music}."
    if group.announcement:
        yield f"Every {seconds(group.announce_every)} the caller hears {group.announcement}."


def _stood(step: Step) -> Iterator[str]:
    """Say how it was in line: whoever is alone there is the first."""
    tried = f", tries {step.tries} time{'s' * (step.tries != 1)} in vain" if step.tries else ""
    yield f"In line, with nobody before, the caller waits {seconds(step.in_line or 0.0)}{tried}."


def _signed_off(group: Group) -> Iterator[str]:
    for one in all_groups(group):
        for member in one.members:
            if member.enabled and not member.signed_on:
                yield f"{member.user} is signed off and does not ring."


def _verdict(step: Step, call: Simulated) -> str:
    if step.stands:
        return f"All are busy after {seconds(call.ended)}: the caller stands in line."
    if step.in_line is not None and not call.legs:
        if step.ending is None:
            return "The caller gives up in line."
        return _further(step, "then")
    if call.winner:
        return f"{call.winner} has the caller after {seconds(call.ended)}."
    if step.ending is None:
        return f"The caller gives up after {seconds(call.ended)}."
    return _further(step, f"after {seconds(call.ended)}")


def _further(step: Step, when: str) -> str:
    if step.ending is None or step.ending.kind is Kind.RELEASE:
        return f"The caller is released {when} with {step.cause}."
    return f"The caller goes on {when} to {step.ending}."
