"""What the administrator of the machine allows those of groups: telephone numbers as members.

Every call to one costs, so they are off until a setting says how they are called.
"""

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from fsctl.admin.errors import Refused
from fsctl.hunt.group import is_external

_OPTION = "fsctl_external"


def allowing_external(engine: Engine) -> Engine:
    """Return the same engine, through which telephone numbers can become members."""
    return engine.execution_options(**{_OPTION: True})


def refuse_external(session: Session, user: str) -> None:
    """Refuse a new member who could not be called. Raises Refused."""
    bind = session.get_bind()
    assert isinstance(bind, Engine)  # noqa: S101 - sessions are made by fsctl.store.engine
    if is_external(user) and not bind.get_execution_options().get(_OPTION):
        raise Refused(
            f"{user} is a telephone number, and those are not called here: the setting "
            "external_dial says how, for example sofia/gateway/provider/{number}"
        )
