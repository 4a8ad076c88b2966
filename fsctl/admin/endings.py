"""Where calls go that nobody takes: what of it an administrator may write, and whether it can be.

That no group sends its calls to one that is not there, or in a circle, is checked of the whole,
after a change and within its transaction: any of the groups may be what is wrong.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy.orm import Session

from fsctl.admin import values
from fsctl.admin.errors import Refused, WrongValue
from fsctl.admin.kinds import Given, Line
from fsctl.admin.media import Sound
from fsctl.hunt.endings import Kind, read_ending
from fsctl.store import limits
from fsctl.store.onward import known_keys, senders
from fsctl.store.tables import ENDINGS, HuntGroup, name_key


@dataclass(frozen=True, slots=True)
class EndingText(Line):
    """What becomes of a call: a word and what belongs to it (``fsctl.hunt.endings``)."""

    metavar: str = "ENDING"
    longest: int = limits.LONGEST_ENDING

    def read(self, what: str, given: Given) -> str:
        """Read it into its one form."""
        text = values.line(what, str(given), self.longest)
        try:
            ending = read_ending(_with_plain_number(text))
        except ValueError as error:
            raise WrongValue(f"{what} {values.shown(text)}: {error}") from None
        if ending.kind is Kind.PLAY:
            Sound().read(what, ending.to)
        if ending.kind is Kind.GROUP:
            values.group_name(ending.to)
        return str(ending)


def _with_plain_number(text: str) -> str:
    """Return the text of an ending with an international number in E.164, however it is written."""
    word, _, rest = text.strip().partition(" ")
    if word.lower() != Kind.EXTERNAL.value or not rest.strip().startswith("+"):
        return text
    return f"{word} {values.number(rest.strip(), 'ZZ').value}"


def check_endings(session: Session, domain: str) -> None:
    """Refuse what a change has made of the ways of calls from group to group. Raises Refused.

    Calls stay within their domain.
    """
    session.flush()
    ways = {row.name_key: _ways(row) for row in senders(session, domain)}
    if not ways:
        return
    there = known_keys(session, domain, {key for onward in ways.values() for key in onward})
    for onward in ways.values():
        for key, (name, sender) in onward.items():
            if key not in there:
                raise Refused(
                    f'calls of "{sender}" would go on to "{name}", and there is no such group; '
                    "see: fsctl group list"
                )
    circle = _circle(ways)
    if circle:
        around = " > ".join(circle)
        raise Refused(f"calls would go round from group to group: {around}; end them elsewhere")


Ways = dict[str, dict[str, tuple[str, str]]]
"""For each group the groups that its calls may go on to, by key: their names, and its own."""


def _groups_of(row: HuntGroup) -> Iterator[tuple[str, str]]:
    """Yield the columns that send a row's calls to a group, with its name.

    What cannot be read, of a newer fsctl perhaps, is a release to us.
    """
    for column in ENDINGS:
        text = getattr(row, column)
        with suppress(ValueError):
            ending = read_ending(text) if text else None
            if ending and ending.kind is Kind.GROUP:
                yield column, ending.to


def _ways(row: HuntGroup) -> dict[str, tuple[str, str]]:
    return {name_key(name): (name, row.name) for _, name in _groups_of(row)}


def _circle(ways: Ways) -> list[str]:
    """Return the keys of a way that comes back to its beginning, empty when there is none."""
    done: set[str] = set()
    for start in sorted(ways):
        path, branches = [start], [iter(ways[start])]
        while path:
            onward = next(branches[-1], None)
            if onward is None:
                done.add(path.pop())
                branches.pop()
            elif onward in path:
                return [*path[path.index(onward) :], onward]
            elif onward not in done:
                path.append(onward)
                branches.append(iter(ways.get(onward, ())))
    return []


def follow_name(session: Session, domain: str, old: str, new: str) -> None:
    """Let the groups whose calls go on to a group know it by its new name."""
    for row in senders(session, domain):
        for column, name in list(_groups_of(row)):
            if name_key(name) == name_key(old):
                setattr(row, column, f"{Kind.GROUP.value} {new}")


def refuse_awaited(session: Session, row: HuntGroup) -> None:
    """Refuse to remove a group to which others send their calls. Raises Refused."""
    for sender in senders(session, row.domain):
        if sender is not row and row.name_key in _ways(sender):
            raise Refused(
                f'calls of "{sender.name}" go on to "{row.name}"; let them end elsewhere first'
            )
