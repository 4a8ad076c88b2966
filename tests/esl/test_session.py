"""The session over a real socket, against the faults of greenswitch 0.0.19 that it mends."""

import time
from collections.abc import Iterator

import gevent
import pytest
from gevent import socket
from greenswitch.esl import OutboundSession

from fsctl.esl.errors import NoReply, ProtocolError, SessionClosed
from fsctl.esl.events import Event
from fsctl.esl.session import CALLER_LEFT, CallSession
from tests.esl import captures

UUID = "4aac82dd-d39b-4959-a0c6-3f3ce36ef29d"
CONNECTED = b"Unique-ID: %s\nChannel-Name: sofia/internal/a%%0Ab\nContent-Type: command/reply\n\n"
CONNECTED %= UUID.encode()
OK = b"Content-Type: command/reply\nReply-Text: +OK\n\n"


def json_event(name: bytes) -> bytes:
    body = b'{"Event-Name":"%s"}' % name
    return b"Content-Length: %d\nContent-Type: text/event-json\n\n%s" % (len(body), body)


@pytest.fixture
def ends() -> Iterator[tuple[CallSession, socket.socket]]:
    ours, theirs = socket.socketpair()
    session = CallSession(("test", 0), ours, reply_time=0.3)
    yield session, theirs
    session.stop()
    theirs.close()


def soon() -> float:
    return time.monotonic() + 5


def play(switch: socket.socket, name: str) -> None:
    """Be the switch of a capture: wait for what it was sent, then say what it said."""
    for way, text in captures.pieces(name):
        if way == "FROM":
            switch.sendall(text)
        else:
            owed = len(text)
            while owed:
                owed -= len(switch.recv(owed))
    switch.close()


def events_until_the_end(session: CallSession) -> Iterator[Event]:
    while True:
        try:
            event = session.next_event(soon())
        except SessionClosed:
            return
        assert event
        yield event


def test_a_captured_conversation(ends: tuple[CallSession, socket.socket]) -> None:
    session, switch = ends
    name = "two-answer-together-json"
    gevent.spawn(play, switch, name)
    connected = session.connect(stay=5)
    assert session.uuid == connected["Channel-Unique-ID"] == connected["variable_uuid"]
    orders = b"".join(text for way, text in captures.pieces(name) if way == "TO").decode()
    for order in orders.split("\n\n")[2:-1]:
        session.post(order)
    names = [event.name for event in events_until_the_end(session)]
    assert names.count("CHANNEL_ANSWER") == 3
    assert CALLER_LEFT in names


def test_replies_find_their_commands_while_events_pass(
    ends: tuple[CallSession, socket.socket],
) -> None:
    session, switch = ends
    seen: list[str] = []
    session.post("a", lambda reply: seen.append("a" + reply.data))
    session.post("b", lambda reply: seen.append("b" + reply.data))
    api = b"Content-Type: api/response\nContent-Length: 4\n\n-ERR"
    gevent.spawn(switch.sendall, json_event(b"ONE") + OK + api + json_event(b"TWO") + OK)
    assert session.send("c").data == "+OK"
    assert seen == ["a+OK", "b-ERR"]
    assert [session.next_event(soon()).name for _ in range(2)] == ["ONE", "TWO"]
    assert switch.recv(100) == b"a\n\nb\n\nc\n\n"


def test_events_before_the_end_are_not_lost(ends: tuple[CallSession, socket.socket]) -> None:
    """greenswitch drops what is queued when the connection closes."""
    session, switch = ends
    switch.sendall(json_event(b"LAST"))
    switch.close()
    assert session.next_event(soon()).name == "LAST"
    with pytest.raises(SessionClosed):
        session.next_event(soon())


def test_the_end_of_the_file_ends_the_session(ends: tuple[CallSession, socket.socket]) -> None:
    """greenswitch's ``send`` waits for ever when the switch closes instead of replying."""
    session, switch = ends
    gevent.spawn(switch.close)
    with pytest.raises(SessionClosed):
        session.send("connect")


def test_a_reply_that_never_comes(ends: tuple[CallSession, socket.socket]) -> None:
    session, _ = ends
    with pytest.raises(NoReply):
        session.send("connect")


def test_a_posted_command_without_reply_is_noticed(
    ends: tuple[CallSession, socket.socket],
) -> None:
    session, _ = ends
    session.post("api hupall")
    with pytest.raises(NoReply):
        session.next_event(soon())


def test_a_switch_that_reads_nothing_does_not_block_for_ever(
    ends: tuple[CallSession, socket.socket],
) -> None:
    session, _ = ends
    for _ in range(300):
        session.post("x" * 10_000)
    with pytest.raises(NoReply):
        session.flush()


def test_no_event_in_time(ends: tuple[CallSession, socket.socket]) -> None:
    session, _ = ends
    until = time.monotonic() + 0.02
    assert session.next_event(until) is None
    assert time.monotonic() >= until


@pytest.mark.parametrize(
    "sent", [OK, b"Reply-Text: +OK\n\n", b"\xff\xff\n\n", b"Content-Length: x\n\n"]
)
def test_what_is_no_protocol_ends_the_session(
    ends: tuple[CallSession, socket.socket], sent: bytes
) -> None:
    session, switch = ends
    switch.sendall(sent)
    with pytest.raises(ProtocolError):
        session.next_event(soon())


def test_an_unreadable_event_is_dropped(ends: tuple[CallSession, socket.socket]) -> None:
    session, switch = ends
    broken = b"Content-Length: 1\nContent-Type: text/event-json\n\n{"
    switch.sendall(broken + json_event(b"NEXT"))
    assert session.next_event(soon()).name == "NEXT"
    assert session.unreadable == 1


def test_the_connect_reply_must_name_a_channel(ends: tuple[CallSession, socket.socket]) -> None:
    session, switch = ends
    switch.sendall(b"Content-Type: command/reply\nReply-Text: -ERR\n\n")
    with pytest.raises(ProtocolError):
        session.connect()


def test_it_knows_the_disconnect_notice_of_its_channel(
    ends: tuple[CallSession, socket.socket],
) -> None:
    session, switch = ends
    switch.sendall(CONNECTED)
    session.connect(stay=7)
    disconnected = (
        f"Content-Type: text/disconnect-notice\nControlled-Session-UUID: {UUID}\n"
        "Content-Disposition: linger\nChannel-Name: sofia/internal/a\nb\nLinger-Time: 7\n"
        "Content-Length: 0\n\n"
    )
    switch.sendall(OK + disconnected.encode() + json_event(b"AFTER"))
    assert session.next_event(soon()).name == CALLER_LEFT
    assert session.next_event(soon()).name == "AFTER"


def test_it_is_a_greenswitch_session(ends: tuple[CallSession, socket.socket]) -> None:
    session, switch = ends
    assert isinstance(session, OutboundSession)
    gevent.spawn(switch.sendall, OK)
    session.hangup("USER_BUSY")
    assert b"execute-app-name: hangup\nexecute-app-arg: USER_BUSY\n\n" in switch.recv(200)


def test_ten_thousand_sessions_start_no_greenlets(
    ends: tuple[CallSession, socket.socket],
) -> None:
    session, _ = ends
    assert session._receive_events_greenlet is None
    assert session._process_events_greenlet is None


def test_a_wake_for_what_went_before_does_not_shorten_what_comes(
    ends: tuple[CallSession, socket.socket],
) -> None:
    session, _switch = ends
    session.wake()
    session.begin_anew()
    until = time.monotonic() + 0.1
    assert session.next_event(until) is None
    assert time.monotonic() >= until
    session.wake()
    assert session.next_event(soon()) is None
