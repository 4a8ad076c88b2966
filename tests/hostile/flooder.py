"""A switch gone mad, as a process of its own: brings a call and then sends events without end.

    python -m tests.hostile.flooder HOST PORT NUMBER KIND

It prints a line when its call hunts and the flood begins, and ends when nobody takes its bytes.
"""

from __future__ import annotations

import json
import socket
import sys
import uuid

CALLER = str(uuid.uuid4())


def event(**headers: str) -> bytes:
    body = json.dumps({key.replace("_", "-"): value for key, value in headers.items()}).encode()
    return b"Content-Length: %d\nContent-Type: text/event-json\n\n%s" % (len(body), body)


FLOODS = {
    "events": event(Event_Name="CHANNEL_PROGRESS", Unique_ID=CALLER) * 100,
    "large events": event(Event_Name="HEARTBEAT", Text="x" * 200_000),
    "other frames": b"Content-Type: log/data\n\n" * 500,
}


def main(host: str, port: str, number: str, kind: str) -> None:
    sock = socket.create_connection((host, int(port)))
    asked = sock.recv(65536)
    assert asked.startswith(b"connect"), asked
    connected = (
        f"Unique-ID: {CALLER}\nChannel-Name: sofia/internal/mad\n"
        f"Caller-Destination-Number: {number}\nContent-Type: command/reply\nReply-Text: +OK\n\n"
    )
    sock.sendall(connected.encode())
    sock.settimeout(0.2)
    heard = b""
    try:
        while True:
            heard += sock.recv(65536)
    except TimeoutError:
        sock.settimeout(None)
    replies = heard.replace(b"\nJob-UUID", b" Job-UUID").split(b"\n\n")[:-1]
    for order in replies:
        api = order.startswith(b"api ")
        answer = b"Content-Type: api/response\nContent-Length: 3\n\n+OK"
        sock.sendall(answer if api else b"Content-Type: command/reply\nReply-Text: +OK\n\n")
    print(f"{len(replies)} orders answered", flush=True)
    try:
        while True:
            sock.sendall(FLOODS[kind])
    except OSError:
        print("nobody takes it any more", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
