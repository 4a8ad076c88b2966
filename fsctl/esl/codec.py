"""Bytes to frames and events, without I/O.

A frame is a block of ``Name: value`` lines, an empty line, and as many bytes of body as its
Content-Length says (``mod_event_socket.c``). A header block is split into lines and names first and
each value is decoded after that, because a caller can put an encoded newline into a value (field
notes, "The outbound socket").

The disconnect notice needs care of its own: FreeSWITCH writes the caller's channel name into it
unescaped, cut off at 511 bytes, so that a stranger can forge whole frames there. Its bytes are
known beforehand, though: who knows the channel's name (``expect_notice``) can step over exactly
them and go on trusting what follows. A notice that reads otherwise ends the trust for good.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, unquote_to_bytes

from fsctl.esl.errors import ProtocolError
from fsctl.esl.json_events import MAX_HEADERS, MAX_VALUE, SMALL, first_text, read_json

MAX_FRAME = 4 * 1024 * 1024
"""Bytes that one frame may have. A caller's 64 KiB display name is repeated, URL-encoded, in ten or
so headers of the connect reply."""
MAX_HELD = 64 * 1024 * 1024
"""Bytes that all connections together may hold in larger incomplete frames."""

_NOTICE = b"Content-Type: text/disconnect-notice\n"
_NOTICE_BUFFER = 511  # bytes: disco_buf[512] in mod_event_socket.c
_RESULT = re.compile(r"(\+OK|-ERR)(?: ([\w-]+))?")
_NEWLINES = re.compile(rb"\n*")
_USUAL_HEAD = re.compile(
    rb"Content-Length: (?P<event>\d{1,9})\nContent-Type: text/event-json\n\n"
    rb"|Content-Type: api/response\nContent-Length: (?P<answer>\d{1,9})\n\n"
    rb"|Content-Type: command/reply\nReply-Text: (?P<reply>[!-$&-~](?:[ -$&-~]{0,200}[!-$&-~])?)\n"
    rb"(?:Job-UUID: [0-9A-Za-z-]{1,64}\n)?\n"
)
"""The heads of nearly all frames, just as FreeSWITCH writes them: nothing in them needs decoding.
Whatever differs by a byte is read as any head is."""


class Headers(Mapping[str, str]):
    """The headers of a block, each decoded when it is asked for.

    A connect reply has 140, of which a hunt needs ten; decoding all takes five times as long.
    """

    __slots__ = ("_encoded",)

    def __init__(self, encoded: dict[str, str]) -> None:
        self._encoded = encoded

    def __getitem__(self, name: str) -> str:
        text = self._encoded[name][:MAX_VALUE].strip(" \r")
        return unquote(text, errors="replace") if "%" in text else text

    def __iter__(self) -> Iterator[str]:
        return iter(self._encoded)

    def __len__(self) -> int:
        return len(self._encoded)

    def __contains__(self, name: object) -> bool:
        return name in self._encoded


@dataclass(slots=True)
class Frame:
    """One frame. ``trusted`` is False for a disconnect notice that could hide forged frames.

    ``block`` are its header lines as they came. ``kind`` is the content type, such as
    ``command/reply``; empty when there is none.
    """

    headers: Mapping[str, str]
    body: bytes = b""
    trusted: bool = True
    block: bytes = b""
    kind: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        self.kind = self.headers.get("Content-Type", "")

    @property
    def data(self) -> str:
        """The reply as text: Reply-Text, or the body of an ``api/response``."""
        if self.kind == "api/response":
            return self.body.decode("utf-8", "replace")
        return self.headers.get("Reply-Text", "")


@dataclass(slots=True)
class Event:
    """One event of the switch. ``body`` is the text below its headers (a job's result).

    ``headers`` are as the event brought them; what is wrong with a value is mended by ``get``.
    ``name`` is the event's own, such as ``CHANNEL_ANSWER``.
    """

    headers: Mapping[str, object] = field(default_factory=dict)
    body: str = ""
    name: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        self.name = self.get("Event-Name")

    def get(self, header: str) -> str:
        """Return a header's value, empty when it is not there."""
        value = self.headers.get(header, "")
        text = value if type(value) is str else first_text(value)
        return text if len(text) <= MAX_VALUE else text[:MAX_VALUE]

    def variable(self, name: str) -> str:
        """Return a channel variable's value, empty when it is not set."""
        return self.get("variable_" + name)

    def job_result(self) -> tuple[bool, str] | None:
        """Return whether a job went well and the word that it ended with, None for no result.

        The word of an ``originate`` is the new channel's uuid, or the cause of its failure.
        """
        found = _RESULT.match(self.body)
        return (found[1] == "+OK", found[2] or "") if found else None


def parse_headers(block: bytes) -> Headers:
    """Return the headers of a block; the first of a repeated name counts.

    Raises ProtocolError for a line without a name or for more than ``MAX_HEADERS`` lines. Bytes
    that are no UTF-8 become U+FFFD; a value is cut off at ``MAX_VALUE``.
    """
    count = block.count(b"\n") + 1
    if count > MAX_HEADERS:
        raise ProtocolError(f"a header block of {count} lines")
    lines = block.decode("utf-8", "replace").split("\n")
    try:
        # From the last to the first, so that the first of a repeated name stays.
        encoded = dict(line.split(":", 1) for line in reversed(lines))
    except ValueError:
        line = next(line for line in lines if ":" not in line)
        raise ProtocolError(f"a header line without a colon: {line[:60]!r}") from None
    return Headers(encoded)


def raw_value(block: bytes, name: bytes) -> bytes:
    """Return the bytes of a header's value, decoded from %XX alone; empty when it is not there."""
    name += b":"
    start = 0 if block.startswith(name) else block.find(b"\n" + name) + 1
    if not start and not block.startswith(name):
        return b""
    start += len(name)
    end = block.find(b"\n", start)
    value = block[start : len(block) if end < 0 else end]
    return unquote_to_bytes(value[:MAX_VALUE].strip(b" \r"))


def parse_event(frame: Frame) -> Event:
    """Return the event that a ``text/event-json`` or ``text/event-plain`` frame holds.

    Raises ProtocolError when it holds none.
    """
    if frame.kind == "text/event-json":
        return Event(*read_json(frame.body))
    if frame.kind == "text/event-plain":
        block, _, rest = frame.body.partition(b"\n\n")
        return Event(parse_headers(block), rest.decode("utf-8", "replace"))
    raise ProtocolError(f"no event: {frame.kind[:60]!r}")


def notice(uuid: str, channel_name: bytes, linger: int) -> bytes:
    """Return the disconnect notice that FreeSWITCH writes for a lingering socket.

    ``linger`` is in seconds, as it was asked for.
    """
    text = (
        _NOTICE
        + f"Controlled-Session-UUID: {uuid}\nContent-Disposition: linger\n".encode()
        + b"Channel-Name: "
        + channel_name
        + f"\nLinger-Time: {linger}\nContent-Length: 0\n\n".encode()
    )
    return text[:_NOTICE_BUFFER]


@dataclass(slots=True)
class Room:
    """The memory that connections share for large frames which are not complete yet, in bytes."""

    most: int = MAX_HELD
    held: int = 0


_Head = tuple[Mapping[str, str], int, int]
"""A frame's headers, where they end, and where the frame ends."""


class Decoder:
    """Turns what arrives, in pieces of any size, into frames.

    It holds at most one incomplete frame, of at most ``max_frame`` bytes; what that has beyond
    ``SMALL`` comes out of ``room``, until ``close``.
    """

    def __init__(self, max_frame: int = MAX_FRAME, room: Room | None = None) -> None:
        self.max_frame = max_frame
        self._room = room or Room()
        self._held = 0
        self._buffer = bytearray()
        self._at = self._searched = 0
        """Where the next frame begins, and how far its end was looked for."""
        self._head: _Head | None = None
        self._expected = b""
        self._deaf = False

    def expect_notice(self, uuid: str, channel_name: bytes, linger: int) -> None:
        """Say what the disconnect notice will look like: the channel's uuid and name, seconds."""
        self._expected = notice(uuid, channel_name, linger)

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Take in bytes and yield every frame that is complete.

        Raises ProtocolError for a frame that is malformed or larger than ``max_frame``, and for one
        that grows while all connections together hold too much.
        """
        if self._deaf:
            return
        self._buffer += data
        while (frame := self._next()) is not None:
            yield frame
            if not frame.trusted:
                self.close()
                return
        self._drop()
        self._hold()

    def close(self) -> None:
        """Take in nothing more, and hold nothing."""
        self._deaf = True
        self._buffer.clear()
        self._at = 0
        self._room.held -= self._held
        self._held = 0

    def _hold(self) -> None:
        held = max(0, len(self._buffer) - SMALL)
        grown = held - self._held
        self._held = held
        self._room.held += grown
        if grown > 0 and self._room.held > self._room.most:
            raise ProtocolError(f"more than {self._room.most} bytes of incomplete frames in all")

    def _next(self) -> Frame | None:
        if self._head is None:
            if usual := _USUAL_HEAD.match(self._buffer, self._at):
                self._head = self._read_usual(usual)
            elif not self._read_head():
                return None
            elif self._head is None:
                return self._notice()
        headers, end, whole = self._head
        if len(self._buffer) < whole:
            return None
        with memoryview(self._buffer) as held:
            block, body = bytes(held[self._at : end]), bytes(held[end + 2 : whole])
        self._go_to(whole)
        return Frame(headers, body, block=block)

    def _read_usual(self, found: re.Match[bytes]) -> _Head:
        end = found.end()
        if found.lastgroup == "reply":
            reply = {"Content-Type": "command/reply", "Reply-Text": found["reply"].decode()}
            return reply, end - 2, end
        length = int(found[found.lastgroup or ""])
        self._check(end + length - self._at)
        headers = _EVENT_HEADERS if found.lastgroup == "event" else _ANSWER_HEADERS
        return headers, end - 2, end + length

    def _read_head(self) -> bool:
        """Read the next header block, once; False until it is complete. A notice has none."""
        self._drop()
        if self._buffer[:1] == b"\n":  # an empty line between frames means nothing
            self._go_to(_skip(self._buffer))
            self._drop()
        if self._buffer.startswith(_NOTICE):
            return True
        end = self._buffer.find(b"\n\n", self._searched)
        if end < 0:
            self._searched = max(0, len(self._buffer) - 1)
            self._check(len(self._buffer))
            return False
        self._check(end)
        headers = parse_headers(bytes(self._buffer[:end]))
        whole = end + 2 + _length(headers)
        self._check(whole)
        self._head = headers, end, whole
        return True

    def _notice(self) -> Frame | None:
        """Step over a disconnect notice whose every byte is as foreseen; else trust no more."""
        if self._expected and self._buffer.startswith(self._expected):
            self._go_to(len(self._expected))
            return Frame(_NOTICE_HEADERS)
        if self._expected.startswith(self._buffer):
            return None
        if self._buffer.find(b"\n\n") < 0 and len(self._buffer) < _NOTICE_BUFFER:
            return None
        return Frame(_NOTICE_HEADERS, trusted=False)

    def _go_to(self, place: int) -> None:
        self._at = place
        self._searched = 0
        self._head = None

    def _drop(self) -> None:
        """Drop what is done with."""
        if self._at:
            del self._buffer[: self._at]
            if self._head is not None:
                headers, end, whole = self._head
                self._head = headers, end - self._at, whole - self._at
            self._at = 0

    def _check(self, size: int) -> None:
        if size > self.max_frame:
            raise ProtocolError(f"a frame of more than {self.max_frame} bytes")


_NOTICE_HEADERS = {"Content-Type": "text/disconnect-notice"}
_EVENT_HEADERS = {"Content-Type": "text/event-json"}
_ANSWER_HEADERS = {"Content-Type": "api/response"}


def _skip(buffer: bytearray) -> int:
    """Return how many newlines a buffer begins with."""
    found = _NEWLINES.match(buffer)
    return found.end() if found else 0


def _length(headers: Headers) -> int:
    text = headers.get("Content-Length", "0")
    if not (text.isascii() and text.isdigit()) or len(text) > 12:
        raise ProtocolError(f"a Content-Length of {text[:60]!r}")
    return int(text)
