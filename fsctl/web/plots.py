"""Statistics as drawings that a manager would print. SVG, coloured by the style sheet."""

from collections.abc import Sequence

from markupsafe import Markup

from fsctl.store.call_stats import HourStats
from fsctl.web.languages import decimal
from fsctl.web.languages import gettext as _

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 720, 220, 44, 26, 10
HOURS = 24


def by_hour(hours: Sequence[HourStats]) -> Markup:
    """Draw how many calls began in each hour of the day, and how many of them were answered."""
    found = {one.hour: one for one in hours}
    most = _round_up(max((one.calls for one in hours), default=1))
    step = (WIDTH - LEFT) / HOURS
    high = HEIGHT - BOTTOM - TOP
    title = _("Calls by hour of the day")
    words = "; ".join(f"{one.hour}: {one.calls}, {_('answered')} {one.answered}" for one in hours)
    parts = [
        Markup(
            '<svg class="plot" viewBox="0 0 {w} {h}" role="img" aria-label="{t}">'
            "<title>{t}</title><desc>{d}</desc>"
        ).format(w=WIDTH, h=HEIGHT, t=title, d=words)
    ]
    for share in (0, 0.5, 1):
        y = TOP + high * (1 - share)
        parts.append(
            Markup(
                '<line class="mark" x1="{l}" y1="{y:.1f}" x2="{w}" y2="{y:.1f}"/>'
                '<text class="scale" x="{x}" y="{ty:.1f}" text-anchor="end">{t}</text>'
            ).format(l=LEFT, w=WIDTH, y=y, x=LEFT - 6, ty=y + 4, t=decimal(most * share, 1))
        )
    for hour in range(HOURS):
        x = LEFT + hour * step
        one = found.get(hour)
        if one:
            parts += [
                _column(x + 3, step - 6, one.calls / most * high, "stopped"),
                _column(x + 3, step - 6, one.answered / most * high, "answered"),
            ]
        if hour % 2 == 0:
            parts.append(
                Markup(
                    '<text class="scale" x="{x:.1f}" y="{y}" text-anchor="middle">{t}</text>'
                ).format(x=x + step / 2, y=HEIGHT - 8, t=hour)
            )
    return Markup("").join([*parts, Markup("</svg>")])


def _column(x: float, width: float, height: float, kind: str) -> Markup:
    return Markup(
        '<rect class="{k}" x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}"/>'
    ).format(k=kind, x=x, y=HEIGHT - BOTTOM - height, w=width, h=height)


def share_bar(share: float) -> Markup:
    """Draw a share, 0 to 1, as a bar."""
    return Markup(
        '<svg class="share" viewBox="0 0 100 8" aria-hidden="true" preserveAspectRatio="none">'
        '<rect class="stopped" width="100" height="8"/>'
        '<rect class="answered" width="{w:.1f}" height="8"/></svg>'
    ).format(w=100 * min(max(share, 0.0), 1.0))


def _round_up(most: int) -> int:
    """Return a round number that is not below: the top of the scale."""
    scale = 1
    while True:
        for digit in (1, 2, 5):
            if digit * scale >= most:
                return digit * scale
        scale *= 10
