"""Tells users from strangers before their requests are taken up, for the panel's server."""

import hashlib
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, cast

from flask import Flask, Response, g

from fsctl.http_room import is_in
from fsctl.http_server import KNOWN
from fsctl.settings_values import Network
from fsctl.store.errors import StoreError
from fsctl.web import security, sizes
from fsctl.web.languages import gettext as _
from fsctl.web.throttle import network_of

REMEMBERED = 5_000
"""Users' cookies and tokens that were seen lately."""
SEEN = 900.0
"""Seconds for which one counts as seen; what it may do is looked up with each request."""
SIGN_IN = "/sign-in"
RETRY = "5"
"""Seconds after which a stranger for whom there was no room is asked to try again."""

_COOKIE = re.compile(r"(?:^|; *)(?:__Host-|__Secure-)?" + security.COOKIE + "=([^;]+)")

Environ = dict[str, Any]


class Door:
    """Remembers who was seen lately, and finds out who else may send much.

    ``who`` finds out who sends the request of a context, as each request to the application does.
    """

    def __init__(self, app: Flask, proxies: tuple[Network, ...], who: Callable[[], None]) -> None:
        self._app = app
        self._who = who
        self._proxies = proxies
        self._lock = threading.Lock()
        self._seen: OrderedDict[bytes, float] = OrderedDict()

    def see(self, environ: Environ) -> None:
        """Note that a user has sent this."""
        environ[KNOWN] = True
        self._remember(_secret_of(environ))

    def welcome(self, response: Response) -> Response:
        """Note that somebody has just signed in."""
        if secret := g.pop("new_secret", ""):
            self._remember(secret)
        return response

    def _remember(self, secret: str) -> None:
        digest = _digest(secret)
        with self._lock:
            self._seen[digest] = time.monotonic() + SEEN
            self._seen.move_to_end(digest)
            if len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)

    def is_known(self, environ: Environ) -> bool:
        """Whether it was noted of who sends this that they are a user."""
        return self._seen.get(_digest(_secret_of(environ)), 0.0) > time.monotonic()

    def is_signing_in(self, environ: Environ) -> bool:
        """Whether a password comes with this."""
        return bool(environ["REQUEST_METHOD"] == "POST" and environ["PATH_INFO"].endswith(SIGN_IN))

    def origin(self, environ: Environ) -> str:
        """Return from where a request comes, as far as we or a proxy of ours know."""
        peer = environ["REMOTE_ADDR"]
        if is_in(peer, self._proxies):
            peer = environ.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip() or peer
        return network_of(peer)

    def largest(self, environ: Environ) -> int:
        """Return how many bytes may come with a request."""
        sized: Any = self._largest
        if is_in(environ["REMOTE_ADDR"], self._proxies):
            sized = security.BehindProxy(sized, self._proxies)
        return cast(int, sized(dict(environ), None))

    def crowded(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Ask a stranger to come back."""
        with self._app.request_context(environ):
            g.user = None  # whose language would be looked up
            text = _("Too many people are signing in. Wait a few seconds and try again.")
        headers = [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Retry-After", RETRY),
            *security.HEADERS.items(),
        ]
        start_response("503 Service Unavailable", headers)
        return [text.encode()]

    def why(self, status: HTTPStatus, environ: Environ) -> str:
        """Say why a body is refused."""
        with self._app.request_context(environ):
            g.user = None
            texts = {
                413: _(
                    "That is more than can be sent at once. "
                    "If your session has ended, sign in again."
                ),
                503: _("Too many large files are being sent. Wait a few seconds and try again."),
            }
            return texts.get(status, status.phrase)

    def _largest(self, environ: Environ, _start_response: Any) -> int:
        with self._app.request_context(environ) as context:
            try:
                self._who()
            except StoreError:
                return sizes.STRANGERS
            return sizes.largest_body(g.user, context.request.endpoint)


def door_of(app: Flask) -> Door:
    """Return the door of an application."""
    return cast(Door, app.extensions["door"])


def _digest(secret: str) -> bytes:
    """Return what a user is remembered by."""
    return hashlib.sha256(secret.encode("latin-1", "replace")).digest()


def _secret_of(environ: Environ) -> str:
    """Return the token or cookie that comes with a request, which nobody else has."""
    kind, _, secret = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if kind.lower() != "bearer":
        found = _COOKIE.search(environ.get("HTTP_COOKIE", ""))
        secret = found[1] if found else ""
    return str(secret)
