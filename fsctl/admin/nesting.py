"""Groups as members of groups: they exist, they are not within themselves, and not too many.

What is checked is the whole of it, after a change and within its transaction: any of the groups may
be what is wrong.
"""

from sqlalchemy.orm import Session

from fsctl.admin.advice import title
from fsctl.admin.errors import Refused
from fsctl.hunt.group import INNER, inner_name
from fsctl.hunt.nesting import DEEPEST, MOST_MEMBERS
from fsctl.store.nesting import Key, members_of_each, nested_members, nesting
from fsctl.store.tables import name_key


def check_nesting(session: Session) -> None:
    """Refuse what a change has made of groups within groups. Raises Refused."""
    session.flush()
    within = nesting(session)
    if not within:
        return
    keys = {*within, *(key for inner in within.values() for key in inner)}
    Check(within, members_of_each(session, keys)).run()


class Check:
    """The groups that are within others, and how many members each has itself."""

    def __init__(self, within: dict[Key, list[Key]], groups: dict[Key, tuple[str, int]]) -> None:
        self._within = within
        self._groups = groups
        self._sizes: dict[Key, tuple[int, int]] = {}

    def run(self) -> None:
        """Go through all of them."""
        for key in sorted(self._within):
            self._look(key, [])

    def _look(self, key: Key, above: list[Key]) -> tuple[int, int]:
        """Return how many members a group has with those within it, and how deep they go."""
        if key in above:
            loop = " > ".join(self._groups[one][0] for one in [*above[above.index(key) :], key])
            raise Refused(f"{self._title(key)} would be a member of itself: {loop}")
        if key not in self._sizes:
            size, depth = self._groups[key][1], 0
            for inner in self._within.get(key, ()):
                if inner not in self._groups:
                    raise Refused(
                        f"{self._title(key)} has {INNER}{inner[1]} for a member, and there is no "
                        "such group; see: fsctl group list"
                    )
                its_size, its_depth = self._look(inner, [*above, key])
                size, depth = size + its_size, max(depth, its_depth + 1)
            self._sizes[key] = size, depth
        size, depth = self._sizes[key]
        if depth > DEEPEST:
            raise Refused(f"{self._title(key)} has groups within each other beyond {DEEPEST}")
        if size > MOST_MEMBERS and depth:
            raise Refused(
                f"{self._title(key)} has {size} members with those of its groups, and "
                f"{MOST_MEMBERS} are the most"
            )
        return size, depth

    def _title(self, key: Key) -> str:
        return title(self._groups[key][0], key[0])


def follow_name(session: Session, domain: str, old: str, new: str) -> None:
    """Let the groups that a group is a member of know it by its new name."""
    for member in nested_members(session, domain):
        if name_key(inner_name(member.user) or "") == name_key(old):
            member.user = INNER + new
