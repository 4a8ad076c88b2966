"""One thing that was looked at, and how it is."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a thing is. A warning is worth a look, and nobody's call fails of it now."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was seen in one part of the installation; ``do`` is what to do about it, a line each."""

    part: str
    state: State
    what: str
    do: str = ""


def ok(part: str, what: str) -> Finding:
    """Say that all is well."""
    return Finding(part, State.OK, what)


def warning(part: str, what: str, do: str) -> Finding:
    """Say what may be meant and is unlikely to be."""
    return Finding(part, State.WARNING, what, do)


def fault(part: str, what: str, do: str) -> Finding:
    """Say what is wrong."""
    return Finding(part, State.FAULT, what, do)
