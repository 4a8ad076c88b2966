"""The database: whether it answers, has the right tables, and groups that can ring."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Engine

from fsctl.admin.advice import title, warnings_about
from fsctl.doctor.finding import Finding, fault, ok, warning
from fsctl.hunt.allowed import restricted
from fsctl.hunt.group import Group, is_external
from fsctl.settings import Settings
from fsctl.store.engine import describe, reading
from fsctl.store.errors import NewerSchema, SchemaError, StoreError
from fsctl.store.groups import list_groups
from fsctl.store.schema import check_schema

PART = "database"


def examine_database(engine: Engine) -> Iterator[Finding]:
    """Look whether it answers and has the tables of this fsctl."""
    try:
        check_schema(engine)
    except NewerSchema as error:
        yield fault(PART, _what(error), "install the newer fsctl on this machine too")
    except SchemaError as error:
        yield fault(PART, _what(error), "fsctl db upgrade")
    except StoreError as error:
        yield fault(
            PART,
            _what(error),
            "see that the server runs and lets us in, and that database_url is right: fsctl config",
        )
    else:
        yield ok(PART, f"{describe(engine)} answers and is up to date")


def _what(error: Exception) -> str:
    return str(error).partition("; ")[0]


def examine_groups(groups: Sequence[Group]) -> Iterator[Finding]:
    """Look at the groups as they stand, without asking a switch."""
    part = "groups"
    numbers = sum(len(group.numbers) for group in groups)
    if not groups:
        yield warning(part, "there is no group yet", "fsctl group add NAME")
    else:
        yield ok(part, f"{len(groups)} groups with {numbers} numbers")
    for group in groups:
        for line in warnings_about(group):
            yield warning(part, line, f'see: fsctl group show "{group.name}"')


def examine_needs(settings: Settings, groups: Sequence[Group]) -> Iterator[Finding]:
    """Look whether groups are set to do what the settings do not allow."""
    for group in groups:
        if group.skip_busy and not settings.esl_url:
            yield warning(
                "groups",
                f"{title(group.name, group.domain)} passes nobody over: no switch tells who talks",
                "name the switch with the setting esl_url, for fsctl serve too",
            )
        if group.missed_mail and not settings.smtp_url:
            yield warning(
                "groups",
                f"{title(group.name, group.domain)} tells nobody of missed calls: no mail server",
                "name one with the setting smtp_url, for fsctl serve too",
            )
        numbers = [one.user for one in group.members if one.rings and is_external(one.user)]
        if numbers and not settings.external_dial:
            yield warning(
                "groups",
                f"{title(group.name, group.domain)} does not call {', '.join(numbers)}",
                "say with the setting external_dial how, for fsctl serve too",
            )


def examine_values(settings: Settings, groups: Sequence[Group]) -> Iterator[Finding]:
    """Look for values of groups with a domain that the settings do not allow."""
    for group in groups:
        wrong = settings.allowed.wrong(group.domain, restricted(group))
        for name, why in wrong.items():
            yield warning(
                "groups",
                f"{name.replace('_', ' ')} of {title(group.name, group.domain)} cannot use "
                f"{why.what}: calls go without it",
                f"change it, or allow it with the setting {why.setting}, for fsctl serve too",
            )


def examine_codes(settings: Settings, groups: Sequence[Group]) -> Iterator[Finding]:
    """Look whether numbers of groups stand in the way of codes before others' numbers."""
    for group in groups:
        for number, behind in settings.codes.shadowed(group.numbers):
            other = next(
                (one for one in groups if one.domain == group.domain and behind in one.numbers),
                None,
            )
            if other is not None:
                yield warning(
                    "groups",
                    f"{number} calls {title(group.name, group.domain)}, so it is no code before "
                    f"{behind} of {title(other.name, other.domain)}",
                    "take the number away, or change sign_code or pickup_code",
                )


def load_groups(engine: Engine) -> list[Group]:
    """Return every group. Raises StoreError."""
    with reading(engine) as session:
        return list_groups(session)
