"""Kinds of settings about what is heard, shown and recorded.

Owns which of them an administrator may write; what a sound is stands in ``fsctl.hunt.sound``.
"""

import re
from dataclasses import dataclass

from fsctl.admin import values
from fsctl.admin.errors import WrongValue
from fsctl.admin.kinds import Given, Line
from fsctl.hunt.line import POSITION, parts_of
from fsctl.hunt.sound import STREAMS, read_sound
from fsctl.hunt.template import RECORDED, SHOWN, stray
from fsctl.store import limits

_RING = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*|<[A-Za-z0-9:/._~%-]+>(;[A-Za-z0-9-]+(=[\w.-]+)?)*")
_PATH = re.compile(r"/[A-Za-z0-9/._+@{}-]*\.[A-Za-z0-9]{2,4}")


@dataclass(frozen=True, slots=True)
class Sound(Line):
    """A file, or a stream, that FreeSWITCH plays."""

    metavar: str = "SOUND"
    longest: int = limits.LONGEST_SOUND

    def read(self, what: str, given: Given) -> str:
        """Read a file's path or a stream's address."""
        text = values.line(what, str(given), self.longest)
        try:
            return read_sound(text)
        except ValueError:
            raise WrongValue(
                f"{what} {values.shown(text)} is no sound: write a file of letters, digits and "
                f"/ . _ + @ -, or a stream ({', '.join(STREAMS)}), for example local_stream://moh"
            ) from None


@dataclass(frozen=True, slots=True)
class PositionSound(Line):
    """A sound that tells a caller's place in line: files and streams, one after another.

    More than one are written as FreeSWITCH has them, ``file_string://ONE!OTHER``; ``{position}``
    stands in the names of files.
    """

    metavar: str = "SOUND"
    longest: int = limits.LONGEST_SOUND

    def read(self, what: str, given: Given) -> str:
        """Read sounds of which each may be played alone."""
        text = values.line(what, str(given), self.longest)
        _check_placeholders(what, text, (POSITION,))
        for part in parts_of(text):
            Sound().read(what, part.replace(f"{{{POSITION}}}", "1"))
        return text


@dataclass(frozen=True, slots=True)
class AlertInfo(Line):
    """A distinctive ring, as the SIP header Alert-Info tells a telephone (RFC 3261, 20.4)."""

    metavar: str = "RING"
    longest: int = limits.LONGEST_ALERT_INFO

    def read(self, what: str, given: Given) -> str:
        """Read a word, or a URI in angle brackets with parameters."""
        text = values.line(what, str(given), self.longest)
        if not _RING.fullmatch(text):
            raise WrongValue(
                f"{what} {values.shown(text)} is no ring: write a word, for example Bellcore-dr3, "
                "or <http://example.com>;info=alert-group"
            )
        return text


@dataclass(frozen=True, slots=True)
class Template(Line):
    """What a telephone shows of a caller: a text with placeholders."""

    metavar: str = "TEXT"
    longest: int = limits.LONGEST_SHOWN

    def read(self, what: str, given: Given) -> str:
        """Read a line in which only known placeholders stand in braces."""
        text = values.line(what, str(given), self.longest)
        _check_placeholders(what, text, SHOWN)
        return text


@dataclass(frozen=True, slots=True)
class RecordingPath(Line):
    """The file of a recording: an absolute path with placeholders and an extension."""

    metavar: str = "PATH"
    longest: int = limits.LONGEST_RECORDING

    def read(self, what: str, given: Given) -> str:
        """Read a path that leads nowhere else whatever the placeholders come to."""
        text = values.line(what, str(given), self.longest)
        _check_placeholders(what, text, RECORDED)
        if not _PATH.fullmatch(text) or ".." in text:
            raise WrongValue(
                f"{what} {values.shown(text)} is no file to record in: write a path from / on, of "
                "letters, digits, placeholders and / . _ + @ -, with an extension, for example .wav"
            )
        return text


def _check_placeholders(what: str, text: str, known: tuple[str, ...]) -> None:
    wrong = stray(text, known)
    if wrong is not None:
        told = ", ".join(f"{{{name}}}" for name in known)
        raise WrongValue(f"{what} has {values.shown(wrong)}: the placeholders are {told}")
