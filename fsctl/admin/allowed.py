"""What the installation's administrator allows those of groups.

Calls to telephone numbers cost, so such members are off until a setting says how they are called.
What the groups of a domain may have the switch use is in ``fsctl.hunt.allowed``.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from fsctl.admin.errors import Refused
from fsctl.hunt.allowed import RESTRICTED, Allowed
from fsctl.hunt.group import is_external

_EXTERNAL = "fsctl_external"
_ALLOWED = "fsctl_allowed"


def allowing(engine: Engine, allowed: Allowed, *, external: bool) -> Engine:
    """Return the same engine, through which groups may be given what these settings allow.

    ``external``: telephone numbers can become members.
    """
    return engine.execution_options(**{_ALLOWED: allowed, _EXTERNAL: external})


def refuse_external(session: Session, user: str) -> None:
    """Refuse a new member who could not be called. Raises Refused."""
    if is_external(user) and not _option(session, _EXTERNAL):
        raise Refused(
            f"{user} is a telephone number, and those are not called here: the setting "
            "external_dial says how, for example sofia/gateway/provider/{number}"
        )


def refuse_not_allowed(
    session: Session, domain: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> None:
    """Refuse new values of a group that its domain may not have. Raises Refused.

    What is there already and stays is not looked at: a group can always be changed otherwise.
    """
    allowed: Allowed = _option(session, _ALLOWED) or Allowed()
    new = {
        name: after[name]
        for name in RESTRICTED
        if name in after and after[name] != before.get(name)
    }
    for name, why in allowed.wrong(domain, new).items():
        raise Refused(
            f"{name.replace('_', ' ')} cannot use {why.what} here; the setting {why.setting} says "
            "what is allowed"
        )


def restricted_of(row: object) -> dict[str, str | None]:
    """Return what a group's row has of the settings that are looked at."""
    return {name: getattr(row, name) for name in RESTRICTED}


def _option(session: Session, name: str) -> Any:
    bind = session.get_bind()
    assert isinstance(bind, Engine)  # noqa: S101 - sessions are made by fsctl.store.engine
    return bind.get_execution_options().get(name)
