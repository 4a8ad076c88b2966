"""The options that say how telephones behave, for commands that play a call."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from fsctl.admin.errors import Refused, WrongValue
from fsctl.admin.values import parse_seconds
from fsctl.hunt.course import member_named
from fsctl.hunt.group import Group
from fsctl.hunt.simulation import Phones

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--answer",
        "answers",
        multiple=True,
        metavar="USER@SECONDS",
        help="This member picks up so many seconds after the call came in, if it rings then.",
    ),
    click.option(
        "--busy",
        multiple=True,
        metavar="USER[@SECONDS]",
        help="This member's phone is busy, or talks until so many seconds after the call came in.",
    ),
    click.option("--offline", multiple=True, metavar="USER", help="This member has no phone."),
    click.option("--hang-up", metavar="SECONDS", help="The caller gives up after so many seconds."),
)


def phone_options(command: F) -> F:
    """Give a command the arguments ``answers``, ``busy``, ``offline`` and ``hang_up``."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def read_phones(
    group: Group,
    answers: tuple[str, ...],
    busy: tuple[str, ...],
    offline: tuple[str, ...],
    hang_up: str | None,
) -> Phones:
    """Return the telephones of a group's members. Raises WrongValue, Refused."""
    return Phones.script(
        dict(_answer(group, text) for text in answers),
        tuple(_member(group, text) for text in busy if not _has_seconds(text)),
        tuple(_member(group, user) for user in offline),
        None if hang_up is None else parse_seconds(hang_up),
        dict(_answer(group, text) for text in busy if _has_seconds(text)),
    )


def _has_seconds(text: str) -> bool:
    """Whether seconds follow a user, who may have a domain of its own: no domain is a number."""
    end = text.rpartition("@")[2]
    return "@" in text and end.replace(",", "", 1).replace(".", "", 1).isdigit()


def _answer(group: Group, text: str) -> tuple[str, float]:
    """Read ``USER@SECONDS``; a user may have a domain of its own, so the last ``@`` counts."""
    user, at, when = text.rpartition("@")
    if not at:
        raise WrongValue(f"--answer {text}: write USER@SECONDS, for example test006@7")
    return _member(group, user), parse_seconds(when)


def _member(group: Group, user: str) -> str:
    """Return the member as the group has it, so that a misspelt name does not pass for silence."""
    member = member_named(group, user)
    if member is not None:
        return member
    raise Refused(f"{user} is not a member of {group.name}; see: fsctl group show {group.name}")
