"""``fsctl live``: the calls that hunt right now, in a terminal."""

import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import click
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text
from sqlalchemy import Engine

from fsctl.cli.calls import digits_hidden, mask_option
from fsctl.cli.context import Context, json_option, pass_context, settings_options
from fsctl.cli.output import write_json
from fsctl.cli.when import iso
from fsctl.store.engine import reading
from fsctl.store.errors import StoreError
from fsctl.store.live import MOST_SHOWN, LiveHunt, LiveLeg, read_live

PACE = 1.0
"""Seconds between two looks: as often as controllers say what they do."""
WIDTH = 160
"""Columns where there is no terminal."""
_STYLES = {"rings": "yellow", "claims": "green", "answered": "green", "picked up": "green"}
_SAID = {"claims": "picks up"}


@dataclass(frozen=True, slots=True)
class Look:
    """What is seen at a moment (``now``, epoch seconds): calls, and who tells of them."""

    now: float
    calls: Sequence[LiveHunt]
    controllers: Sequence[str]


@click.command("live")
@click.option("--once", is_flag=True, help="Show how it is now, and end.")
@mask_option
@json_option
@settings_options("domain")
@pass_context
def live(context: Context, once: bool, mask: bool, as_json: bool) -> None:
    """Show the calls that hunt right now, of every controller, until Ctrl-C.

    Written to a file or a pipe it shows once how things are, and so does --json.
    """
    engine, domain = context.engine(), context.settings.domain
    hidden = digits_hidden(context, mask)
    terminal = sys.stdout.isatty()
    console = Console(width=None if terminal else WIDTH)
    if as_json:
        write_json(document(look(engine, domain, hidden)))
    elif once or not terminal:
        console.print(picture(look(engine, domain, hidden)))
    else:
        with suppress(KeyboardInterrupt):
            follow(console, engine, domain, hidden)


def follow(console: Console, engine: Engine, domain: str, hidden: int) -> None:
    """Show what is seen, again and again; a database that is away for a while is waited for."""
    with Live(console=console, screen=True, auto_refresh=False) as shown:
        while True:
            try:
                shown.update(picture(look(engine, domain, hidden)), refresh=True)
            except StoreError as error:
                shown.update(Text(f"{error}; asking again", style="red"), refresh=True)
            time.sleep(PACE)


def look(engine: Engine, domain: str, hidden: int) -> Look:
    """Look once. Raises StoreError."""
    now = time.time()
    with reading(engine) as session:
        calls, controllers = read_live(session, domain, round(now * 1000), hidden=hidden)
    return Look(now, calls, controllers)


def picture(seen: Look) -> RenderableType:
    """Return how a look is drawn. What strangers chose is text here, never rich's markup."""
    count, by = len(seen.calls), len(seen.controllers)
    head = f"{'at least ' * (count >= MOST_SHOWN)}{count} call{'s' * (count != 1)}"
    head += f" \N{MIDDLE DOT} {by} controller{'s' * (by != 1)}"
    lines: list[RenderableType] = [Text(head, style="bold")]
    if not by:
        lines.append(Text("No controller tells of calls; start one: fsctl serve", style="red"))
    if seen.calls:
        table = Table(box=None, pad_edge=False)
        for name in ("GROUP", "NUMBER", "CALLER", "WAITS"):
            table.add_column(name, no_wrap=name == "WAITS")
        table.add_column("TELEPHONES")
        for call in seen.calls:
            table.add_row(*_row(call, seen.now))
        lines.append(table)
    return Group(*lines)


def _row(call: LiveHunt, now: float) -> list[Text]:
    waited = min(max(0.0, now - call.began), call.wait)
    name = f' "{call.caller_name}"' if call.caller_name else ""
    caller = f"{call.caller_number}{name}".strip() or "withheld"
    group = f"{call.group} ({call.domain})" if call.domain else call.group
    legs = Text("\n").join(_leg(leg, waited) for leg in call.legs)
    if call.position:
        legs = Text(f"number {call.position} in line")
    return [Text(group), Text(call.number), Text(caller), _wait(waited, call.wait), legs]


def _wait(waited: float, wait: float) -> Text:
    return Text(f"{waited:.0f} s of {wait:g} s")


def _leg(leg: LiveLeg, waited: float) -> Text:
    end = max(waited, leg.started) if leg.ended is None else leg.ended
    said = _SAID.get(leg.state, leg.state)
    after = "" if leg.ended is None else " after"
    return Text(
        f"{leg.member} {said}{after} {end - leg.started:.0f} s", style=_STYLES.get(leg.state, "dim")
    )


def document(seen: Look) -> dict[str, object]:
    """Return a look as JSON shows it; times of legs are seconds from the call's beginning."""
    return {
        "controllers": list(seen.controllers),
        "calls": [
            {
                "uuid": call.uuid,
                "domain": call.domain,
                "group": call.group,
                "number": call.number,
                "caller_number": call.caller_number,
                "caller_name": call.caller_name,
                "began": iso(call.began),
                "waited_seconds": round(max(0.0, seen.now - call.began), 3),
                "wait_seconds": call.wait,
                "position": call.position or None,
                "legs": [
                    {
                        "member": leg.member,
                        "started": leg.started,
                        "ended": leg.ended,
                        "state": leg.state,
                    }
                    for leg in call.legs
                ],
            }
            for call in seen.calls
        ],
    }
