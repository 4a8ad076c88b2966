"""What of a group is allowed and yet unlikely to be meant."""

from collections.abc import Iterator
from dataclasses import replace

from fsctl.hunt.endings import Kind, Reason, ending_for
from fsctl.hunt.group import Group, Member, inner_name, is_external
from fsctl.hunt.memory import NOTHING
from fsctl.hunt.strategies import IN_TURN, STRATEGIES
from fsctl.hunt.strategies.parts import in_order
from fsctl.store.numbers import is_assigned


def title(name: str, domain: str) -> str:
    """Name a group; its domain is mentioned where there is one."""
    return f'group "{name}"' + (f" of {domain}" if domain else "")


def never_rings(group: Group, member: Member) -> bool:
    """Whether the group gives up before it is this member's turn."""
    return group.strategy == "delayed" and member.delay >= group.wait


def in_turn(group: Group) -> list[Member]:
    """Return the members in the order in which they ring, as far as that is the same each time."""
    members = in_order(group)
    return sorted(members, key=lambda one: one.delay) if group.strategy == "delayed" else members


def seconds(value: float) -> str:
    """Write seconds for people: ``30 s``, ``0.5 s``."""
    return f"{value:.3f}".rstrip("0").rstrip(".") + " s"


def warnings_about(group: Group) -> list[str]:
    """Return one line for each thing that an administrator should look at."""
    found: list[str] = []
    quoted = title(group.name, group.domain)
    if not group.enabled:
        found.append(f"{quoted} is disabled: its calls ring nobody")
    if not group.numbers:
        found.append(f"{quoted} has no number: it is never called")
    found.extend(unlikely_numbers(group))
    enabled = [member for member in group.members if member.enabled]
    if not group.members:
        found.append(f"{quoted} has no members: it rings nobody")
    elif not enabled:
        found.append(f"{quoted} has no enabled members: it rings nobody")
    elif not any(member.signed_on for member in enabled):
        found.append(f"{quoted} has nobody signed on: it rings nobody")
    found.extend(
        f"{member.user} of {quoted} never rings: its delay of {seconds(member.delay)} is not below "
        f"the group's wait of {seconds(group.wait)}"
        for member in enabled
        if never_rings(group, member)
    )
    found.extend(
        f"{member.user} of {quoted} need not press 1: a voicemail box may take the caller; see: "
        "fsctl member set --confirm"
        for member in enabled
        if is_external(member.user) and not member.confirm
    )
    found.extend(_too_many(group))
    return found


def unlikely_numbers(group: Group) -> Iterator[str]:
    """Warn of public numbers, wherever the group has them, that are nobody's."""
    quoted = title(group.name, group.domain)
    ours = [number for number in group.numbers if number.startswith("+")]
    dialled = [member.user for member in group.members if is_external(member.user)]
    endings = (ending_for(group, reason) for reason in Reason)
    dialled += [one.to for one in endings if one.kind is Kind.EXTERNAL]
    for number in dict.fromkeys([*ours, *dialled]):
        if not is_assigned(number):
            yield f"{number} of {quoted} is in a number range that is not assigned; check it"


def _too_many(group: Group) -> Iterator[str]:
    """Warn when not all members who ring in turn have theirs before the group gives up."""
    if group.strategy not in IN_TURN or any(inner_name(one.user) for one in group.members):
        return
    round_ = STRATEGIES[group.strategy](replace(group, rounds=1), None, NOTHING, 0)
    if any(ring.start >= group.wait for ring in round_.rings):
        length = max(ring.start + ring.ring_for for ring in round_.rings)
        yield (
            f"a round of {title(group.name, group.domain)} takes {seconds(length)}, its wait is "
            f"{seconds(group.wait)}: the last ring only when others refuse"
        )
