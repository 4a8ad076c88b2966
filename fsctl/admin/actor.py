"""Who makes a change, for the audit log.

A face that acts for somebody else (a web panel for whoever is logged in) says so with
``acting_as``; otherwise it is the user of the operating system who runs the program.
"""

import os
import pwd
from collections.abc import Mapping

from sqlalchemy import Engine

from fsctl.store.limits import LONGEST_ACTOR

_OPTION = "fsctl_actor"


def acting_as(engine: Engine, actor: str) -> Engine:
    """Return the same engine, whose changes are this actor's."""
    return engine.execution_options(**{_OPTION: fit(actor)})


def actor_of(engine: Engine) -> str:
    """Return who makes changes through this engine."""
    actor: str | None = engine.get_execution_options().get(_OPTION)
    return actor or system_user(os.getuid(), os.environ)


def system_user(uid: int, environ: Mapping[str, str]) -> str:
    """Return the name of a user of the operating system.

    Of root also who became root with sudo; anybody else's environment says what they like.
    """
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = f"uid {uid}"
    caller = environ.get("SUDO_USER")
    return fit(f"{caller} (as {name})" if uid == 0 and caller and caller != name else name)


def fit(actor: str) -> str:
    """Return an actor's name as it can be kept: printable, not too long, not empty."""
    safe = "".join(char if char.isprintable() else "?" for char in actor).strip()
    return safe[:LONGEST_ACTOR] or "unknown"
