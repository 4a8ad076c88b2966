"""Codes that a telephone dials before a group's number, and who may use them. Pure.

A number that a group serves is never taken for a code: whoever gives a group such a number meant
it. ``shadowed`` finds those for whom that leaves no code.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from fsctl.hunt.group import Group, Member, is_user, same_user
from fsctl.hunt.nesting import everybody

_CODE = re.compile(r"[*#][0-9*#]{0,7}")


class Code(Enum):
    """What a code is for."""

    SIGN = "sign"
    """Sign on in the group, or off."""
    PICK_UP = "pick up"
    """Take the caller who has waited longest in the group."""


def read_code(text: str) -> str:
    """Return a code as it is dialled; nothing, or ``none``, turns it off. Raises ValueError."""
    text = "" if text.lower() == "none" else text
    if text and not _CODE.fullmatch(text):
        raise ValueError("write * or # with digits behind it, for example *45, or none")
    return text


@dataclass(frozen=True, slots=True)
class Codes:
    """The codes in force, each with its meaning; "" is none. Raises ValueError if two collide."""

    sign: str = ""
    pick_up: str = ""

    def __post_init__(self) -> None:
        one, other = sorted((self.sign, self.pick_up), key=len)
        if one and other.startswith(one):
            raise ValueError(
                f"the codes {self.sign} and {self.pick_up} collide, for one begins with the other: "
                "change sign_code or pickup_code"
            )

    def __iter__(self) -> Iterator[tuple[Code, str]]:
        """Yield those that are on."""
        yield from ((kind, code) for kind, code in self._all() if code)

    def _all(self) -> tuple[tuple[Code, str], ...]:
        return (Code.SIGN, self.sign), (Code.PICK_UP, self.pick_up)

    def split(self, dialled: str) -> tuple[Code, str] | None:
        """Return the code that was dialled and the number behind it; None for neither."""
        for kind, code in self:
            if dialled.startswith(code) and len(dialled) > len(code):
                return kind, dialled[len(code) :]
        return None

    def shadowed(self, numbers: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Yield each number of a group that looks like a code, with the number behind it."""
        for number in numbers:
            found = self.split(number)
            if found is not None:
                yield number, found[1]


def whole_user(user: str, group: Group) -> str:
    """Return a member's name with its domain, which is the group's where it says none."""
    return f"{user}@{group.domain}" if group.domain and "@" not in user else user


def member_of(group: Group, user: str) -> Member | None:
    """Return the member of a group who this user is, None if they are no member themselves."""
    for member in group.members:
        if is_user(member.user) and same_user(whole_user(member.user, group), user):
            return member
    return None


def picks_up_as(group: Group, user: str) -> str | None:
    """Return the name under which a user may pick up a group's callers, None if they may not.

    A member's is as the group spells it, for it is remembered by that. Members of groups within
    the group count, and so does who is signed off or disabled.
    """
    if group.pickup == "nobody":
        return None
    for name in everybody(group):
        if is_user(name) and same_user(whole_user(name, group), user):
            return name
    if group.pickup != "domain":
        return None
    domain = user.partition("@")[2].casefold()
    return user if not group.domain or domain == group.domain else None
