"""What templates call: the menu, a group's tabs, where we are, the token of a form."""

from flask import request
from markupsafe import Markup

from fsctl.web.languages import gettext as _
from fsctl.web.security import CSRF_FIELD, csrf_token


def menu() -> list[tuple[str, str]]:
    """Return the menu: endpoints and names."""
    return [
        ("groups.list_groups", _("Hunt groups")),
        ("live.live", _("Now")),
        ("calls.calls", _("Calls")),
        ("calls.stats", _("Statistics")),
        ("history.history", _("History")),
        ("transfer.import_", _("Import and export")),
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


def csrf() -> Markup:
    """Return the input that a form that changes something must have."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(CSRF_FIELD, csrf_token())
