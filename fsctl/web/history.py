"""The audit log, a group's history, and taking the last change of a group back."""

from operator import attrgetter

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from fsctl.admin import whole
from fsctl.admin.audit import has_change, lines_of, list_changes, list_user_changes
from fsctl.admin.errors import AdminError
from fsctl.admin.users import may_manage
from fsctl.store.audit import USER, Entry
from fsctl.store.tables import name_key
from fsctl.web.arguments import LARGEST_ID, whole_number
from fsctl.web.languages import gettext as _
from fsctl.web.panel import domain, engine, explain, panel, say, user, visible_group

pages = Blueprint("history", __name__)

SHOWN = 100


@pages.get("/history")
def history() -> str:
    """Show the newest changes of groups; to who manages the panel's users, of these too."""
    entries = list_changes(panel().engine, domain=domain(), limit=SHOWN)
    if may_manage(user()):
        entries += list_user_changes(panel().engine, limit=SHOWN)
        entries = sorted(entries, key=attrgetter("at"), reverse=True)[:SHOWN]
    return render_template("history.html", entries=_shown(entries), id=None)


@pages.get("/groups/<int:group_id>/history")
def group_history(group_id: int) -> str:
    """Show the newest changes of one group."""
    group = visible_group(group_id)
    entries = list_changes(panel().engine, domain=group.domain, group=group.name, limit=SHOWN)
    return render_template("history.html", entries=_shown(entries), id=group_id, group=group)


@pages.post("/history/<int:entry_id>/undo")
def undo(entry_id: int) -> Response:
    """Take a change back, if it is the last of its group."""
    if not has_change(panel().engine, entry_id, domain=domain()):
        abort(404)
    try:
        whole.undo(engine(), entry_id, domain=domain())
    except AdminError as error:
        say(explain(error), "error")
    else:
        say(_("The change was taken back."))
    group_id = whole_number(request.form.get("group", ""), 1, LARGEST_ID)
    if group_id is None:
        return redirect(url_for("history.history"))
    return redirect(url_for("history.group_history", group_id=group_id))


def _shown(entries: list[Entry]) -> list[dict[str, object]]:
    """Return the entries as a page shows them; ``last``: it can be taken back. A user's cannot."""
    seen: set[tuple[str, str]] = set()
    shown = []
    for entry in entries:
        if entry.about == USER:
            shown.append({"entry": entry, "lines": lines_of(entry), "last": False})
            continue
        names = {
            (entry.domain, name_key(str(document.get("name", ""))))
            for document in (entry.before, entry.after)
            if document
        }
        shown.append({"entry": entry, "lines": lines_of(entry), "last": not names & seen})
        seen |= names
    return shown
