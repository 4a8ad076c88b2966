"""What a setting is: the row of its table, and how ``fsctl.settings`` declares it."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


def setting(
    default: str,
    read: Callable[[str], object],
    metavar: str,
    description: str,
    *,
    show: Callable[[Any], str] = str,
    mask: Callable[[str], str] | None = None,
) -> Any:
    """Declare one setting.

    ``read`` turns text into the value, or raises ValueError saying what to write instead; ``show``
    is its inverse. ``mask`` hides the secret part of a text, and so makes the setting a secret.
    """
    meta = {
        "default": default,
        "read": read,
        "metavar": metavar,
        "description": description,
        "show": show,
        "mask": mask,
    }
    # A secret is no part of what a log or a traceback shows of the settings.
    return dataclasses.field(
        default_factory=lambda: read(default), metadata=meta, repr=mask is None
    )


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table of settings."""

    name: str
    default: str
    metavar: str
    description: str
    read: Callable[[str], object]
    show: Callable[[Any], str]
    mask: Callable[[str], str] | None

    @property
    def flag(self) -> str:
        """The option of the command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """The environment variable."""
        return "FSCTL_" + self.name.upper()

    @property
    def secret(self) -> bool:
        """Whether a part of the value must never be shown."""
        return self.mask is not None

    def public(self, text: str) -> str:
        """Return the text without its secret part."""
        return self.mask(text) if self.mask else text
