"""``fsctl simulate``: how a call to a group would go, from the very code that serves calls."""

import time
from collections.abc import Iterator
from functools import partial

import click

from fsctl.admin.groups import get_memory, get_whole_group
from fsctl.admin.terms import moment_of
from fsctl.cli.context import Context, json_option, pass_context, settings_options
from fsctl.cli.drawing import seconds, timeline
from fsctl.cli.output import write_json
from fsctl.cli.phones import phone_options, read_phones
from fsctl.hunt.admission import Refusal, admit
from fsctl.hunt.group import Group
from fsctl.hunt.ledger import Leg
from fsctl.hunt.nesting import everybody, who_confirms
from fsctl.hunt.simulation import Simulated
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
    memory = get_memory(engine, found)
    memory_of = partial(get_memory, engine)
    admitted = admit(found, caller, memory, seed, now, external, memory_of)
    if isinstance(admitted, Refusal):
        _show_refusal(found, admitted, as_json)
        return
    call = play(admitted.schedule, phones)
    if as_json:
        write_json(_document(found, call))
        return
    for line in timeline(call.legs, found.wait, call.ended):
        click.echo(line)
    click.echo(_verdict(call))
    for line in _remarks(found):
        click.echo(line)


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


def _verdict(call: Simulated) -> str:
    if call.winner:
        return f"{call.winner} has the caller after {seconds(call.ended)}."
    if call.cause == "ORIGINATOR_CANCEL":
        return f"The caller gives up after {seconds(call.ended)}."
    return f"The caller is released after {seconds(call.ended)} with {call.cause}."


def _show_refusal(group: Group, refusal: Refusal, as_json: bool) -> None:
    if as_json:
        write_json(
            {
                "group": group.name,
                "legs": [],
                "winner": None,
                "ended": 0.0,
                "cause": refusal.value,
                "refused": refusal.sentence,
            }
        )
    else:
        click.echo(f"Nobody rings: {refusal.sentence}.")
        click.echo(f"The caller is released at once with {refusal.value}.")


def _document(group: Group, call: Simulated) -> dict[str, object]:
    return {
        "group": group.name,
        "legs": [_leg(leg) for leg in call.legs],
        "winner": call.winner,
        "ended": call.ended,
        "cause": call.cause or None,
        "refused": None,
    }


def _leg(leg: Leg) -> dict[str, object]:
    return {
        "member": leg.member,
        "started": leg.started,
        "ended": leg.connected if leg.ended is None else leg.ended,
        "outcome": leg.outcome.value if leg.outcome else None,
        "cause": leg.cause or None,
    }
