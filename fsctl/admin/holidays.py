"""Public holidays, from the ``holidays`` library, as dates on which a group is closed."""

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
    """Close a group on the public holidays of a country (ISO 3166) in a year.

    A date that the group has already keeps its hours.
    """
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise WrongValue(f"the year is {FIRST_YEAR} to {LAST_YEAR}, not {year}")
    try:
        days = holidays.country_holidays(country.upper(), years=year)
    except NotImplementedError:
        raise WrongValue(
            f"no public holidays are known of {shown(country)}: write the two letters of a country"
        ) from None
    row = existing_group(session, name, domain)
    known = read_dates(row.dates)
    added = sorted(day for day in days if day not in known)
    text = write_dates({**dict.fromkeys(added, ()), **known})
    set_fields(row, {"dates": GROUP_TERMS["dates"].read(text)})
    told = ", ".join(map(str, added)) or "no day more"
    return changed(session, row, f"{capital(row)} is closed on {told}.")
