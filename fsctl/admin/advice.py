"""What of a group is allowed and yet unlikely to be meant."""

from fsctl.hunt.group import Group, Member


def title(name: str, domain: str) -> str:
    """Name a group; its domain is mentioned where there is one."""
    return f'group "{name}"' + (f" of {domain}" if domain else "")


def never_rings(group: Group, member: Member) -> bool:
    """Whether the group gives up before it is this member's turn."""
    return member.delay >= group.wait


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
    enabled = [member for member in group.members if member.enabled]
    if not group.members:
        found.append(f"{quoted} has no members: it rings nobody")
    elif not enabled:
        found.append(f"{quoted} has no enabled members: it rings nobody")
    found.extend(
        f"{member.user} of {quoted} never rings: its delay of {seconds(member.delay)} is not below "
        f"the group's wait of {seconds(group.wait)}"
        for member in enabled
        if never_rings(group, member)
    )
    return found
