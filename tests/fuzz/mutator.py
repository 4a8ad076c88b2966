"""Changes frames in the ways in which a hostile or broken switch could, by a seed."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

from fsctl.esl.codec import notice

NASTY = (
    b"",
    b"\n",
    b"\n\n",
    b"%0A",
    b"%0a%0A",
    b"%",
    b"%F",
    b"%FF%FE",
    b"\xff\xfe",
    b"\xe2\x80\xa8",
    b"\\u2028",
    b"\\ud800",
    b"\x00",
    b"-1",
    b"0",
    b"9" * 30,
    b"9" * 5000,
    "²".encode(),
    b"1e9",
    b"null",
    b"[]",
    b"{}",
    b'["a","b"]',
    b'{"a":1}',
    b"[" * 1010 + b"]" * 1010,
    b'"',
    b"\\",
    b"${system(x)}",
    b"Content-Length: 5",
    b"Content-Type: text/disconnect-notice\n",
    b"-ERR NO_ANSWER\n",
    b"+OK\n",
    b"+OK 4aac82dd-d39b-4959-a0c6-3f3ce36ef29d\n",
    b"A" * 9000,
    b"%41" * 3000,
)
_LENGTH = re.compile(rb"Content-Length: (\d+)")
_VALUE = re.compile(rb'"[\w-]+":"([^"]*)"|^[\w-]+: (.*)$', re.MULTILINE)
_NAMES = (
    b"CHANNEL_CREATE",
    b"CHANNEL_PROGRESS",
    b"CHANNEL_PROGRESS_MEDIA",
    b"CHANNEL_ANSWER",
    b"CHANNEL_BRIDGE",
    b"CHANNEL_HANGUP_COMPLETE",
    b"BACKGROUND_JOB",
    b"NOTHING",
)
STRAY = (
    b"Content-Type: command/reply\nReply-Text: +OK\n\n",
    b"Content-Type: command/reply\nReply-Text: -ERR refused\n\n",
    b"Content-Type: api/response\nContent-Length: 4\n\n-ERR",
    b"Content-Type: log/data\n\n",
    b"Content-Type: text/event-json\n\n",
    b"Content-Type: text/event-json\nContent-Length: 2\n\n[]",
    b"Content-Type: text/event-plain\nContent-Length: 3\n\nx: ",
    b"Reply-Text: +OK\n\n",
    b"\n\n\n",
    notice("4aac82dd-d39b-4959-a0c6-3f3ce36ef29d", b"a\n\nContent-Type: api/response\n\n", 5),
)

Change = Callable[[random.Random, bytes], bytes]


def mutate(rng: random.Random, frames: Sequence[bytes], share: float) -> list[bytes]:
    """Return a conversation like this one, in which about ``share`` of the frames are changed."""
    found: list[bytes] = []
    for frame in frames:
        fate = rng.random()
        if fate > share:
            found.append(frame)
        elif fate > share * 0.4:
            changed = frame
            for _ in range(rng.choice((1, 1, 2, 5))):
                changed = rng.choice(_CHANGES)(rng, changed)
            found.append(changed)
        else:
            found += rng.choice(_MOVES)(rng, frame, found)
    return found


# Changes of one frame


def _flip(rng: random.Random, frame: bytes) -> bytes:
    at = rng.randrange(len(frame) or 1)
    return frame[:at] + bytes([rng.randrange(256)]) + frame[at + 1 :]


def _flip_in_body(rng: random.Random, frame: bytes) -> bytes:
    start = frame.find(b"\n\n") + 2
    return frame[:start] + _flip(rng, frame[start:])


def _insert(rng: random.Random, frame: bytes) -> bytes:
    at = rng.randrange(len(frame) + 1)
    return frame[:at] + rng.choice(NASTY) + frame[at:]


def _insert_in_body(rng: random.Random, frame: bytes) -> bytes:
    start = frame.find(b"\n\n") + 2
    return _true_length(frame[:start] + _insert(rng, frame[start:]))


def _cut(rng: random.Random, frame: bytes) -> bytes:
    start = rng.randrange(len(frame) + 1)
    return frame[:start] + frame[start + rng.choice((1, 1, 10, 1000)) :]


def _cut_body(rng: random.Random, frame: bytes) -> bytes:
    start = frame.find(b"\n\n") + 2
    return _true_length(frame[:start] + _cut(rng, frame[start:]))


def _repeat(rng: random.Random, frame: bytes) -> bytes:
    start = rng.randrange(len(frame) + 1)
    piece = frame[start : start + rng.choice((1, 20, 300))]
    return frame[:start] + piece * rng.choice((2, 3, 50)) + frame[start + len(piece) :]


def _lie_about_length(rng: random.Random, frame: bytes) -> bytes:
    lies = (b"-1", b"0", b"1", b"", b"x", b"99999999999", b"3999999", b"00012", b" 5")
    return _LENGTH.sub(b"Content-Length: " + rng.choice(lies), frame, count=1)


def _lie_about_kind(rng: random.Random, frame: bytes) -> bytes:
    lies = (
        b"text/event-json",
        b"text/event-plain",
        b"text/event-xml",
        b"command/reply",
        b"api/response",
        b"log/data",
        b"",
    )
    return re.sub(rb"Content-Type: [^\n]*", b"Content-Type: " + rng.choice(lies), frame, count=1)


def _change_value(rng: random.Random, frame: bytes) -> bytes:
    values = list(_VALUE.finditer(frame, frame.find(b"\n\n") + 2))
    if not values:
        return frame
    found = rng.choice(values)
    group = 1 if found[1] is not None else 2
    nasty = rng.choice(NASTY + _NAMES)
    return _true_length(frame[: found.start(group)] + nasty + frame[found.end(group) :])


def _change_to_no_text(rng: random.Random, frame: bytes) -> bytes:
    values = list(re.finditer(rb':("[^"]*")', frame))
    if not values:
        return frame
    found = rng.choice(values)
    nasty = rng.choice(
        (b"null", b"1", b"-1.5e300", b"[]", b'["x"]', b'{"a":{}}', b"true", NASTY[24])
    )
    return _true_length(frame[: found.start(1)] + nasty + frame[found.end(1) :])


def _rename(rng: random.Random, frame: bytes) -> bytes:
    return _true_length(
        re.sub(
            rb'(Event-Name(?:":"|: ))[A-Z_]+',
            lambda found: found[1] + rng.choice(_NAMES),
            frame,
            count=1,
        )
    )


def _true_length(frame: bytes) -> bytes:
    """Make the Content-Length true again, so that what was changed is read."""
    start = frame.find(b"\n\n") + 2
    head, body = frame[:start], frame[start:]
    return _LENGTH.sub(b"Content-Length: %d" % len(body), head, count=1) + body


_CHANGES: tuple[Change, ...] = (
    _flip,
    _flip_in_body,
    _flip_in_body,
    _insert,
    _insert_in_body,
    _insert_in_body,
    _cut,
    _cut_body,
    _repeat,
    _lie_about_length,
    _lie_about_kind,
    _change_value,
    _change_value,
    _change_value,
    _change_to_no_text,
    _rename,
    _rename,
)


# Changes of the order: what comes in a frame's place, given those before it


def _lose(_rng: random.Random, _frame: bytes, _before: list[bytes]) -> list[bytes]:
    return []


def _double(rng: random.Random, frame: bytes, _before: list[bytes]) -> list[bytes]:
    return [frame] * rng.choice((2, 2, 3, 40))


def _swap(_rng: random.Random, frame: bytes, before: list[bytes]) -> list[bytes]:
    return [frame, before.pop()] if before else [frame]


def _again(rng: random.Random, frame: bytes, before: list[bytes]) -> list[bytes]:
    return [frame, rng.choice(before)] if before else [frame]


def _stray(rng: random.Random, frame: bytes, _before: list[bytes]) -> list[bytes]:
    return [rng.choice(STRAY), frame]


_MOVES = (_lose, _double, _swap, _again, _stray)
