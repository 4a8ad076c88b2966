"""Where a browser may be sent: to pages of this panel only.

A form or an address says where its user was, or wants to go, and anybody can have written that.
Browsers read addresses generously: they take ``\\`` for ``/`` and leave out tabs and line breaks.
To them ``/<tab>/evil.example`` is a page of another host.
"""

import re
from urllib.parse import unquote, urlsplit

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

_PATH = re.compile(r"/(?!/)[!-\[\]-~]*")
"""One slash, then printable ASCII without spaces and without ``\\``."""


def own_path(text: str, below: str = "") -> str | None:
    """Return a path of this panel, with its query; None for anything else.

    ``below`` is the path below which a proxy has the panel.
    """
    if not _PATH.fullmatch(text):
        return None
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    if parts.scheme or parts.netloc or parts.path.startswith("//"):
        return None
    return text if _is_below(parts.path, below) else None


def _is_below(path: str, below: str) -> bool:
    """Whether a path is below another, however a browser takes its dots."""
    dots = {".", ".."} & {unquote(part) for part in path.split("/")}
    return not below or (path.startswith(f"{below}/") and not dots)


def this_page() -> str:
    """Return the path of this request as the browser has it, with its query."""
    return request.script_root + request.full_path.rstrip("?")


def back_to(text: str) -> Response:
    """Send the browser to a page of this panel; to the list of groups if ``text`` is none."""
    return redirect(own_path(text, request.script_root) or url_for("groups.list_groups"))


def page_before() -> str:
    """Return the path of the page that this request came from; ``""`` when it is not ours."""
    host, before = request.host_url, request.referrer or ""
    return before[len(host) - 1 :] if before.startswith(host) else ""
