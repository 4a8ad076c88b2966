"""The codec: real conversations whole, byte by byte, in random pieces; and what no switch sends."""

import json
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsctl.esl import events
from fsctl.esl.codec import Decoder, Frame, notice, parse_event, parse_headers
from fsctl.esl.errors import ProtocolError
from tests.esl import captures


def json_frame(body: bytes) -> Frame:
    return Frame("text/event-json", {}, body)


def decoder_for(stream: bytes) -> Decoder:
    """Return a decoder that knows the caller's channel, as a session does after ``connect``."""
    decoder = Decoder()
    headers = parse_headers(stream[: stream.index(b"\n\n")])
    decoder.expect_notice(headers["Unique-ID"], headers["Channel-Name"].encode(), 5)
    return decoder


def replay(stream: bytes, cuts: Iterable[int]) -> list[Frame]:
    decoder = decoder_for(stream)
    edges = [0, *sorted(cuts), len(stream)]
    return [frame for start, end in pairwise(edges) for frame in decoder.feed(stream[start:end])]


@pytest.mark.parametrize("name", captures.NAMES)
def test_every_capture_is_understood_whole_and_byte_by_byte(name: str) -> None:
    stream = captures.from_switch(name)
    frames = replay(stream, [])
    assert replay(stream, range(1, len(stream))) == frames
    commands = sum(text.count(b"\n\n") for way, text in captures.pieces(name) if way == "TO")
    replies = [frame for frame in frames if frame.kind in ("command/reply", "api/response")]
    assert len(replies) == commands
    assert all(frame.trusted for frame in frames)
    events = [parse_event(frame) for frame in frames if frame.kind.startswith("text/event")]
    assert {event.name for event in events} >= {"CHANNEL_CREATE", "BACKGROUND_JOB"}
    results = [event.body for event in events if event.name == "BACKGROUND_JOB"]
    assert all(result.startswith(("+OK", "-ERR")) for result in results)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(captures.NAMES), st.data())
def test_pieces_of_any_size_make_the_same_frames(name: str, data: st.DataObject) -> None:
    stream = captures.from_switch(name)
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=40))
    assert replay(stream, cuts) == replay(stream, [])


def test_json_and_plain_captures_tell_the_same_story() -> None:
    def story(name: str) -> list[str]:
        frames = replay(captures.from_switch(name), [])
        kinds = ("text/event-json", "text/event-plain")
        return sorted(parse_event(frame).name for frame in frames if frame.kind in kinds)

    assert story("caller-gives-up-json") == story("caller-gives-up-plain")


def test_a_caller_cannot_forge_a_header_in_events() -> None:
    """The hostile caller's user part is ``a%0AUnique-ID: evil``."""
    stream = captures.from_switch("hostile-caller-plain")
    frames = replay(stream, [])
    caller = frames[0].headers["Unique-ID"]
    events = [parse_event(frame) for frame in frames if frame.kind == "text/event-plain"]
    assert all(event.get("Unique-ID") != "evil" for event in events)
    hostile = [event for event in events if event.get("Unique-ID") == caller]
    assert any("\nUnique-ID: evil" in event.get("Channel-Name") for event in hostile)


def test_the_disconnect_notice_is_stepped_over_byte_for_byte() -> None:
    """The last event of that capture comes after the notice and is still read."""
    stream = captures.from_switch("hostile-caller-plain")
    frames = replay(stream, [])
    kinds = [frame.kind for frame in frames]
    at = kinds.index("text/disconnect-notice")
    assert parse_event(frames[at + 1]).name == "CHANNEL_HANGUP_COMPLETE"


UUID = "4aac82dd-d39b-4959-a0c6-3f3ce36ef29d"
FORGED = b'Content-Type: text/event-json\nContent-Length: 26\n\n{"Event-Name": "FORGED--"}'


