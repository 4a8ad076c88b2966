"""A scripted event socket of a switch: lets one log in, and answers api commands from a table."""

from collections.abc import Callable, Mapping

from gevent import socket
from gevent.server import StreamServer

from fsctl.esl.address import SwitchAddress

PASSWORD = "ClueCon"  # noqa: S105 - FreeSWITCH's own default
Answers = Mapping[str, str] | Callable[[str], str]


class InboundServer(StreamServer):
    """Answers ``api`` commands; a command that ``answers`` does not have is unknown to it.

    ``greeting`` is what it says to whoever connects.
    """

    def __init__(
        self, answers: Answers, greeting: bytes = b"Content-Type: auth/request\n\n"
    ) -> None:
        super().__init__(("127.0.0.1", 0), self._serve)
        self._answers = answers
        self._greeting = greeting
        self.asked: list[str] = []
        self.start()

    @property
    def switch_address(self) -> SwitchAddress:
        return SwitchAddress("127.0.0.1", self.server_port, PASSWORD)

    @property
    def url(self) -> str:
        return f"esl://:{PASSWORD}@127.0.0.1:{self.server_port}"

    def _serve(self, sock: socket.socket, _address: object) -> None:
        with sock, sock.makefile("rb") as lines:
            sock.sendall(self._greeting)
            for line in iter(lines.readline, b""):
                if line.strip():
                    sock.sendall(self._reply(line.decode().strip()))

    def _reply(self, line: str) -> bytes:
        verb, _, rest = line.partition(" ")
        if verb == "auth":
            text = "+OK accepted" if rest == PASSWORD else "-ERR invalid"
        elif verb == "api":
            self.asked.append(rest)
            return api_response(self._answer(rest))
        else:
            text = "+OK"
        return f"Content-Type: command/reply\nReply-Text: {text}\n\n".encode()

    def _answer(self, command: str) -> str:
        if callable(self._answers):
            return self._answers(command)
        return self._answers.get(
            command, f"-ERR {command.split(maxsplit=1)[0]} Command not found!\n"
        )


def api_response(text: str) -> bytes:
    body = text.encode()
    return b"Content-Type: api/response\nContent-Length: %d\n\n%s" % (len(body), body)
