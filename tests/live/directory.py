"""A directory that is slow to answer: ``mod_xml_curl`` asks it, and goes on to FreeSWITCH's files.

Owns the HTTP server and the binding. Must not know calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

import gevent
from gevent.pywsgi import WSGIServer

from tests.live.freeswitch import FreeSwitch

_NOT_FOUND = (
    b'<document type="freeswitch/xml"><section name="result">'
    b'<result status="not found"/></section></document>'
)
_FIRST = '<section name="configuration">\n'


class SlowDirectory:
    """Takes ``seconds`` to say that it does not know a user; the files that follow do."""

    def __init__(self, switch: FreeSwitch) -> None:
        self.seconds: dict[str, float] = {}
        self._switch = switch
        self._server = WSGIServer(("127.0.0.1", 0), self._answer, log=None)
        self._server.start()
        self._file = switch.directory / "freeswitch.xml"
        self._before = self._file.read_text()
        url = f"http://127.0.0.1:{self._server.server_port}/"
        binding = (
            '<configuration name="xml_curl.conf"><bindings><binding name="slow">'
            f'<param name="gateway-url" value="{url}" bindings="directory"/>'
            "</binding></bindings></configuration>\n"
        )
        self._file.write_text(self._before.replace(_FIRST, _FIRST + binding, 1))
        switch.api("reloadxml")
        assert switch.api("load mod_xml_curl").startswith("+OK")

    def _answer(self, environment: dict[str, Any], start: Callable[..., object]) -> Iterable[bytes]:
        asked = parse_qs(environment["wsgi.input"].read().decode("utf-8", "replace"))
        purpose = asked.get("action", [""])[0]
        if purpose == "user_call":
            gevent.sleep(self.seconds.get(asked.get("user", [""])[0], 0.0))
        start("200 OK", [("Content-Type", "text/xml")])
        return [_NOT_FOUND]

    def close(self) -> None:
        """Have FreeSWITCH ask its files alone again."""
        self.seconds.clear()
        self._switch.api("unload mod_xml_curl")
        self._file.write_text(self._before)
        self._switch.api("reloadxml")
        self._server.stop(timeout=0)
