"""Records to test with."""

from msgspec.structs import replace

from fsctl.hunt.group import Group, Member
from fsctl.store.call_records import Attempt, CallRecord, group_text

BEGAN = 1_715_676_127.25  # 2024-05-14 08:42:07.25 UTC

GROUP = Group(
    "Sales",
    numbers=("600",),
    members=(
        Member("test002", 0.0),
        Member("test006", 6.0),
        Member("test007", 10.0),
        Member("test008", 0.0, enabled=False),
        Member("test009", 45.0),
    ),
    wait=30.0,
)

ATTEMPTS = (
    Attempt("test002", 0.0, 0.1, None, None, 7.3, "cancelled", "LOSE_RACE", 487),
    Attempt("test006", 6.0, 6.2, 7.2, 7.25, None, "answered"),
)

ANSWERED = CallRecord(
    uuid="5f3c0d1e-0000-4000-8000-000000000001",
    domain="",
    group="Sales",
    number="600",
    caller_number="+48 601 234 567",
    caller_name="Jan Żółw",
    began=BEGAN,
    wait_seconds=7.25,
    outcome="answered",
    cause="",
    ended=BEGAN + 70.25,
    answered_by="test006",
    talk_seconds=63.0,
    group_as_it_was=group_text(GROUP),
    attempts=ATTEMPTS,
    controller="pbx1/123",
    caller_user="test001",
)


def call(number: int, **changes: object) -> CallRecord:
    """Return a record of another call, a second later each."""
    uuid = f"5f3c0d1e-0000-4000-8000-{number:012x}"
    found = replace(ANSWERED, uuid=uuid, began=BEGAN + number, ended=BEGAN + number + 70)
    return replace(found, **changes)  # type: ignore[arg-type]
