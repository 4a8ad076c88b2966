"""Kinds of settings: how a value is read from text, and how it is written.

Owns the rules and the wording that settings of one kind have in common. Which settings there are is
``fsctl.admin.terms``'s.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fsctl.admin import values
from fsctl.admin.errors import WrongValue

Given = str | int | float | bool
"""A value as a face hands it over: what somebody typed, or a plain value."""

_SWITCH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_COUNT = re.compile(r"-?[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of setting. ``metavar`` is what stands for the value in a usage line."""

    metavar: str = "TEXT"

    @property
    def choices(self) -> tuple[str, ...]:
        """What may be written, where it is one of a few texts; else nothing."""
        return ()

    def read(self, what: str, given: Given) -> Any:
        """Return the plain value; ``what`` names the setting. Raises WrongValue."""
        raise NotImplementedError

    def write(self, value: Any) -> str:
        """Return a plain value as ``read`` takes it."""
        return str(value)

    def show(self, value: Any) -> str:
        """Return a plain value for people."""
        return self.write(value)

    def say(self, value: Any) -> str:
        """Return a plain value as part of a sentence."""
        return self.show(value)

    def document(self, value: Any) -> Any:
        """Return a plain value as files and the audit log have it."""
        return value


@dataclass(frozen=True, slots=True)
class Switch(Kind):
    """On or off: a bool."""

    metavar: str = "true|false"

    def read(self, what: str, given: Given) -> bool:
        """Read true or false, yes or no, on or off."""
        if isinstance(given, bool):
            return given
        text = str(given)
        if text.lower() not in _SWITCH:
            raise WrongValue(f"{what} is true or false, not {values.shown(text)}")
        return _SWITCH[text.lower()]

    def write(self, value: Any) -> str:
        """Return ``true`` or ``false``."""
        return "true" if value else "false"

    def show(self, value: Any) -> str:
        """Return ``on`` or ``off``."""
        return "on" if value else "off"


@dataclass(frozen=True, slots=True)
class Seconds(Kind):
    """A length of time: seconds, to the millisecond."""

    metavar: str = "SECONDS"
    least_ms: int = 0
    most_ms: int = 3_600_000

    def read(self, what: str, given: Given) -> float:
        """Read seconds written with a point or a comma."""
        return values.milliseconds(what, given, self.least_ms, self.most_ms) / 1000

    def write(self, value: Any) -> str:
        """Return seconds without more decimals than needed."""
        return f"{value:.3f}".rstrip("0").rstrip(".")

    def show(self, value: Any) -> str:
        """Return ``30 s``, ``0.5 s``."""
        return f"{self.write(value)} s"

    def document(self, value: Any) -> int | float:
        """Return whole seconds without a fraction."""
        return int(value) if value == int(value) else float(value)


@dataclass(frozen=True, slots=True)
class Count(Kind):
    """A whole number."""

    metavar: str = "COUNT"
    least: int = 0
    most: int = 1

    def read(self, what: str, given: Given) -> int:
        """Read digits."""
        text = str(given)
        if isinstance(given, bool) or not _COUNT.fullmatch(text):
            raise WrongValue(f"{what} {values.shown(text)} is not a whole number, for example 3")
        if not self.least <= int(text) <= self.most:
            raise WrongValue(f"{what} is {self.least} to {self.most}, not {int(text)}")
        return int(text)


@dataclass(frozen=True, slots=True)
class Choice(Kind):
    """One of a few texts."""

    options: tuple[str, ...] = ()

    @property
    def choices(self) -> tuple[str, ...]:
        """All of them."""
        return self.options

    def read(self, what: str, given: Given) -> str:
        """Read one of them, whatever its case."""
        text = str(given).lower()
        if text not in self.options:
            raise WrongValue(
                f"{what} is one of {', '.join(self.options)}, not {values.shown(str(given))}"
            )
        return text


@dataclass(frozen=True, slots=True)
class Form(Kind):
    """A text of a form of its own, which ``check`` reads; ValueError says what to write."""

    check: Callable[[str], str] = str
    """Returns the text in its one form."""
    longest: int = 100

    def read(self, what: str, given: Given) -> str:
        """Read it into its one form; ``none`` is the same as nothing."""
        text = str(given)
        try:
            found = self.check("" if text.lower() == "none" else text)
        except ValueError as error:
            raise WrongValue(f"{what} {values.shown(text)}: {error}") from None
        if len(found) > self.longest:
            raise WrongValue(f"{what} has at most {self.longest} characters, not {len(found)}")
        return found

    def show(self, value: Any) -> str:
        """Return ``none`` for the empty one."""
        return str(value) or "none"


@dataclass(frozen=True, slots=True)
class Line(Kind):
    """A line of printable text, which may be empty."""

    longest: int = 100

    def read(self, what: str, given: Given) -> str:
        """Read it as it is."""
        return values.line(what, str(given), self.longest)

    def say(self, value: Any) -> str:
        """Return it within quotes."""
        return f'"{value}"'
