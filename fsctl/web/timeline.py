"""A hunt as a drawing: who rings from when to when, under a scale of seconds. SVG.

Owns the geometry only; what becomes of a leg is the simulation's, or a record's, to say. Colours
are the style sheet's: a drawing has classes, and text beside every bar for whoever sees no colours.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from fsctl.hunt.admission import Admitted, admit
from fsctl.hunt.clock import zone
from fsctl.hunt.group import Group
from fsctl.hunt.ledger import Leg
from fsctl.hunt.memory import Memory
from fsctl.hunt.nesting import MemoryOf, nothing_remembered
from fsctl.hunt.opening import opens_at
from fsctl.hunt.outcomes import CALLER_GONE, GOT_THE_CALLER, Outcome
from fsctl.hunt.simulation import Phones, simulate
from fsctl.web.languages import decimal, moment_in, seconds
from fsctl.web.languages import gettext as _

WIDTH, LABELS, RIGHT = 720, 150, 18
ROW, TOP, BAR = 34, 30, 14
LONGEST_LABEL = 20
MOST_ROWS = 200
STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800)
MOST_MARKS = 8


@dataclass(frozen=True, slots=True)
class Bar:
    """One leg of a drawing: from ``start`` to ``end`` seconds; ``kind`` is a class of the style."""

    member: str
    start: float
    end: float
    kind: str
    text: str


def preview(
    group: Group, memory: Memory, external: bool = False, memory_of: MemoryOf = nothing_remembered
) -> Markup | None:
    """Draw a call to which nobody comes; None when nobody would ring.

    ``memory`` is what strategies remember of the group's past calls; lots are drawn as by chance 0.
    ``external``: telephone numbers can be called; ``memory_of`` is for the groups within this one.
    """
    admitted = admit(
        replace(group, enabled=True), None, memory, external=external, memory_of=memory_of
    )
    if not isinstance(admitted, Admitted):
        return None
    call = simulate(admitted.schedule, Phones())
    bars = [_simulated(leg, call.ended) for leg in call.legs]
    title = _("Who rings when, if nobody picks up")
    return draw(title, bars, group.wait, call.ended, _("the caller is released"))


def opening(group: Group, now: float) -> str | None:
    """Say whether a call at this moment would be taken; None for a group that is never closed."""
    if not (group.hours or group.dates or group.closed_until):
        return None
    opens = opens_at(group, now)
    if opens == now:
        return _("Open now.")
    if opens is None:
        return _("Closed now, and for a year at least: nobody rings.")
    when = moment_in(opens, zone(group.time_zone))
    return _("Closed now: nobody rings. Opens %(when)s; the drawing is of a call then.", when=when)


def _simulated(leg: Leg, over: float) -> Bar:
    end = over if leg.ended is None else leg.ended
    text = _("%(start)s to %(end)s", start=decimal(leg.started), end=seconds(end))
    return Bar(leg.member, leg.started, end, "rings", text)


def kind_of(leg_outcome: str, cause: str) -> str:
    """Return the class for a leg that came to this."""
    if leg_outcome in [one.value for one in GOT_THE_CALLER]:
        return "answered"
    if leg_outcome == Outcome.CANCELLED.value:
        return "gone" if cause == CALLER_GONE else "stopped"
    return "rings" if leg_outcome == Outcome.NO_ANSWER.value else "failed"


def draw(title: str, bars: Sequence[Bar], wait: float, over: float, ending: str) -> Markup:
    """Return the drawing of a hunt over ``wait`` seconds that ended after ``over``."""
    shown = bars[:MOST_ROWS]
    height = TOP + ROW * len(shown) + 26
    scale = (WIDTH - LABELS - RIGHT) / max(wait, over, 1.0)
    parts = [
        Markup(
            '<svg class="timeline" viewBox="0 0 {w} {h}" role="img" aria-label="{t}">'
            "<title>{t}</title><desc>{d}</desc>"
        ).format(w=WIDTH, h=height, t=title, d=_in_words(shown, over, ending))
    ]
    parts += _scale(max(wait, over, 1.0), scale, height)
    for number, bar in enumerate(shown):
        parts += _row(bar, TOP + ROW * number, scale)
    x = LABELS + over * scale
    parts.append(
        Markup('<line class="over" x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{y}"/>').format(
            x=x, top=TOP - 6, y=height - 22
        )
    )
    anchor = "end" if x > WIDTH / 2 else "start"
    parts.append(
        Markup('<text class="ending" x="{x:.1f}" y="{y}" text-anchor="{a}">{t}</text>').format(
            x=x, y=height - 8, a=anchor, t=f"{seconds(over)}: {ending}"
        )
    )
    parts.append(Markup("</svg>"))
    return Markup("").join(parts)


def _in_words(bars: Sequence[Bar], over: float, ending: str) -> str:
    return "; ".join([*(f"{bar.member}: {bar.text}" for bar in bars), f"{seconds(over)}: {ending}"])


def _scale(wait: float, scale: float, height: int) -> list[Markup]:
    step = next((step for step in STEPS if wait / step <= MOST_MARKS), STEPS[-1])
    parts = []
    for number in range(int(wait // step) + 1):
        x = LABELS + number * step * scale
        parts.append(
            Markup(
                '<line class="mark" x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{y}"/>'
                '<text class="scale" x="{x:.1f}" y="14" text-anchor="middle">{t}</text>'
            ).format(x=x, top=TOP - 8, y=height - 22, t=seconds(number * step))
        )
    return parts


def _row(bar: Bar, y: float, scale: float) -> list[Markup]:
    x, width = LABELS + bar.start * scale, max(3.0, (bar.end - bar.start) * scale)
    label = bar.member
    if len(label) > LONGEST_LABEL:
        label = label[: LONGEST_LABEL - 1] + "\N{HORIZONTAL ELLIPSIS}"
    over_right = x + 8 * len(bar.text) > WIDTH
    return [
        Markup('<text class="member" x="0" y="{y:.1f}">{t}</text>').format(y=y + 12, t=label),
        Markup(
            '<rect class="bar {k}" x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h}" rx="3"/>'
        ).format(k=bar.kind, x=x, y=y, w=width, h=BAR),
        Markup('<text class="story" x="{x:.1f}" y="{y:.1f}" text-anchor="{a}">{t}</text>').format(
            x=WIDTH if over_right else x,
            y=y + BAR + 12,
            a="end" if over_right else "start",
            t=bar.text,
        ),
    ]
