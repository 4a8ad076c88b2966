"""What templates call: the menu, a group's tabs, where we are, the token of a form."""

from urllib.parse import urlencode

from flask import request, url_for
from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from fsctl.admin.users import may_manage
from fsctl.web.languages import gettext as _
from fsctl.web.panel import user
from fsctl.web.security import CSRF_FIELD, csrf_token


def role_name(role: str) -> str:
    """Return what a role is called."""
    return _("administrator") if role == "administrator" else _("viewer")


def menu() -> list[tuple[str, str]]:
    """Return the menu: endpoints and names."""
    users = [("users.list_users", _("Users"))] if may_manage(user()) else []
    return [
        ("groups.list_groups", _("Hunt groups")),
        ("live.live", _("Now")),
        ("calls.calls", _("Calls")),
        ("calls.stats", _("Statistics")),
        ("history.history", _("History")),
        ("transfer.import_", _("Import and export")),
        *users,
    ]


def tabs() -> list[tuple[str, str]]:
    """Return the pages of a group: endpoints and names."""
    return [
        ("groups.numbers", _("Numbers")),
        ("members.configuration", _("Configuration")),
        ("groups.general", _("General")),
        ("history.group_history", _("History")),
    ]


def here(endpoint: str) -> bool:
    """Whether this request is for that page."""
    return request.endpoint == endpoint


def link(endpoint: str, **others: object) -> str:
    """Return the address of a page with this request's query, but for ``others`` of it.

    Names in a query are a stranger's, so none of them may become an argument of ``url_for``.
    """
    query = MultiDict(request.args)
    for name, value in others.items():
        query[name] = str(value)
    return f"{url_for(endpoint)}?{urlencode(list(query.items(multi=True)))}".rstrip("?")


def csrf() -> Markup:
    """Return the input that a form that changes something must have."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(CSRF_FIELD, csrf_token())
