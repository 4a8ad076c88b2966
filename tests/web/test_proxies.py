"""The panel behind real reverse proxies, with the configurations that the documentation gives."""

import http.client
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest

from fsctl.admin import users
from fsctl.store.engine import make_engine
from tests.web.conftest import PASSWORD
from tests.web.test_server import lines_until, running

DOCUMENTED = Path(__file__).parents[2] / "docs" / "panel.md"
HOST = "panel.example.org"


def documented(pattern: str) -> str:
    """A configuration, as the documentation has it."""
    found = re.search(rf"```(?:nginx|toml)?\n({pattern}.*?)```", DOCUMENTED.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def nginx(place: Path, port: int, panel: str) -> list[str]:
    server = documented(r"server \{")
    server = server.replace("listen 443", f"listen 127.0.0.1:{port}")
    server = re.sub(r"/etc/letsencrypt/live/[^/]+/fullchain.pem", f"{place}/cert.pem", server)
    server = re.sub(r"/etc/letsencrypt/live/[^/]+/privkey.pem", f"{place}/key.pem", server)
    paths = "".join(
        f"{kind}_temp_path {place}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (place / "nginx.conf").write_text(
        f"daemon off; pid {place}/pid; error_log {place}/log;\nevents {{}}\n"
        f"http {{ access_log off;\n{paths}{server.replace('127.0.0.1:8080', panel)}}}\n"
    )
    return ["nginx", "-e", f"{place}/log", "-c", f"{place}/nginx.conf"]


def caddy(place: Path, port: int, panel: str) -> list[str]:
    # Its own port and certificate instead of fetching one; the rest as it is written.
    site = documented(HOST).replace("127.0.0.1:8080", panel)
    site = site.replace("{", f"{{\n bind 127.0.0.1\n tls {place}/cert.pem {place}/key.pem", 1)
    options = f"admin off\nhttps_port {port}\nauto_https disable_redirects\nstorage file_system "
    (place / "Caddyfile").write_text(f"{{\n{options}{place}/caddy\n}}\n{site}")
    return ["caddy", "run", "--config", f"{place}/Caddyfile", "--adapter", "caddyfile"]


@contextmanager
def proxy(name: str, place: Path, panel: str) -> Iterator[int]:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days", "2", "-subj", f"/CN={HOST}",
         "-addext", f"subjectAltName=DNS:{HOST}"],
        cwd=place, check=True, capture_output=True,
    )  # fmt: skip
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = {"nginx": nginx, "caddy": caddy}[name](place, port, panel)
    environ = {"HOME": str(place), "PATH": "/usr/sbin:/usr/bin:/bin"}
    with subprocess.Popen(
        command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            until = time.monotonic() + 20
            while not _listens(port):
                assert time.monotonic() < until, f"{name} does not listen"
                assert process.poll() is None, f"{name} has ended"
                time.sleep(0.02)
            yield port
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _listens(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


class Visitor:
    """A browser at one address; it trusts the certificate that was made."""

    def __init__(self, place: Path, port: int, address: str = "127.0.0.1") -> None:
        trusted = ssl.create_default_context(cafile=str(place / "cert.pem"))
        raw = socket.create_connection(("127.0.0.1", port), 10, source_address=(address, 0))
        self._connection = http.client.HTTPSConnection(HOST, port)
        self._socket = trusted.wrap_socket(raw, server_hostname=HOST)
        self._connection.sock = self._socket
        self.cookies: dict[str, str] = {}
        self.said: list[str] = []
        self._csrf = ""

    def close(self) -> None:
        self._socket.close()

    def ask(
        self, path: str, form: dict[str, str] | None = None, **headers: str
    ) -> http.client.HTTPResponse:
        headers |= {"Accept": "text/html", "Host": HOST}
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        body = None if form is None else urlencode({"csrf": self._csrf, **form})
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._connection.request("GET" if form is None else "POST", path, body, headers)
        answer = self._connection.getresponse()
        self.said = [value for name, value in answer.getheaders() if name.lower() == "set-cookie"]
        for one in self.said:
            name, _, value = one.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    def read(self, path: str, form: dict[str, str] | None = None, **headers: str) -> int:
        answer = self.ask(path, form, **headers)
        token = re.search(r'name="csrf" content="(\w+)"', answer.read().decode())
        self._csrf = token[1] if token else self._csrf
        return answer.status


@pytest.mark.parametrize("name", ["nginx", "caddy"])
def test_behind(name: str, tmp_path: Path, sqlite_template: Path) -> None:
    if shutil.which(name, path="/usr/sbin:/usr/bin:/bin") is None:
        pytest.skip(f"{name} is not on this machine")
    proxies = documented("web_proxies = ").partition('"')[2].partition('"')[0]
    with running(tmp_path, sqlite_template, "web", FSCTL_WEB_PROXIES=proxies) as process:
        said = lines_until(process, "The panel is at")
        users.add_user(make_engine(f"sqlite:///{tmp_path}/fsctl.db"), "anna", PASSWORD)
        panel = re.search(r"http://([0-9.:]+)/", said)
        assert panel is not None
        # Whoever watches goes first: Caddy ends when the last stream has.
        with proxy(name, tmp_path, panel[1]) as port, closing(Visitor(tmp_path, port)) as anna:
            assert anna.read("/sign-in") == 200
            assert anna.read("/sign-in", {"name": "anna", "password": PASSWORD}) == 302
            assert all("; Secure;" in one for one in anna.said)
            assert "__Host-fsctl_session" in anna.cookies
            page = anna.ask("/groups")
            assert page.getheader("Strict-Transport-Security")
            assert page.read()
            with anna.ask("/live/events") as stream:  # it never ends: what comes is not held back
                assert stream.readline() == b"event: calls\n"
            guesser = Visitor(tmp_path, port)
            guesser.read("/sign-in")
            wrong = {"name": "anna", "password": "wrong"}
            lies = ({"X-Forwarded-For": f"10.0.0.{number}"} for number in range(6))
            assert [guesser.read("/sign-in", wrong, **lie) for lie in lies] == [401] * 5 + [429]
            neighbour = Visitor(tmp_path, port, "127.0.0.2")
            neighbour.read("/sign-in")
            assert neighbour.read("/sign-in", wrong) == 401
