"""A call drawn while it happens: a line per telephone, growing in a terminal, told elsewhere."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TextIO

from fsctl.cli.drawing import WIDTH, scale

_RINGS, _TALKS = "=", "#"
_ENDS = {
    "cancel": "stopped",
    "bye": "hung up",
    "busy": "is busy",
    "reject": "rejects the call",
}
_TOLD = {
    "calling": "calls",
    "ringing": "hears ringing",
    "invite": "rings",
    "answer": "picks up",
    "answered": "is connected",
    "released": "is released",
    "gave up": "hangs up",
    "fallback": "goes on in the dialplan",
    **_ENDS,
}


class Board:
    """Draws a call. ``wait`` is the width of the drawing in seconds; times are from its start."""

    def __init__(self, members: Sequence[str], wait: float, out: TextIO) -> None:
        self._wait = wait
        self._out = out
        self._live = out.isatty()
        self._name = max(len(name) for name in (*members, "caller"))
        self._bars: dict[str, list[tuple[float, str]]] = {name: [] for name in members}
        self._notes: dict[str, str] = {}
        self._bars["caller"] = []
        self._drawn = 0

    def saw(self, at: float, who: str, what: str, detail: Mapping[str, object]) -> None:
        """Take in what a telephone saw or did."""
        user = who.partition("#")[0]
        if what not in _TOLD or user not in self._bars:
            return
        if what in ("invite", "ringing"):
            self._bars[user].append((at, _RINGS))
        elif what in ("answer", "answered"):
            self._bars[user].append((at, _TALKS))
        elif what in ("gave up", "released", *_ENDS):
            self._bars[user].append((at, ""))
        note = _TOLD[what] + _why(detail)
        self._notes[user] = f"{note} at {at:.1f} s"
        if not self._live:
            self._out.write(f"{at:6.2f} s  {who:<{self._name}}  {note}\n")
            self._out.flush()

    def draw(self, now: float) -> None:
        """Draw how things stand, over the last drawing; only in a terminal."""
        if not self._live:
            return
        lines = list(self._lines(now))
        up = f"\x1b[{self._drawn}A" if self._drawn else ""
        self._out.write(up + "".join(f"\x1b[2K{line}\n" for line in lines))
        self._out.flush()
        self._drawn = len(lines)

    def finish(self, now: float) -> None:
        """Draw the end."""
        if self._live:
            self.draw(now)
        else:
            self._out.write("\n" + "\n".join(self._lines(now)) + "\n")

    def _lines(self, now: float) -> Iterator[str]:
        yield " " * (self._name + 2) + scale(self._wait)
        for name, marks in self._bars.items():
            bar = "".join(self._bar(marks, now))
            yield f"{name:<{self._name}}  {bar:<{WIDTH}}  {self._notes.get(name, '')}".rstrip()
        yield f"{'':<{self._name}}  {_RINGS} rings   {_TALKS} talks"

    def _bar(self, marks: Sequence[tuple[float, str]], now: float) -> Iterator[str]:
        column = 0
        for (start, sign), (end, _) in pairwise([*marks, (now, "")]):
            first, last = (round(min(at, self._wait) / self._wait * WIDTH) for at in (start, end))
            if sign:
                yield " " * (first - column) + sign * (last - first)
                column = max(first, last)


def _why(detail: Mapping[str, object]) -> str:
    if detail.get("code"):
        return f" with {detail['code']}"
    reason = str(detail.get("reason", ""))
    if "Call completed elsewhere" in reason:
        return ": call completed elsewhere"
    return ""
