"""What an import does that is allowed and yet unlikely to be meant."""

from collections.abc import Iterable

from fsctl.admin.advice import unlikely_numbers
from fsctl.admin.transfer import Plan


def warnings_of(plan: Plan) -> list[str]:
    """Return one line for each thing that whoever imports should look at."""
    return list(_numbers(plan))


def _numbers(plan: Plan) -> Iterable[str]:
    """Warn of new public numbers that are nobody's."""
    for step in plan:
        if step.after is not None:
            known = set(unlikely_numbers(step.before)) if step.before else set()
            yield from (line for line in unlikely_numbers(step.after) if line not in known)
