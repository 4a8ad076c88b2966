"""Reads the captures: whole conversations of a real FreeSWITCH with a controller."""

import re
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "captures"
NAMES = sorted(path.stem for path in FOLDER.glob("*.txt"))
_MARK = re.compile(rb"\n### (TO|FROM) FREESWITCH [0-9.]+\n")


def pieces(name: str) -> list[tuple[str, bytes]]:
    """Return what went ``TO`` and came ``FROM`` FreeSWITCH, in order, without our own marks.

    The capture adds one newline before each mark.
    """
    parts = _MARK.split((FOLDER / f"{name}.txt").read_bytes())
    return [(way.decode(), text) for way, text in zip(parts[1::2], parts[2::2], strict=True)]


def from_switch(name: str) -> bytes:
    """Return every byte that came from FreeSWITCH."""
    return b"".join(text for way, text in pieces(name) if way == "FROM")
