"""Real conversations, taken apart into frames and made over so that a call of ours would have them.

The captures come from another controller: its names for variables become ours, and each leg and job
gets the number and the uuid that ours will have.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from functools import cache

import orjson

from fsctl.esl import codec
from fsctl.esl.commands import CALL_TAG, HUNT_TAG, LEG_TAG
from tests.esl import captures

THEIR_TAG = "hunt_call"


def job_uuid(number: int) -> str:
    """Return the uuid that the job of leg ``number`` has in every conversation here."""
    return str(uuid.UUID(int=number))


@dataclass(frozen=True)
class Conversation:
    """``connected`` is the reply to connect; ``events`` are whole frames, notices among them."""

    name: str
    connected: bytes
    events: tuple[bytes, ...]
    legs: int


@cache
def conversations() -> tuple[Conversation, ...]:
    """Return the conversation of every capture."""
    return tuple(_read(name) for name in captures.NAMES)


def _read(name: str) -> Conversation:
    stream = captures.from_switch(name)
    decoder = codec.Decoder()
    connected, *frames = _frames(decoder, stream)
    caller = codec.parse_headers(connected.removesuffix(b"\n\n"))["Unique-ID"]
    jobs = re.findall(rb"^Reply-Text: \+OK Job-UUID: (\S+)$", stream, re.MULTILINE)
    numbers = {job.decode(): number for number, job in enumerate(jobs, 1)}
    legs: dict[str, int] = {}
    events = [
        _made_over(frame, caller, numbers, legs)
        for frame in frames
        if b"Content-Type: text/event" in frame or frame.startswith(codec._NOTICE)
    ]
    return Conversation(name, connected, tuple(events), max(len(jobs), 1))


def _frames(decoder: codec.Decoder, stream: bytes) -> list[bytes]:
    """Cut a stream into frames as they came, each as it came."""
    head = codec.parse_headers(stream[: stream.index(b"\n\n")])
    decoder.expect_notice(head["Unique-ID"], head["Channel-Name"].encode(), 5)
    found = []
    for frame in decoder.feed(stream):
        if frame.kind == "text/disconnect-notice":
            found.append(codec.notice(head["Unique-ID"], head["Channel-Name"].encode(), 5))
        else:
            usual = not frame.block
            kind = frame.kind.encode()
            found.append(framed(kind, frame.body) if usual else frame.block + b"\n\n" + frame.body)
    return found


def _made_over(frame: bytes, caller: str, jobs: dict[str, int], legs: dict[str, int]) -> bytes:
    head, _, body = frame.partition(b"\n\n")
    if not body:
        return frame
    for job, number in jobs.items():
        body = body.replace(job.encode(), job_uuid(number).encode())
    if b"event-json" in head:
        event = orjson.loads(body)
        if THEIR_TAG in str(event.keys()) or event.get("variable_" + THEIR_TAG):
            number = legs.setdefault(event.get("Unique-ID", ""), len(legs) + 1)
            event[f"variable_{CALL_TAG}"] = caller
            event[f"variable_{HUNT_TAG}"] = event.pop("variable_" + THEIR_TAG)
            event[f"variable_{LEG_TAG}"] = job_uuid(number)
        return framed(b"text/event-json", orjson.dumps(event))
    if b"variable_" + THEIR_TAG.encode() in body:
        found = re.search(rb"^Unique-ID: (\S+)$", body, re.MULTILINE)
        number = legs.setdefault(found[1].decode() if found else "", len(legs) + 1)
        tags = f"variable_{LEG_TAG}: {job_uuid(number)}\nvariable_{CALL_TAG}: {caller}"
        ours = f"{tags}\nvariable_{HUNT_TAG}"
        body = body.replace(b"variable_" + THEIR_TAG.encode(), ours.encode())
    return framed(b"text/event-plain", body)


def framed(kind: bytes, body: bytes) -> bytes:
    """Return a frame of this kind with this body."""
    return b"Content-Length: %d\nContent-Type: %s\n\n%s" % (len(body), kind, body)
