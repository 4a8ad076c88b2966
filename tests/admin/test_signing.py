"""Members who sign on and off: what is kept, told and written down."""

import pytest
from sqlalchemy import Engine

from fsctl.admin.actor import acting_as
from fsctl.admin.audit import list_changes
from fsctl.admin.errors import Refused
from fsctl.admin.example import add_example
from fsctl.admin.groups import get_group
from fsctl.admin.members import sign_off, sign_on, toggle_signed_on
from fsctl.store.engine import reading
from fsctl.store.revision import read_revision


class Stopped(Exception):
    """Nobody waits any more."""


def revision(engine: Engine) -> int:
    with reading(engine) as session:
        return read_revision(session)


def signed_on(engine: Engine) -> list[str]:
    return [one.user for one in get_group(engine, "sales").members if one.signed_on]


def test_signing_off_and_on(engine: Engine) -> None:
    add_example(engine)
    assert sign_off(engine, "SALES", "TEST002").text == (
        'test002 of group "sales": delay 0 s, enabled, signed off.'
    )
    assert signed_on(engine) == ["test006", "test007"]
    sign_off(engine, "sales", "test006")
    change = sign_off(engine, "sales", "test007")
    assert change.warnings == ['group "sales" has nobody signed on: it rings nobody']
    assert sign_on(engine, "sales", "test007").warnings == []
    assert signed_on(engine) == ["test007"]
    with pytest.raises(Refused, match="is not a member"):
        sign_on(engine, "sales", "nobody")


def test_by_telephone(engine: Engine) -> None:
    add_example(engine)
    before = revision(engine)
    phone = acting_as(engine, "telephone of test002@a.example")
    toggle_signed_on(phone, "sales", "test002")
    assert signed_on(engine) == ["test006", "test007"]
    assert revision(engine) == before + 1
    toggle_signed_on(phone, "sales", "test002")
    assert len(signed_on(engine)) == 3
    first, second = list_changes(engine, group="sales", limit=2)
    assert first.actor == second.actor == "telephone of test002@a.example"
    assert first.action == "toggle signed on"


def test_what_nobody_waits_for_is_not_done(engine: Engine) -> None:
    add_example(engine)
    before, changes = revision(engine), len(list_changes(engine))

    def too_late() -> None:
        raise Stopped

    with pytest.raises(Stopped):
        toggle_signed_on(engine, "sales", "test002", may_commit=too_late)
    assert len(signed_on(engine)) == 3
    assert (revision(engine), len(list_changes(engine))) == (before, changes)
    toggle_signed_on(engine, "sales", "test002")
    assert len(signed_on(engine)) == 2
