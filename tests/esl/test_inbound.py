"""Our own connection to a switch, against the faults of greenswitch 0.0.19 that it mends."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import gevent
import pytest
from gevent import socket
from gevent.server import StreamServer
from greenswitch.esl import InboundESL

from fsctl.esl.address import SwitchAddress
from fsctl.esl.errors import EventSocketError, NoReply, ProtocolError, SessionClosed
from fsctl.esl.inbound import MAX_EVENTS, NotConnected, Refused, SwitchConnection
from tests.esl.inbound_server import PASSWORD, InboundServer, api_response

AUTH = b"Content-Type: auth/request\n\n"
WRONG = PASSWORD[::-1]
OK = b"Content-Type: command/reply\nReply-Text: +OK accepted\n\n"
EVENT = b'Content-Length: 20\nContent-Type: text/event-json\n\n{"Event-Name":"ONE"}'

Says = Callable[[socket.socket], None]


@pytest.fixture
def says() -> Iterator[Callable[..., SwitchConnection]]:
    """A connection to a switch that is let in and then does as this function says."""
    servers: list[StreamServer] = []
    connections: list[SwitchConnection] = []

    def make(after: Says, **options: float) -> SwitchConnection:
        def serve(sock: socket.socket, _address: object) -> None:
            with sock, suppress(OSError):
                sock.sendall(AUTH)
                sock.recv(1000)
                sock.sendall(OK)
                if sock.recv(1000):  # the first command
                    after(sock)
                    while sock.recv(1000):
                        pass

        server = StreamServer(("127.0.0.1", 0), serve)
        server.start()
        servers.append(server)
        connection = SwitchConnection(
            SwitchAddress("127.0.0.1", server.server_port, PASSWORD),
            **{"connect_time": 2.0, "answer_time": 0.3, **options},
        )
        connections.append(connection)
        connection.connect()
        return connection

    yield make
    for connection in connections:
        connection.stop()
    for server in servers:
        server.stop(timeout=0)


def listening() -> tuple[socket.socket, SwitchAddress]:
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    sock.listen()
    return sock, SwitchAddress("127.0.0.1", sock.getsockname()[1], PASSWORD)


def refusal(address: SwitchAddress) -> str:
    with pytest.raises(NotConnected) as raised, SwitchConnection(address, connect_time=0.3):
        pass
    return str(raised.value).replace(str(address), "HOST")


def test_it_asks_and_is_answered() -> None:
    server = InboundServer({"version short": "1.10.12-release\n", "global_getvar x": "-ERR none\n"})
    with SwitchConnection(server.switch_address) as switch:
        assert isinstance(switch, InboundESL)
        assert switch.api("version short") == "1.10.12-release"
        with pytest.raises(Refused, match=r"^global_getvar: none$"):
            switch.api("global_getvar x")
        with pytest.raises(Refused, match=r"^nope: nope Command not found!$"):
            switch.api("nope")
        assert switch.api("version short") == "1.10.12-release"
    with pytest.raises(SessionClosed):
        switch.api("version short")
    server.stop(timeout=0)


# Connecting


def test_nobody_listens() -> None:
    sock, address = listening()
    sock.close()
    assert refusal(address) == "HOST: Connection refused"


def test_a_name_that_does_not_exist() -> None:
    assert refusal(SwitchAddress("no.such.host.invalid", 8021, "x")).startswith("HOST")


def test_a_switch_that_accepts_and_says_nothing() -> None:
    """greenswitch waits for its greeting without end."""
    sock, address = listening()
    began = time.monotonic()
    assert refusal(address) == "HOST does not answer"
    assert time.monotonic() - began < 2
    sock.close()


def test_a_wrong_password() -> None:
    """greenswitch raises a ValueError, which nobody who reads its signature would catch."""
    server = InboundServer({})
    address = server.switch_address._replace(password=WRONG)
    assert refusal(address) == "HOST refuses the password"
    server.stop(timeout=0)


def test_a_switch_that_turns_us_away() -> None:
    rude = b"Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n"
    server = InboundServer({}, greeting=rude)
    assert refusal(server.switch_address) == (
        "HOST turns this machine away (apply-inbound-acl in event_socket.conf)"
    )
    server.stop(timeout=0)


@pytest.mark.parametrize("greeting", [b"SSH-2.0-OpenSSH\r\n\n\n", b"Content-Type: x\n\n", b"\n\n"])
def test_somebody_else_listens(greeting: bytes) -> None:
    server = InboundServer({}, greeting=greeting)
    assert refusal(server.switch_address).startswith(("HOST is no FreeSWITCH", "HOST does not ans"))
    server.stop(timeout=0)


def test_a_connection_that_closes_at_once() -> None:
    sock, address = listening()

    def accept() -> None:
        sock.accept()[0].close()

    gevent.spawn(accept)
    assert refusal(address) == "HOST is no FreeSWITCH: the switch closed the connection"
    sock.close()


def test_a_connection_that_failed_is_closed() -> None:
    server = InboundServer({})
    connection = SwitchConnection(server.switch_address._replace(password=WRONG))
    with pytest.raises(NotConnected), connection:
        pass
    assert connection.sock is not None
    assert connection.sock.fileno() == -1
    server.stop(timeout=0)


def test_ipv6() -> None:
    """greenswitch makes an IPv4 socket whatever the address is."""
    sock = socket.socket(socket.AF_INET6)
    try:
        sock.bind(("::1", 0))
    except OSError:
        pytest.skip("no IPv6 here")
    sock.listen()

    def serve() -> None:
        peer, _ = sock.accept()
        peer.sendall(AUTH)
        peer.recv(1000)
        peer.sendall(OK)

    gevent.spawn(serve)
    with SwitchConnection(SwitchAddress("::1", sock.getsockname()[1], PASSWORD)) as switch:
        assert switch.connected
    sock.close()


def test_the_password_is_not_shown(says: Callable[..., SwitchConnection]) -> None:
    switch = says(lambda _sock: None)
    assert PASSWORD not in repr(vars(switch))
    assert PASSWORD not in f"{switch.address} {switch.address!r}"


# Asking


def test_no_greenlets_are_started(says: Callable[..., SwitchConnection]) -> None:
    switch = says(lambda _sock: None)
    assert not [name for name in vars(switch) if name.endswith("_greenlet")]
    with pytest.raises(NotImplementedError):
        switch.receive_events()


def test_an_answer_that_never_comes(says: Callable[..., SwitchConnection]) -> None:
    switch = says(lambda _sock: None)
    with pytest.raises(NoReply):
        switch.api("status")
    with pytest.raises(SessionClosed):  # whose answer comes next nobody could tell
        switch.api("status")


def test_an_answer_that_drips(says: Callable[..., SwitchConnection]) -> None:
    """Bytes do not buy time."""

    def drip(sock: socket.socket) -> None:
        for byte in b"Content-Type: api/response\n" * 100:
            sock.sendall(bytes([byte]))
            gevent.sleep(0.01)

    switch = says(drip)
    began = time.monotonic()
    with pytest.raises(NoReply):
        switch.api("status")
    assert time.monotonic() - began < 1


def test_the_end_instead_of_an_answer(says: Callable[..., SwitchConnection]) -> None:
    """greenswitch's ``send`` never returns when the switch closes instead."""
    switch = says(lambda sock: sock.shutdown(socket.SHUT_RDWR))
    with pytest.raises(SessionClosed):
        switch.api("status")


