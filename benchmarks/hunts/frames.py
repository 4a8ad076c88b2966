"""What FreeSWITCH says in a hunted call, with gaps for what differs: taken from a recorded one.

Owns the frames' contents: each is as long and has as many headers as on a real switch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote

import orjson

CAPTURE = Path(__file__).parent.parent.parent / "tests/captures/answered-json.txt"
CALLER = "caller-gap-0000-0000-000000000000000"
LEG = "leg-gap-0000-0000-0000-0000000000000"
JOB = "job-gap-0000-0000-0000-0000000000000"
CAUSE = "cause-gap"
_MARK = re.compile(r"^### (?:TO|FROM) FREESWITCH .*\n", re.MULTILINE)

Headers = dict[str, str]


class Frames:
    """A call's frames, by event name: those of a leg and those of the caller."""

    def __init__(self) -> None:
        chunks = _MARK.split(CAPTURE.read_text())
        reply = next(chunk for chunk in chunks if "Socket-Mode: async" in chunk).strip()
        [self._caller] = re.findall(r"^Unique-ID: (\S+)$", reply, re.MULTILINE)
        self._connect = (reply.replace(self._caller, CALLER) + "\n\n").encode()
        events = [
            orjson.loads(chunk[chunk.index('{"Event') :]) for chunk in chunks if '{"Event' in chunk
        ]
        legs = (event for event in events if event.get("Unique-ID", self._caller) != self._caller)
        callers = (event for event in events if event.get("Unique-ID") == self._caller)
        self.leg = {name: self._frame(event) for name, event in _first_of_each(legs).items()}
        of_caller = _first_of_each(callers)
        # A bridge's event has the headers of an answer's, and whom it was to.
        bridge = {"Event-Name": "CHANNEL_BRIDGE", "Other-Leg-Unique-ID": LEG}
        of_caller["CHANNEL_BRIDGE"] = of_caller["CHANNEL_ANSWER"] | bridge
        self.caller = {name: self._frame(event) for name, event in of_caller.items()}
        job = next(event for event in events if event["Event-Name"] == "BACKGROUND_JOB")
        self.job = self._frame(
            {
                name: JOB if name == "Job-UUID" else value
                for name, value in job.items()
                if name not in ("_body", "Content-Length")
            }
        )

    def connect_reply(self, number: str) -> bytes:
        """Return the reply to ``connect`` of a call to this number."""
        line = b"Caller-Destination-Number: %s\n"
        return self._connect.replace(line % b"600", line % number.encode())

    def _frame(self, event: Headers) -> Frame:
        if "Hangup-Cause" in event:
            event = event | {"Hangup-Cause": CAUSE}
        leg = event.get("Unique-ID", self._caller)
        text = {name: str(value).replace(self._caller, CALLER) for name, value in event.items()}
        return Frame({name: value.replace(leg, LEG) for name, value in text.items()})


def _first_of_each(events: Iterable[Headers]) -> dict[str, Headers]:
    found: dict[str, Headers] = {}
    for event in events:
        found.setdefault(event["Event-Name"], event)
    return found


class Frame:
    """An event in both forms that it may be asked for."""

    def __init__(self, headers: Headers) -> None:
        self._json = orjson.dumps(headers)[:-1]
        self._plain = "".join(f"{k}: {quote(v)}\n" for k, v in headers.items()).encode()

    def filled(
        self, plain: bool, gaps: Mapping[bytes, bytes], more: Headers, body: str = ""
    ) -> bytes:
        """Return the frame, its gaps filled, with further headers and a job's result."""
        if plain:
            text = self._plain + "".join(f"{k}: {quote(v)}\n" for k, v in more.items()).encode()
            text += f"Content-Length: {len(body)}\n\n{body}".encode() if body else b"\n"
        else:
            last = more | ({"Content-Length": str(len(body)), "_body": body} if body else {})
            text = self._json + b"," + orjson.dumps(last)[1:] if last else self._json + b"}"
        for gap, value in gaps.items():
            text = text.replace(gap, value)
        kind = b"plain" if plain else b"json"
        return b"Content-Length: %d\nContent-Type: text/event-%s\n\n%s" % (len(text), kind, text)
