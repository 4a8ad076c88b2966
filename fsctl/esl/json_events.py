"""Events in JSON: their headers, of which a hunt asks for few.

Knows what must not be believed of them: sizes, bytes that are no UTF-8, values that are no text.
"""

from collections.abc import Iterator, Mapping
from operator import attrgetter
from typing import Any

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

_CALL, _RING, _LEG, _PICKER = (
    f"variable_{tag}" for tag in (CALL_TAG, RING_TAG, LEG_TAG, PICKER_TAG)
)


class Usual(msgspec.Struct, gc=False):
    """The headers of an event that a hunt asks for, each if it is a plain text."""

    name: str = msgspec.field(name="Event-Name", default="")
    uuid: str = msgspec.field(name="Unique-ID", default="")
    other_leg: str = msgspec.field(name="Other-Leg-Unique-ID", default="")
    cause: str = msgspec.field(name="Hangup-Cause", default="")
    job: str = msgspec.field(name="Job-UUID", default="")
    answer_state: str = msgspec.field(name="Answer-State", default="")
    application: str = msgspec.field(name="Application-UUID", default="")
    call_tag: str = msgspec.field(name=_CALL, default="")
    ring_tag: str = msgspec.field(name=_RING, default="")
    leg_tag: str = msgspec.field(name=_LEG, default="")
    picker: str = msgspec.field(name=_PICKER, default="")
    bridge: str = msgspec.field(name="variable_bridge_uuid", default="")
    invite_failure: str = msgspec.field(name="variable_sip_invite_failure_status", default="")
    term_status: str = msgspec.field(name="variable_sip_term_status", default="")
    body: str = msgspec.field(name="_body", default="")


_USUAL_NAMES = {one.encode_name: attrgetter(one.name) for one in msgspec.structs.fields(Usual)}
_decode_usual = msgspec.json.Decoder(Usual).decode


class Few(Mapping[str, object]):
    """The headers of a JSON event, of which those that a hunt asks for are read at once.

    An event has some 150, each of which would be two texts to make and to forget. A parser that
    knows which are wanted checks the whole of it all the same, and steps over the others.
    """

    __slots__ = ("_all", "_bytes", "_usual")

    def __init__(self, usual: Usual, body: bytes) -> None:
        self._usual = usual
        self._bytes = body
        self._all: dict[str, object] | None = None

    def get(self, name: str, default: object = None) -> object:
        """Return a header's value."""
        if getter := _USUAL_NAMES.get(name):
            return getter(self._usual) or default
        return self._read().get(name, default)

    def __getitem__(self, name: str) -> object:
        return self._read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def _read(self) -> dict[str, object]:
        """Return all headers; in mid-call none, of what the other parser does not take."""
        if self._all is None:
            try:
                self._all = _all_headers(self._bytes)
            except ProtocolError:
                self._all = {}
            self._all.pop("_body", None)
        return self._all


def read_json(body: bytes) -> tuple[Mapping[str, object], str]:
    """Return the headers of an event in JSON, and the text below them. Raises ProtocolError."""
    if len(body) <= SMALL:
        try:
            usual = _decode_usual(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass  # it is read below, or refused
        else:
            return Few(usual, body), usual.body
    found = _all_headers(body)
    text = first_text(found.pop("_body", ""))
    if len(body) > SMALL:  # it may have to wait: nothing that is never read is kept
        found = {name: first_text(value)[:MAX_VALUE] for name, value in found.items()}
    return found, text


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