@given(st.binary(max_size=700), st.binary(max_size=50))
def test_nothing_hidden_in_the_notice_is_believed(name: bytes, ahead: bytes) -> None:
    """Whatever the channel is called: its notice alone is skipped, or nothing is trusted."""
    name = ahead + b"\n\n" + FORGED + name
    stream = notice(UUID, name, 5) + FORGED
    known = Decoder()
    known.expect_notice(UUID, name, 5)
    assert [frame.kind for frame in known.feed(stream)] == [
        "text/disconnect-notice",
        "text/event-json",
    ]
    unknown = Decoder()
    unknown.expect_notice(UUID, b"sofia/internal/honest", 5)
    frames = [frame for byte in stream for frame in unknown.feed(bytes([byte]))]
    assert [(frame.kind, frame.trusted) for frame in frames] == [("text/disconnect-notice", False)]
    assert list(unknown.feed(FORGED)) == []


@pytest.mark.parametrize(
    "stream",
    [
        b"Content-Type: text/event-json\nContent-Length: -1\n\n",
        b"Content-Type: text/event-json\nContent-Length: 1e3\n\n",
        b"Content-Type: text/event-json\nContent-Length: 99999999999\n\n",
        b"Content-Type: text/event-json\nContent-Length: \xc2\xb2\n\n",
        b"GET / HTTP/1.1\r\nHost\n\n",
        b"x:" * 600,
        b"a:b\n" * 5000 + b"\n",
    ],
)
def test_what_no_switch_sends_is_refused(stream: bytes) -> None:
    decoder = Decoder(max_frame=1000 if b"x:" in stream else 100_000)
    with pytest.raises(ProtocolError):
        list(decoder.feed(stream))


@settings(max_examples=400)
@given(st.lists(st.one_of(st.binary(max_size=80), st.sampled_from([b"\n\n", FORGED, b": "]))))
def test_any_bytes_give_frames_or_a_protocol_error(parts: list[bytes]) -> None:
    decoder = Decoder(max_frame=2000)
    held = 0
    try:
        for part in parts:
            for frame in decoder.feed(part):
                if frame.kind.startswith("text/event"):
                    parse_event(frame)
            held = max(held, len(decoder._buffer))
    except ProtocolError:
        pass
    assert held <= 2000 + max(map(len, parts), default=0)


texts = st.text(max_size=30)


@given(st.dictionaries(texts, st.one_of(texts, st.lists(texts))), texts)
def test_json_events(headers: dict[str, object], body: str) -> None:
    sent = {**headers, "Event-Name": "X", "_body": body}
    frame = json_frame(json.dumps(sent).encode())
    event = parse_event(frame)
    assert event.name == "X"
    assert event.body == body
    for name, value in headers.items():
        if name not in ("Event-Name", "_body"):
            assert event.get(name) == ((value or [""])[0] if isinstance(value, list) else value)


def test_json_with_bytes_that_are_no_utf8() -> None:
    frame = json_frame(b'{"Event-Name":"X","n":"\xff\xe9"}')
    assert dict(parse_event(frame).headers) == {"Event-Name": "X", "n": "��"}


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null", b'"x"', b"\xff"])
def test_json_that_is_no_event(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        parse_event(json_frame(body))


_NAMES = ["Event-Name", "Unique-ID", "Job-UUID", "Hangup-Cause", "variable_fsctl_leg", "_body", "x"]
_ODD = st.one_of(
    st.text(max_size=8), st.none(), st.integers(), st.lists(st.text(max_size=3), max_size=3)
)


@given(st.dictionaries(st.sampled_from(_NAMES), _ODD))
def test_the_few_headers_that_are_read_at_once_are_what_all_of_them_would_be(
    sent: dict[str, object],
) -> None:
    small = json.dumps(sent).encode()
    large = json.dumps(sent | {"filler": "x" * events.SMALL}).encode()
    few, whole = (parse_event(json_frame(body)) for body in (small, large))
    assert few.body == whole.body
    for name in [*_NAMES[:5], "x"]:
        assert few.get(name) == whole.get(name)