def test_a_notice_of_the_end(says: Callable[..., SwitchConnection]) -> None:
    notice = b"Content-Type: text/disconnect-notice\nContent-Length: 4\n\nBye\n"
    switch = says(lambda sock: sock.sendall(notice))
    with pytest.raises(SessionClosed):
        switch.api("status")


def test_an_answer_that_is_too_large(says: Callable[..., SwitchConnection]) -> None:
    head = b"Content-Type: api/response\nContent-Length: 999999999\n\n"
    switch = says(lambda sock: sock.sendall(head))
    with pytest.raises(ProtocolError):
        switch.api("status")


@pytest.mark.parametrize(
    "junk", [b"\xff\xff\n\n", b"Content-Length: x\n\n", b"Reply-Text: +OK\n\n"]
)
def test_what_is_no_protocol(says: Callable[..., SwitchConnection], junk: bytes) -> None:
    switch = says(lambda sock: sock.sendall(junk))
    with pytest.raises(EventSocketError):
        switch.api("status")


def test_a_reply_that_is_no_answer(says: Callable[..., SwitchConnection]) -> None:
    switch = says(lambda sock: sock.sendall(OK))
    with pytest.raises(Refused):
        switch.api("status")


def test_events_wait_beside_answers(says: Callable[..., SwitchConnection]) -> None:
    broken = b"Content-Length: 1\nContent-Type: text/event-json\n\n{"
    switch = says(lambda sock: sock.sendall(EVENT + broken + api_response("yes") + EVENT))
    assert switch.api("status") == "yes"
    soon = time.monotonic() + 2
    assert [switch.next_event(soon).name for _ in range(2)] == ["ONE", "ONE"]  # type: ignore[union-attr]
    assert switch.next_event(time.monotonic() + 0.02) is None
    assert switch.connected


def test_events_that_nobody_takes(says: Callable[..., SwitchConnection]) -> None:
    switch = says(lambda sock: sock.sendall(EVENT * (MAX_EVENTS + 1)), answer_time=10.0)
    with pytest.raises(ProtocolError):
        switch.api("status")
