"""Sounds: how long they last and what can be played. Nobody listens, but callers can tell.

Owns what ``switch_ivr_play_file`` (switch_ivr_play_say.c) does to the channel that plays: meanwhile
it carries out what waits to be done on its thread.
"""

from __future__ import annotations

import re
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from fsctl.demo.channel import Channel
from fsctl.demo.clock import next_tick

if TYPE_CHECKING:
    from fsctl.demo.switch import Switch

Parse = Callable[["Switch", Channel], None]

#: Seconds that a sound file lasts; nobody listens.
_FILE_SECONDS = 1.0

_JOINED = "file_string://"
_TONE = re.compile(r"%\((\d+),(\d+)[,)]")
_LOOPS = re.compile(r"loops=(-?\d+)")


class NotFound(Exception):
    """A sound that is not there."""


def length(sound: str) -> float | None:
    """Return the seconds that a sound lasts, None for one without end. Raises NotFound."""
    kind, found, rest = sound.partition("://")
    if not found:
        if not Path(sound).is_file():
            raise NotFound
        return _FILE_SECONDS
    if kind == "silence_stream":
        milliseconds = rest.partition(",")[0]
        return int(milliseconds) / 1000 if milliseconds.isdigit() and milliseconds != "0" else None
    if kind == "tone_stream":
        loops = _LOOPS.search(rest)
        times = int(loops[1]) if loops else 1
        tones = sum(int(on) + int(off) for on, off in _TONE.findall(rest)) / 1000
        return None if times < 0 else tones * max(times, 1)
    if kind == "local_stream":
        return None
    raise NotFound


def audible(sound: str) -> bool:
    """Whether somebody who listened would hear anything of what plays."""
    if not sound or sound.startswith("silence_stream://"):
        return False
    try:
        with wave.open(sound) as opened:
            return any(opened.readframes(opened.getnframes()))
    except (OSError, EOFError, wave.Error):
        return True  # no such file, or one that we cannot read


def play(switch: Switch, channel: Channel, sound: str, parse: Parse) -> bool:
    """Play a sound on a channel's thread; False when it cannot be played or was broken off."""
    found = list(_one_after_another(sound))
    if not found:
        channel.set("current_application_response", "FILE NOT FOUND")
        return False
    bound = channel.get("playback_timeout_sec") or ""
    before, whole = channel.playing, True
    for part, length_of_it in found:
        seconds = length_of_it
        if bound.isdigit() and int(bound):
            seconds = min(int(bound), int(bound) if seconds is None else seconds)
        channel.playing = part
        channel.wake()
        whole = whole and last(switch, channel, seconds, parse)
    channel.playing = before
    channel.set("current_application_response", "FILE PLAYED")
    return whole


def _one_after_another(sound: str) -> Iterator[tuple[str, float | None]]:
    """Yield the sounds that one is made of with their lengths; what is missing is passed over
    (``next_file`` in mod_dptools.c)."""
    parts = sound.removeprefix(_JOINED).split("!") if sound.startswith(_JOINED) else [sound]
    for part in parts:
        with suppress(NotFound):
            yield part, length(part)


def last(switch: Switch, channel: Channel, seconds: float | None, parse: Parse) -> bool:
    """Let time pass on a channel's thread; False when the channel was called away or broken off."""
    end = None if seconds is None else time.monotonic() + seconds

    def disturbed() -> bool:
        return channel.state != "CS_EXECUTE" or channel.interrupted or bool(channel.messages)

    while channel.wait(disturbed, None if end is None else max(0.0, end - time.monotonic())):
        if channel.state != "CS_EXECUTE" or channel.interrupted:
            return False
        next_tick()
        parse(switch, channel)
    return True


def record(path: str) -> None:
    """Begin a recording, with every directory that it needs; nothing where that cannot be."""
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).touch()
    except OSError:
        return
