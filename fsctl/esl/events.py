"""Events of the switch: their headers, of which a hunt asks for few.

Knows what must not be believed of them: sizes, bytes that are no UTF-8, values that are no text.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
import orjson

from fsctl.esl.commands import CALL_TAG, LEG_TAG, RING_TAG
from fsctl.esl.errors import ProtocolError
from fsctl.esl.picking import PICKER_TAG

MAX_HEADERS = 4096
"""Headers that one block or event may have; a busy channel has some 200."""
MAX_VALUE = 4096
"""Characters kept of one header as it is on the wire. Decoding a stranger's 64 KiB, which stand in
some twenty headers, would take longer than the calls beside it may wait; nothing that a hunt needs
is as long."""
SMALL = 64 * 1024
"""Bytes of an incomplete frame that any connection may hold. Beyond, all share one ``Room``."""

_RESULT = re.compile(r"(\+OK|-ERR)(?: ([\w-]+))?")
_CALL, _RING, _LEG, _PICKER = (
    f"variable_{tag}" for tag in (CALL_TAG, RING_TAG, LEG_TAG, PICKER_TAG)
)
_Text = Annotated[str, msgspec.Meta(max_length=MAX_VALUE)]


def _header(name: str) -> Any:
    return msgspec.field(name=name, default="")


class Event(msgspec.Struct, gc=False):
    """One event of the switch. ``body`` is the text below its headers (a job's result).

    An event has some 150 headers, each of which would be two texts to make and to forget. A parser
    that knows which are wanted checks the whole of it all the same, and steps over the others. So
    what a hunt asks for are attributes, empty for what is not there; anything else is ``get``'s.
    """

    name: _Text = _header("Event-Name")
    uuid: _Text = _header("Unique-ID")
    other_leg: _Text = _header("Other-Leg-Unique-ID")
    cause: _Text = _header("Hangup-Cause")
    job: _Text = _header("Job-UUID")
    call_tag: _Text = _header(_CALL)
    ring_tag: _Text = _header(_RING)
    leg_tag: _Text = _header(_LEG)
    picker: _Text = _header(_PICKER)
    bridge: _Text = _header("variable_bridge_uuid")
    invite_failure: _Text = _header("variable_sip_invite_failure_status")
    term_status: _Text = _header("variable_sip_term_status")
    body: str = _header("_body")
    source: Any = msgspec.field(name=" ", default=b"")
    """All headers as the event brought them, or the JSON in which they are read when asked for.
    Whoever reads an event sets it; no header has that name."""

    @property
    def headers(self) -> Mapping[str, object]:
        """All headers; in mid-call none, of what only one of the two parsers takes."""
        if isinstance(self.source, bytes):
            try:
                found = _all_headers(self.source)
            except ProtocolError:
                found = {}
            found.pop("_body", None)
            self.source = found
        headers: Mapping[str, object] = self.source
        return headers

    def get(self, header: str) -> str:
        """Return a header's value, empty when it is not there."""
        if attribute := _ATTRIBUTES.get(header):
            known: str = getattr(self, attribute)
            return known
        return _mended(self.headers.get(header, ""))

    def variable(self, name: str) -> str:
        """Return a channel variable's value, empty when it is not set."""
        return self.get("variable_" + name)

    def job_result(self) -> tuple[bool, str] | None:
        """Return whether a job went well and the word that it ended with, None for no result.

        The word of an ``originate`` is the new channel's uuid, or the cause of its failure.
        """
        found = _RESULT.match(self.body)
        return (found[1] == "+OK", found[2] or "") if found else None


_ATTRIBUTES = {
    one.encode_name: one.name
    for one in msgspec.structs.fields(Event)
    if one.name not in ("body", "source")
}
_decode = msgspec.json.Decoder(Event).decode


def event_of(headers: Mapping[str, object], body: str = "") -> Event:
    """Return the event that these headers make; what is wrong with a value is mended."""
    usual = {name: _mended(headers.get(header, "")) for header, name in _ATTRIBUTES.items()}
    return Event(**usual, body=body, source=headers)


def read_json(body: bytes) -> Event:
    """Return an event in JSON. Raises ProtocolError."""
    if len(body) <= SMALL:
        try:
            event = _decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass  # it is read below, or refused
        else:
            event.source = body
            return event
    found = _all_headers(body)
    text = first_text(found.pop("_body", ""))
    if len(body) > SMALL:  # it may have to wait: nothing that is never read is kept
        found = {name: _mended(value) for name, value in found.items()}
    return event_of(found, text)


def _mended(value: object) -> str:
    text = value if type(value) is str else first_text(value)
    return text if len(text) <= MAX_VALUE else text[:MAX_VALUE]


def _all_headers(body: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        # FreeSWITCH copies bytes that are no UTF-8 as they are (field notes).
        try:
            found = orjson.loads(body.decode("utf-8", "replace"))
        except orjson.JSONDecodeError as error:
            raise ProtocolError(f"an event that is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise ProtocolError("an event that is no JSON object")
    if len(found) > MAX_HEADERS:
        raise ProtocolError(f"an event of {len(found)} headers")
    return found


def first_text(value: object) -> str:
    """Return a header's text; one that FreeSWITCH repeats comes as a list (field notes).

    FreeSWITCH writes nothing but texts, so of anything else nothing is kept.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and isinstance(value[0], str):
        return value[0]
    return ""
