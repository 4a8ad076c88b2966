"""Numbers of groups: add, remove. Several at once: all or none.

Errors and transactions are as in ``fsctl.admin.groups``. Numbers are read by the numbering plan of
``region`` (ISO 3166).
"""

from collections.abc import Iterable

from sqlalchemy.orm import Session

from fsctl.admin import values
from fsctl.admin.change import Change, changed, transaction
from fsctl.admin.errors import Refused, Taken, WrongValue
from fsctl.admin.groups import capital, existing_group, named
from fsctl.admin.versions import NUMBERS, refuse_changed
from fsctl.store.groups import number_owners, to_group
from fsctl.store.numbers import Number, dialled
from fsctl.store.tables import GroupNumber, HuntGroup

MOST_AT_ONCE = 500  # one SQL statement asks for all of them


@transaction
def add_numbers(
    session: Session,
    group: str,
    numbers: Iterable[str],
    region: str,
    *,
    domain: str = "",
    seen: str | None = None,
) -> Change:
    """Let these numbers call the group; the same number twice is one number.

    ``seen`` is the fingerprint of the group's numbers as they were.
    """
    wanted = _read(numbers, region)
    row = existing_group(session, group, domain)
    refuse_changed(to_group(row), seen, *NUMBERS)
    owners = number_owners(session, [number.value for number in wanted], row.domain)
    for number in wanted:
        owner = owners.get(number.value)
        if owner is row:
            raise Refused(f"{number.value} is a number of {named(row)} already")
        if owner is not None:
            raise Taken(f"{number.value} belongs to {named(owner)}", number.value, owner.domain)
    row.numbers.extend(GroupNumber(number=value, kind=kind) for value, kind in wanted)
    return changed(session, row, _called_by(row))


@transaction
def remove_numbers(
    session: Session,
    group: str,
    numbers: Iterable[str],
    region: str,
    *,
    domain: str = "",
    seen: str | None = None,
) -> Change:
    """Take these numbers from the group; ``seen`` as in ``add_numbers``."""
    texts = list(dict.fromkeys(numbers))
    row = existing_group(session, group, domain)
    refuse_changed(to_group(row), seen, *NUMBERS)
    mine = {number.number: number for number in row.numbers}
    # What an earlier version took, and no plan has, is removed as it is shown.
    for value in mine.keys() & set(texts):
        row.numbers.remove(mine[value])
    others = [text for text in texts if text not in mine]
    wanted = _read(others, region) if others or not texts else []
    owners = number_owners(session, [number.value for number in wanted], row.domain)
    for text in others:
        # A number that was added under another region's plan is still found as it is written.
        keys = dialled(text, region)
        kept = next((mine[key] for key in keys if key in mine), None)
        if kept is None:
            owner = owners.get(keys[0])
            if owner is None or owner.domain != row.domain:
                raise Refused(f"{keys[0]} is not a number of {named(row)}")
            raise Refused(
                f"{keys[0]} is not a number of {named(row)}; it belongs to {named(owner)}"
            )
        if kept in row.numbers:
            row.numbers.remove(kept)
    return changed(session, row, _called_by(row))


def _read(numbers: Iterable[str], region: str) -> list[Number]:
    wanted = list(dict.fromkeys(values.number(text, region) for text in numbers))
    if not 1 <= len(wanted) <= MOST_AT_ONCE:
        raise WrongValue(f"give 1 to {MOST_AT_ONCE} numbers at once, not {len(wanted)}")
    return wanted


def _called_by(row: HuntGroup) -> str:
    numbers = ", ".join(number.number for number in row.numbers)
    return f"{capital(row)} is called by: {numbers or 'no number'}."
