"""Public holidays, from the ``holidays`` library, as dates on which a group is closed."""

from collections.abc import Iterator
from dataclasses import replace

import holidays
from sqlalchemy.orm import Session

from fsctl.admin.change import Change, changed, transaction
from fsctl.admin.errors import WrongValue
from fsctl.admin.groups import capital, existing_group
from fsctl.admin.terms import GROUP_TERMS
from fsctl.admin.values import shown
from fsctl.hunt.opening import read_dates, write_dates
from fsctl.store.columns import set_fields

FIRST_YEAR, LAST_YEAR = 2000, 2100


@transaction
def close_on_holidays(
    session: Session, /, name: str, year: int, country: str, *, domain: str = ""
) -> Change:
    """Close a group on the public holidays of a year, in a country or in a part of it.

    ``country`` is ``PL`` (ISO 3166), or ``GB-ENG`` (ISO 3166-2). A date that the group has already
    keeps its hours.
    """
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise WrongValue(f"the year is {FIRST_YEAR} to {LAST_YEAR}, not {year}")
    days = _calendar(country, year)
    row = existing_group(session, name, domain)
    known = read_dates(row.dates)
    added = sorted(day for day in days if day not in known)
    text = write_dates({**dict.fromkeys(added, ()), **known})
    set_fields(row, {"dates": GROUP_TERMS["dates"].read(text)})
    told = ", ".join(map(str, added)) or "no day more"
    change = changed(session, row, f"{capital(row)} is closed on {told}.")
    return replace(change, warnings=[*change.warnings, *_of_parts(days, year)])


def _calendar(text: str, year: int) -> holidays.HolidayBase:
    """Return the public holidays of a year. Raises WrongValue."""
    country, _, part = text.strip().partition("-")
    # The library takes other names than countries', too: of stock exchanges, of months.
    if country.upper() not in holidays.list_supported_countries(include_aliases=True):
        raise WrongValue(
            f"no public holidays are known of {shown(country)}: write the two letters of a country"
        )
    whole = holidays.country_holidays(country.upper(), years=year)
    if not part:
        return whole
    names = {**{one: one for one in whole.subdivisions}, **whole.subdivisions_aliases}
    found = next((code for one, code in names.items() if one.casefold() == part.casefold()), None)
    if found is None:
        parts = ", ".join(whole.subdivisions) or "none"
        raise WrongValue(
            f"{country.upper()} has no part {shown(part)} with its own holidays, only: {parts}"
        )
    return holidays.country_holidays(country.upper(), subdiv=found, years=year)


def _of_parts(days: holidays.HolidayBase, year: int) -> Iterator[str]:
    """Warn when parts of the country have holidays that the whole of it does not have."""
    country, parts = days.country, () if days.subdiv else days.subdivisions
    for one in parts:
        if holidays.country_holidays(country, subdiv=one, years=year).keys() - days.keys():
            part = f"{country}-{one}"
            yield f"parts of {country} have more holidays; give the part, for example {part}"
            return
