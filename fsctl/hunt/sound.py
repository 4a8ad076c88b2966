"""A sound: a file, or a stream, that FreeSWITCH plays, and which of them may be written.

FreeSWITCH plays far more than files: schemes that run a program, say, are not among these.
"""

import re

STREAMS = (
    "local_stream",
    "tone_stream",
    "silence_stream",
    "http",
    "https",
    "http_cache",
    "shout",
)
"""What may stand before ``://`` in a sound."""

_FILE = re.compile(r"/?[A-Za-z0-9][A-Za-z0-9/._+@-]*")
_STREAM = re.compile(r"([a-z_]+)://[A-Za-z0-9/._:%(),;=+*~?&@-]+")


def read_sound(text: str) -> str:
    """Return a sound as it is. Raises ValueError, whose message says what to write."""
    stream = _STREAM.fullmatch(text)
    if stream and stream[1] in STREAMS:
        return text
    if not _FILE.fullmatch(text) or ".." in text:
        raise ValueError(
            "write a file of letters, digits and / . _ + @ -, or a stream "
            f"({', '.join(STREAMS)}), for example local_stream://moh"
        )
    return text
