"""Stopping in good order: nobody who already had a connection is turned away."""

import socket
import sys
from ipaddress import ip_network

import pytest

from fsctl.esl.listener import Listener, _drop_new, bind

WAITING = 40


def test_connections_that_wait_to_be_accepted_are_served() -> None:
    served: list[object] = []
    listener = Listener(
        bind("127.0.0.1", 0),
        [ip_network("127.0.0.0/8")],
        lambda _, peer, *_times: served.append(peer),
    )
    listener.start()
    host, _, port = listener.place.rpartition(":")
    # Ordinary sockets, which give the listener no turn to accept anything meanwhile.
    clients = [socket.create_connection((host, int(port))) for _ in range(WAITING)]
    listener.drain()
    assert sorted(served) == sorted(client.getsockname() for client in clients)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)))
    for client in clients:
        client.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can leave attempts unanswered")
def test_who_comes_while_it_closes_is_not_connected_and_then_reset() -> None:
    sock = bind("127.0.0.1", 0)
    place = sock.getsockname()
    early = socket.create_connection(place)
    _drop_new(sock)
    with pytest.raises(TimeoutError):
        socket.create_connection(place, timeout=0.2)
    early.sendall(b"still here")
    accepted, _ = sock.accept()
    assert accepted.recv(100) == b"still here"
    for each in (early, accepted, sock):
        each.close()
