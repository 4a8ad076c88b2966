"""SIP messages as values: building, parsing, digest answers, and the little SDP a call needs.

Owns the text of RFC 3261 (messages), RFC 7616 (digest, MD5 only: all that FreeSWITCH asks for) and
RFC 4566 (one audio stream, PCMU). Must not know sockets, time or how a telephone behaves.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

# RFC 3261 section 7.3.3, and RFC 3515 / 4028 for the last ones.
COMPACT = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "l": "content-length",
    "c": "content-type",
    "s": "subject",
    "k": "supported",
    "e": "content-encoding",
}
REASONS = {
    100: "Trying",
    180: "Ringing",
    183: "Session Progress",
    200: "OK",
    302: "Moved Temporarily",
    404: "Not Found",
    408: "Request Timeout",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    486: "Busy Here",
    487: "Request Terminated",
    603: "Decline",
}


class NotSip(ValueError):
    """A datagram that is not a SIP message."""


@dataclass(slots=True)
class Message:
    """One request or response; headers keep their order, names compare without case."""

    start: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: str = ""

    def get(self, name: str) -> str:
        """Return the first such header's value, "" when there is none."""
        return next(iter(self.all(name)), "")

    def all(self, name: str) -> list[str]:
        wanted = name.lower()
        return [value for key, value in self.headers if key.lower() == wanted]

    @property
    def status(self) -> int:
        """A response's status code, 0 for a request."""
        return int(self.start.split(" ", 2)[1]) if self.start.startswith("SIP/2.0 ") else 0

    @property
    def method(self) -> str:
        """A request's method, or the method that a response answers (from CSeq)."""
        if self.status:
            return self.get("CSeq").partition(" ")[2].strip()
        return self.start.partition(" ")[0]

    @property
    def sequence(self) -> int:
        return int(self.get("CSeq").partition(" ")[0])

    @property
    def branch(self) -> str:
        return parameter(self.get("Via"), "branch")

    def encode(self) -> bytes:
        body = self.body.encode()
        lines = [self.start, *(f"{name}: {value}" for name, value in self.headers)]
        lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + body


def parse(datagram: bytes) -> Message:
    """Read one datagram; NotSip when it is none (a keep-alive, noise)."""
    head, _, body = datagram.decode("utf-8", "replace").partition("\r\n\r\n")
    lines = re.sub(r"\r\n[ \t]+", " ", head).split("\r\n")
    if not re.match(r"(SIP/2\.0 \d{3}( |$)|[A-Z]+ \S+ SIP/2\.0$)", lines[0]):
        raise NotSip(f"not a SIP message: {lines[0][:60]!r}")
    headers = []
    for line in lines[1:]:
        name, _, value = line.partition(":")
        short = name.strip().lower()
        if short not in {"content-length", "l"}:
            headers.append((COMPACT.get(short, name.strip()), value.strip()))
    return Message(lines[0], headers, body)


def request(method: str, uri: str, headers: Iterable[tuple[str, str]], body: str = "") -> Message:
    extra = [("Content-Type", "application/sdp")] if body else []
    return Message(f"{method} {uri} SIP/2.0", [*headers, *extra], body)


def response(
    to: Message,
    status: int,
    tag: str = "",
    headers: Iterable[tuple[str, str]] = (),
    body: str = "",
) -> Message:
    """Answer a request; ``tag`` is added to To when the request carries none yet."""
    answer = Message(f"SIP/2.0 {status} {REASONS.get(status, 'Refused')}")
    for name in ("Via", "Record-Route", "From", "To", "Call-ID", "CSeq"):
        for value in to.all(name):
            tagged = name == "To" and tag and not parameter(value, "tag")
            answer.headers.append((name, f"{value};tag={tag}" if tagged else value))
    answer.headers.extend(headers)
    if body:
        answer.headers.append(("Content-Type", "application/sdp"))
        answer.body = body
    return answer


def parameter(value: str, name: str) -> str:
    """Return a ``;name=value`` parameter of a Via, From, To or Reason header, "" if absent."""
    outside = value.rpartition(">")[2] if "<" in value else value
    found = re.search(rf";\s*{name}\s*=\s*(\"[^\"]*\"|[^;,\s]+)", outside, re.IGNORECASE)
    return found.group(1).strip('"') if found else ""


def uri(value: str) -> str:
    """Return the URI of a Contact, From or To header."""
    found = re.search(r"<([^>]*)>", value)
    return found.group(1) if found else value.partition(";")[0].strip()


def user(value: str) -> str:
    """Return the user part of a From or To header, as it was sent."""
    return re.sub(r"^sips?:", "", uri(value)).rpartition("@")[0]


def display_name(value: str) -> str:
    """Return the display name of a From header without its quotes and escapes."""
    quoted = re.match(r'\s*"((?:[^"\\]|\\.)*)"', value)
    if quoted:
        return re.sub(r"\\(.)", r"\1", quoted.group(1))
    return value.partition("<")[0].strip() if "<" in value else ""


def quoted(name: str) -> str:
    """Write a display name as a quoted string; ValueError when SIP cannot carry it on one line."""
    if "\r" in name or "\n" in name:
        raise ValueError("a display name cannot hold a line break")
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def token() -> str:
    return secrets.token_hex(6)


def branch() -> str:
    return f"z9hG4bK{token()}"


def authorization(challenge: str, method: str, uri: str, user: str, password: str) -> str:
    """Answer a digest challenge (RFC 7616 with MD5, qop=auth or none)."""
    asked = dict(re.findall(r'(\w+)\s*=\s*"?([^",]+)"?', challenge.partition(" ")[2]))
    realm, nonce = asked["realm"], asked["nonce"]
    secret = _md5(f"{user}:{realm}:{password}")
    target = _md5(f"{method}:{uri}")
    answer = f'Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}"'
    if "auth" not in asked.get("qop", "").split(","):
        return f'{answer}, response="{_md5(f"{secret}:{nonce}:{target}")}", algorithm=MD5'
    once = token()
    proof = _md5(f"{secret}:{nonce}:00000001:{once}:auth:{target}")
    return f'{answer}, response="{proof}", algorithm=MD5, qop=auth, nc=00000001, cnonce="{once}"'


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def sdp(port: int, version: int = 1, keys: bool = False) -> str:
    """One PCMU stream on 127.0.0.1 in packets of 20 ms; ``keys`` are told within it (RFC 4733)."""
    kinds, more = ("0 101", ["a=rtpmap:101 telephone-event/8000"]) if keys else ("0", [])
    return "\r\n".join(
        [
            "v=0",
            f"o=- {port} {version} IN IP4 127.0.0.1",
            "s=-",
            "c=IN IP4 127.0.0.1",
            "t=0 0",
            f"m=audio {port} RTP/AVP {kinds}",
            "a=rtpmap:0 PCMU/8000",
            *more,
            "a=ptime:20",
            "a=sendrecv",
            "",
        ]
    )


def media_address(body: str) -> tuple[str, int] | None:
    """Where the other side wants its audio, None when the body offers none."""
    host = re.search(r"^c=IN IP4 (\S+)", body, re.MULTILINE)
    port = re.search(r"^m=audio (\d+)", body, re.MULTILINE)
    return (host.group(1), int(port.group(1))) if host and port else None
