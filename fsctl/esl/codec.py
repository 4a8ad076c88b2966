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
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

import msgspec

from fsctl.esl.errors import ProtocolError
from fsctl.esl.events import MAX_HEADERS, MAX_VALUE, SMALL, Event, event_of, read_json

MAX_FRAME = 4 * 1024 * 1024
"""Bytes that one frame may have. A caller's 64 KiB display name is repeated, URL-encoded, in ten or
so headers of the connect reply."""
MAX_HELD = 64 * 1024 * 1024
"""Bytes that all connections together may hold in larger incomplete frames."""

_NOTICE = b"Content-Type: text/disconnect-notice\n"
_NOTICE_BUFFER = 511  # bytes: disco_buf[512] in mod_event_socket.c
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
        return _decoded(self._encoded[name])

    def get(self, name: str, default: Any = None) -> Any:
        """Return a header, or the default."""
        text = self._encoded.get(name)
        return default if text is None else _decoded(text)

    def __iter__(self) -> Iterator[str]:
        return iter(self._encoded)

    def __len__(self) -> int:
        return len(self._encoded)

    def __contains__(self, name: object) -> bool:
        return name in self._encoded


def _decoded(text: str) -> str:
    text = text[:MAX_VALUE].strip(" \r")
    return unquote(text, errors="replace") if "%" in text else text


class Frame(msgspec.Struct, gc=False):
    """One frame. ``trusted`` is False for a disconnect notice that could hide forged frames.

    ``kind`` is the content type, such as ``command/reply``; empty when there is none. ``block`` are
    the header lines as they came, of a frame whose head is not one of the usual.
    """

    kind: str
    headers: Mapping[str, str]
    body: bytes = b""
    trusted: bool = True
    block: bytes = b""

    @property
    def data(self) -> str:
        """The reply as text: Reply-Text, or the body of an ``api/response``."""
        if self.kind == "api/response":
            return self.body.decode("utf-8", "replace")
        return self.headers.get("Reply-Text", "")


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
        return Headers(dict([line.split(":", 1) for line in reversed(lines)]))
    except ValueError:
        line = next(line for line in lines if ":" not in line)
        raise ProtocolError(f"a header line without a colon: {line[:60]!r}") from None


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
        return read_json(frame.body)
    if frame.kind == "text/event-plain":
        block, _, rest = frame.body.partition(b"\n\n")
        return event_of(parse_headers(block), rest.decode("utf-8", "replace"))
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


class _Begun(msgspec.Struct, gc=False):
    """A frame whose head is there: where its body begins, and where it ends."""

    kind: str
    headers: Mapping[str, str]
    block: bytes
    body: int
    end: int


