"""A call played without a switch: how it would go, from the very code that serves calls."""

from collections.abc import Sequence
from functools import partial

from sqlalchemy import Engine

from fsctl.admin.groups import get_memory
from fsctl.hunt.admission import Admitted, Refusal, admit
from fsctl.hunt.course import Step, steps
from fsctl.hunt.group import Group
from fsctl.hunt.ledger import Leg
from fsctl.hunt.missed import told_of
from fsctl.hunt.simulation import Phones


def rehearse(
    engine: Engine,
    group: Group,
    phones: Phones,
    *,
    caller: str | None,
    seed: int,
    now: float,
    external: bool,
) -> list[Step]:
    """Play a call to a group, which has with it those within it and after it (``groups.whole``).

    ``caller`` is the calling user, None for a stranger; lots are drawn from ``seed``; ``now`` is
    epoch seconds; ``external``: telephone numbers can be called.
    """
    memory_of = partial(get_memory, engine)

    def decide(one: Group) -> Admitted | Refusal:
        return admit(one, caller, memory_of(one), seed, now, external, memory_of)

    return list(steps(group, phones, decide))


def played_document(course: Sequence[Step]) -> dict[str, object]:
    """Return a call that was played as programs have it; those it went on to are ``onward``."""
    first, *others = map(_step, course)
    return {**first, "onward": others, "missed_mail": told_of(course)}


def _step(step: Step) -> dict[str, object]:
    call = None if isinstance(step.went, Refusal) else step.went
    return {
        "group": step.group.name,
        "legs": [_leg(leg) for leg in call.legs] if call else [],
        "winner": call.winner if call else None,
        "ended": call.ended if call else 0.0,
        "cause": step.cause or None,
        "refused": step.went.sentence if isinstance(step.went, Refusal) else None,
        "ending": None if step.ending is None else str(step.ending),
        "stands": step.stands,
        "in_line": step.in_line,
        "tries": step.tries,
    }


def _leg(leg: Leg) -> dict[str, object]:
    return {
        "member": leg.member,
        "started": leg.started,
        "ended": leg.connected if leg.ended is None else leg.ended,
        "outcome": leg.outcome.value if leg.outcome else None,
        "cause": leg.cause or None,
    }
