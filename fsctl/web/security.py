"""What keeps a browser from doing for others what only its user may: headers, cookies, CSRF.

The policy lets scripts and styles come from files of ours only, so a text that gets into a page
never runs, whoever wrote it. A form carries a token that only a page of ours could know, and a
browser that says from where a change comes must say that it is from here.
"""

import hashlib
import hmac
import logging
import re
import secrets
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from flask import Flask, Request, abort, g, request, session
from flask import Response as FlaskResponse
from flask.sessions import SecureCookieSessionInterface
from werkzeug.exceptions import BadHost
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response

from fsctl.admin.browsers import KNOWN_FOR
from fsctl.admin.signed_in import SignedIn
from fsctl.settings_values import Network

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
HSTS = "max-age=31536000"
CSRF_FIELD = "csrf"
CSRF_HEADER = "X-CSRF-Token"
SAFE = ("GET", "HEAD", "OPTIONS")
API = "/api/v1/"
"""Where programs ask, with tokens."""
_PREFIX = re.compile(r"(?:/(?!\.)[A-Za-z0-9._~-]+)+")
"""A path below which a proxy has the panel: names with one slash before each, so no other host."""
COOKIE = "fsctl_session"
"""The cookie with which somebody is signed in; over TLS its name has a prefix."""
_MARK = "fsctl_browser"


class Cookies(SecureCookieSessionInterface):
    """Flask's own session, for messages and visitors: secure wherever the request was."""

    def get_cookie_secure(self, _app: Flask) -> bool:
        """Say whether the browser may send it over TLS only."""
        return request.is_secure

    def get_cookie_path(self, _app: Flask) -> str:
        """Return to which paths the browser sends it."""
        return cookie_path()


class BehindProxy:
    """Believes what a reverse proxy says of the request, if it is one of ours: who asks, whether by
    TLS, and below which path the proxy has the panel.

    What anybody else says is left out, and the first who does is logged: it may be a proxy that the
    settings have forgotten.
    """

    def __init__(self, app: "WSGIApplication", proxies: tuple[Network, ...]) -> None:
        self._direct = app
        self._told = ProxyFix(app, x_for=1, x_proto=1)
        self._proxies = proxies
        self._logged = False

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        """Answer one request."""
        peer = environ.get("REMOTE_ADDR", "")
        prefix = environ.get("HTTP_X_FORWARDED_PREFIX", "")
        if self._trusts(peer):
            _put_below(environ, prefix.rpartition(",")[2].strip().rstrip("/"))
            return self._told(environ, start_response)
        if "HTTP_X_FORWARDED_FOR" in environ and not self._logged:
            self._logged = True
            log.warning(
                "X-Forwarded-For of %s is ignored: if that is your reverse proxy, add it to the "
                "setting web_proxies",
                peer,
            )
        return self._direct(environ, start_response)

    def _trusts(self, peer: str) -> bool:
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self._proxies)


def _put_below(environ: "WSGIEnvironment", prefix: str) -> None:
    """Have every address begin with a prefix, which the proxy may have left in the path or not."""
    if not _PREFIX.fullmatch(prefix):
        return
    path = environ.get("PATH_INFO", "")
    if path == prefix or path.startswith(f"{prefix}/"):
        environ["PATH_INFO"] = path.removeprefix(prefix) or "/"
    environ["SCRIPT_NAME"] = prefix


def cookie_path() -> str:
    """Return to which paths a browser sends our cookies: below a prefix, to none but the panel's.

    So two panels on one host, each below a prefix of its own, do not take each other's cookies.
    """
    return request.script_root or "/"


def _cookie_name(of: Request, name: str) -> str:
    """Return the name of a cookie; over TLS with a prefix (RFC 6265bis).

    ``__Host-`` keeps everybody else from setting it, and goes with the path ``/`` only.
    """
    if not of.is_secure:
        return name
    return f"__Secure-{name}" if of.script_root else f"__Host-{name}"


def session_cookie(of: Request) -> str:
    """Return the name of the cookie with which somebody is signed in."""
    return _cookie_name(of, COOKIE)


def mark_cookie(of: Request) -> str:
    """Return the name of the cookie by which a browser is known where somebody signed in before."""
    return _cookie_name(of, _MARK)


def keep_signed_in(response: Response, found: SignedIn) -> None:
    """Give the browser what it is signed in by, until it is closed, and what it is known by."""
    g.new_secret = found.secret
    _set_cookie(response, session_cookie(request), found.secret)
    _set_cookie(response, mark_cookie(request), found.mark, KNOWN_FOR)


def _set_cookie(response: Response, name: str, value: str, max_age: int | None = None) -> None:
    response.set_cookie(
        name,
        value,
        max_age=max_age,
        httponly=True,
        samesite="Lax",
        secure=request.is_secure,
        path=cookie_path(),
    )


def forget(response: Response) -> None:
    """Take back what ``keep_signed_in`` gave."""
    response.delete_cookie(
        session_cookie(request),
        httponly=True,
        samesite="Lax",
        secure=request.is_secure,
        path=cookie_path(),
    )


def csrf_token() -> str:
    """Return what the forms of this request's user carry."""
    secret = g.get("secret")
    if secret is None:
        if "visitor" not in session:
            session["visitor"] = secrets.token_urlsafe(16)
        secret = session["visitor"]
    return hmac.new(secret.encode(), b"csrf", hashlib.sha256).hexdigest()


def check_host() -> Response | None:
    """Refuse a request whose Host names no host: no address of ours can be made from it."""
    if isinstance(request.routing_exception, BadHost):
        return Response("the Host header is not valid\n", 400, mimetype="text/plain")
    return None


def check_csrf() -> None:
    """Refuse a change that no page of ours asked for."""
    # A token is sent by nobody who does not know it; a browser sends cookies for anybody.
    if request.method in SAFE or request.path.startswith(API):
        return
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        abort(403)
    given = request.headers.get(CSRF_HEADER) or request.form.get(CSRF_FIELD, "")
    if not hmac.compare_digest(given.encode(), csrf_token().encode()):
        abort(403)


def add_headers(response: FlaskResponse) -> FlaskResponse:
    """Add what tells browsers to be careful; nothing of a page stays behind in a cache."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", HSTS)
    return response