class Decoder:
    """Turns what arrives, in pieces of any size, into frames.

    It holds at most one incomplete frame, of at most ``max_frame`` bytes; what that has beyond
    ``SMALL`` comes out of ``room``, until ``close``.
    """

    def __init__(self, max_frame: int = MAX_FRAME, room: Room | None = None) -> None:
        self.max_frame = max_frame
        self._room = room or Room()
        self._held = 0
        self._buffer: bytes | bytearray = b""
        """What arrived as it came, from which frames are cut; of a large frame an array, which can
        grow."""
        self._at = self._searched = 0
        """Where the next frame begins, and how far its end was looked for."""
        self._head: _Begun | None = None
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
        self._take(data)
        while (frame := self._next()) is not None:
            yield frame
            if not frame.trusted:
                self.close()
                return
        self._drop()
        self._hold()

    def _take(self, data: bytes) -> None:
        if not self._buffer:
            self._buffer = data
        elif len(self._buffer) < len(data):
            self._buffer = bytes(self._buffer) + data
        else:
            if isinstance(self._buffer, bytes):
                self._buffer = bytearray(self._buffer)
            self._buffer += data

    def close(self) -> None:
        """Take in nothing more, and hold nothing."""
        self._deaf = True
        self._buffer = b""
        self._at = 0
        self._head = None
        self._room.held -= self._held
        self._held = 0

    def _hold(self) -> None:
        held = max(0, len(self._buffer) - SMALL)
        grown = held - self._held
        if grown:
            self._held = held
            self._room.held += grown
            if grown > 0 and self._room.held > self._room.most:
                raise ProtocolError(
                    f"more than {self._room.most} bytes of incomplete frames in all"
                )

    def _next(self) -> Frame | None:
        head, buffer, at = self._head, self._buffer, self._at
        if head is None:
            usual = _USUAL_HEAD.match(buffer, at)
            if usual is None:
                return self._unusual()
            body = usual.end()
            what = usual.lastgroup
            if what == "reply":
                self._at = body
                return Frame("command/reply", {"Reply-Text": usual["reply"].decode()})
            kind = "text/event-json" if what == "event" else "api/response"
            end = body + int(usual[what or ""])
            if end <= len(buffer) and end - at <= self.max_frame:
                self._at = end
                return Frame(kind, _NO_HEADERS, bytes(buffer[body:end]))
            self._check(end - at)
            self._head = _Begun(kind, _NO_HEADERS, b"", body, end)
            return None
        if len(buffer) < head.end:
            return None
        self._go_to(head.end)
        with memoryview(buffer) as held:  # a part of an array would be a copy already
            whole = bytes(held[head.body : head.end])
        return Frame(head.kind, head.headers, whole, True, head.block)

    def _unusual(self) -> Frame | None:
        if not self._read_head():
            return None
        return self._notice() if self._head is None else self._next()

    def _read_head(self) -> bool:
        """Read the next header block, once; False until it is complete. A notice has none."""
        buffer = self._buffer
        if buffer[self._at : self._at + 1] == b"\n":  # an empty line between frames means nothing
            self._go_to(_after_newlines(buffer, self._at))
        begin = self._at
        if buffer.startswith(_NOTICE, begin):
            return True
        end = buffer.find(b"\n\n", max(begin, self._searched))
        if end < 0:
            self._searched = len(buffer) - 1
            self._check(len(buffer) - begin)
            return False
        self._check(end - begin)
        block = bytes(buffer[begin:end])
        headers = parse_headers(block)
        whole = end + 2 + _length(headers)
        self._check(whole - begin)
        self._head = _Begun(headers.get("Content-Type", ""), headers, block, end + 2, whole)
        return True

    def _notice(self) -> Frame | None:
        """Step over a disconnect notice whose every byte is as foreseen; else trust no more."""
        said = bytes(self._buffer[self._at : self._at + _NOTICE_BUFFER])
        if self._expected and said.startswith(self._expected):
            self._go_to(self._at + len(self._expected))
            return Frame(_LEFT, _NO_HEADERS)
        if self._expected.startswith(said):
            return None
        if said.find(b"\n\n") < 0 and len(said) < _NOTICE_BUFFER:
            return None
        return Frame(_LEFT, _NO_HEADERS, trusted=False)

    def _go_to(self, place: int) -> None:
        self._at, self._searched, self._head = place, 0, None

    def _drop(self) -> None:
        """Drop what is done with."""
        if gone := self._at:
            self._buffer = self._buffer[gone:]
            if self._head is not None:
                self._head.body -= gone
                self._head.end -= gone
            self._searched = max(0, self._searched - gone)
            self._at = 0

    def _check(self, size: int) -> None:
        if size > self.max_frame:
            raise ProtocolError(f"a frame of more than {self.max_frame} bytes")


_LEFT = "text/disconnect-notice"
_NO_HEADERS: Mapping[str, str] = {}


def _after_newlines(buffer: bytes | bytearray, at: int) -> int:
    """Return where the newlines end that begin there."""
    found = _NEWLINES.match(buffer, at)
    return found.end() if found else at


def _length(headers: Headers) -> int:
    text = headers.get("Content-Length", "0")
    if not (text.isascii() and text.isdigit()) or len(text) > 12:
        raise ProtocolError(f"a Content-Length of {text[:60]!r}")
    return int(text)
