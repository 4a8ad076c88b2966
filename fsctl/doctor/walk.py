"""All of it, in the order in which one thing rests on another."""

from collections.abc import Iterator

from fsctl.doctor.beside import examine_beside
from fsctl.doctor.database import (
    examine_codes,
    examine_database,
    examine_groups,
    examine_needs,
    examine_values,
    load_groups,
)
from fsctl.doctor.files import (
    database_files,
    examine_database_file,
    examine_room,
    examine_settings,
    examine_spool,
)
from fsctl.doctor.finding import Finding, State, fault
from fsctl.doctor.listener import examine_allowed, examine_listener
from fsctl.doctor.mail import examine_mail, examine_outbox
from fsctl.doctor.switch import examine_switches
from fsctl.hunt.group import Group
from fsctl.settings import Settings
from fsctl.settings_reading import Loaded
from fsctl.store.engine import make_engine, missing_file
from fsctl.store.errors import BadURL, StoreError


def examine(loaded: Loaded) -> Iterator[Finding]:
    """Look at everything and yield what is found, each thing as soon as it is known.

    What cannot be looked at because of a fault is left out: without a database no member is asked
    for.
    """
    settings = loaded.settings
    yield from examine_settings(loaded)
    yield from examine_spool(settings.spool)
    groups: list[Group] = []
    yield from _stored(settings, groups)
    yield from examine_listener(settings)
    yield from examine_allowed(settings)
    yield from examine_beside(settings)
    yield from examine_mail(settings)
    yield from examine_switches(settings, groups)


def _stored(settings: Settings, groups: list[Group]) -> Iterator[Finding]:
    """Look at the database, and fill ``groups`` from it."""
    try:
        engine = make_engine(settings.database_url)
    except BadURL as error:
        yield fault("database", str(error), "correct the setting database_url")
        return
    if missing_file(engine) is None:
        yield from examine_database_file(engine)
    yield from examine_room([settings.spool, *database_files(engine)])
    found = list(examine_database(engine))
    yield from found
    if any(one.state is State.FAULT for one in found):
        return
    try:
        groups += load_groups(engine)
    except StoreError as error:
        yield fault("database", str(error), "see the database's log")
        return
    yield from examine_groups(groups)
    yield from examine_needs(settings, groups)
    yield from examine_values(settings, groups)
    yield from examine_codes(settings, groups)
    try:
        yield from examine_outbox(engine)
    except StoreError as error:
        yield fault("database", str(error), "see the database's log")
