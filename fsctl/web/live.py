"""Calls that hunt right now, on a page that follows by itself: server-sent events (WHATWG HTML).

However many watch, the database is asked once a second. A stream ends when its user is signed out,
and after ``LONGEST`` seconds in any case: browsers come again by themselves.
"""

import threading
import time
from collections.abc import Iterator
from typing import cast

import gevent
from flask import Blueprint, Flask, Response, current_app, g, render_template, request

from fsctl.admin import signed_in
from fsctl.store.engine import reading
from fsctl.store.errors import StoreError
from fsctl.store.live import LiveHunt, read_live
from fsctl.web.languages import gettext as _
from fsctl.web.languages import language, seconds
from fsctl.web.panel import Panel, domain, panel
from fsctl.web.server import STREAM
from fsctl.web.telephones import MOST_SHOWN, WORDS, by_state, picture_of, silences
from fsctl.web.timeline import Bar, draw, kind_of

pages = Blueprint("live", __name__)

PACE = 1.0
PING = 15.0
"""Seconds of silence after which proxies are told that the stream goes on."""
LONGEST = 600.0
MOST_STREAMS = 300
STATES = {"rings": "rings", "claims": "answered"}


class Watch:
    """What controllers say, read once a second for all who watch the same."""

    def __init__(self) -> None:
        self.streams = 0
        self._lock = threading.Lock()
        self._read: dict[str, tuple[float, list[LiveHunt], list[str]]] = {}

    def look(self, of: Panel, domain: str) -> tuple[list[LiveHunt], list[str]]:
        """Return the calls of a domain (``""``: of all) and the controllers. Raises StoreError."""
        with self._lock:
            at, hunts, controllers = self._read.get(domain, (-PACE, [], []))
            if time.monotonic() - at >= 0.9 * PACE:
                now_ms = round(of.now() * 1000)
                with reading(of.engine) as session:
                    hunts, controllers = read_live(
                        session, domain, now_ms, hidden=of.settings.mask_numbers
                    )
                self._read[domain] = (time.monotonic(), hunts, controllers)
            return hunts, controllers


def watch() -> Watch:
    """Return what this panel's watchers share."""
    return cast(Watch, current_app.extensions.setdefault("fsctl_watch", Watch()))


@pages.get("/live")
def live() -> str:
    """Show the calls that hunt."""
    return render_template("live.html", **_content(domain()))


@pages.get("/live/events")
def events() -> Response:
    """Go on showing them."""
    shared = watch()
    if shared.streams >= MOST_STREAMS:
        return Response(_("Too many are watching."), 503, mimetype="text/plain")
    app = cast(Flask, current_app._get_current_object())  # type: ignore[attr-defined]
    stream = _Stream(app, g.secret, domain(), language())
    request.environ[STREAM] = stream.events()
    response = Response(iter(()), 200)  # of no known length
    response.headers["Content-Type"] = "text/event-stream; charset=utf-8"
    response.headers["X-Accel-Buffering"] = "no"  # nginx sends it on as it comes
    return response


class _Stream:
    """What one browser is sent. It runs in gevent's loop and looks in threads."""

    def __init__(self, app: Flask, secret: str, domain: str, language: str) -> None:
        self._app = app
        self._secret = secret
        self._domain = domain
        self._language = language

    def events(self) -> Iterator[bytes]:
        """Yield the page whenever it is another."""
        with self._app.app_context():
            shared = watch()
        shared.streams += 1
        began = said_at = time.monotonic()
        said = ""
        try:
            while time.monotonic() < began + LONGEST:
                body = gevent.get_hub().threadpool.apply(self._look)
                if body is None:
                    return
                if body != said:
                    said, said_at = body, time.monotonic()
                    lines = "".join(f"data: {line}\n" for line in body.splitlines())
                    yield f"event: calls\n{lines}\n".encode()
                elif time.monotonic() > said_at + PING:
                    said_at = time.monotonic()
                    yield b": still here\n\n"
                gevent.sleep(PACE)
        finally:
            shared.streams -= 1

    def _look(self) -> str | None:
        """Return the page as it is now; None when nobody is signed in any more."""
        with self._app.app_context():
            g.language = self._language
            of = panel()
            try:
                user = signed_in.user_of(of.engine, self._secret, of.now(), used=False)
                if user is None:
                    return None
                return render_template("_live.html", **_content(user.domain))
            except StoreError:
                return render_template("_live.html", away=True)


def _content(of_domain: str) -> dict[str, object]:
    """Return what the page is made of."""
    hunts, controllers = watch().look(panel(), of_domain)
    now = panel().now()
    calls = [(hunt, _drawing(hunt, now)) for hunt in hunts]
    picture = picture_of(of_domain)
    return {
        "calls": calls,
        "controllers": controllers,
        "away": False,
        "with_switch": picture is not None,
        "silences": silences(picture),
        "telephones": by_state(of_domain, picture),
        "state_names": WORDS,
        "most": MOST_SHOWN,
    }


def _drawing(hunt: LiveHunt, now: float) -> str:
    waited = min(max(0.0, now - hunt.began), hunt.wait)
    bars = []
    for leg in hunt.legs:
        end = max(waited, leg.started) if leg.ended is None else leg.ended
        kind = STATES.get(leg.state) or kind_of(leg.state, "")
        goes_on = leg.ended is None
        text = _("rings for %(time)s") if goes_on else _("rang for %(time)s")
        bars.append(
            Bar(
                leg.member, leg.started, end, kind, text % {"time": seconds(int(end - leg.started))}
            )
        )
    title = _("How long the caller waits") if hunt.position else _("Who rings now")
    return draw(title, bars, hunt.wait, float(int(waited)), _("until now"))
