"""What an import does that is allowed and yet unlikely to be meant."""

from collections.abc import Iterable

from fsctl.admin.advice import title, unlikely_numbers
from fsctl.admin.transfer import Plan
from fsctl.hunt.group import Group


def warnings_of(plan: Plan) -> list[str]:
    """Return one line for each thing that whoever imports should look at."""
    return [*_lost_zeros(plan), *_numbers(plan)]


def _lost_zeros(plan: Plan) -> Iterable[str]:
    """Warn of numbers and users that differ by their leading zeros from those that they replace.

    A spreadsheet makes 602 of 0602.
    """
    gone = {(domain, what): whole for domain, what, whole in _texts_gone(plan)}
    for step in plan:
        if step.after is None:
            continue
        had = set(_texts(step.before)) if step.before else set()
        for text in _texts(step.after):
            whole = gone.get((step.after.domain, _without_zeros(text)))
            if whole and text not in had and text != whole:
                yield (
                    f"{text} of {title(step.after.name, step.after.domain)} was {whole}: a "
                    "spreadsheet may have removed leading zeros; check it"
                )


def _texts_gone(plan: Plan) -> Iterable[tuple[str, str, str]]:
    """Yield the numbers and users that a plan takes from a group: domain, without zeros, whole."""
    for step in plan:
        if step.before is not None:
            kept = set(_texts(step.after)) if step.after else set()
            for text in _texts(step.before):
                if text not in kept:
                    yield step.before.domain, _without_zeros(text), text


def _texts(group: Group) -> list[str]:
    """Return the texts of a group that consist of digits."""
    texts = (*group.numbers, *(member.user for member in group.members))
    return [text for text in texts if text.isascii() and text.isdecimal()]


def _without_zeros(text: str) -> str:
    return text.lstrip("0")


def _numbers(plan: Plan) -> Iterable[str]:
    """Warn of new public numbers that are nobody's."""
    for step in plan:
        if step.after is not None:
            known = set(unlikely_numbers(step.before)) if step.before else set()
            yield from (line for line in unlikely_numbers(step.after) if line not in known)
