"""The configuration of a group: its members with their wait times, and its own settings.

One form, saved in one piece. Its buttons work without scripts: the table comes back changed and not
saved. With them the drawing beside it follows every key.
"""

from functools import partial

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from fsctl.admin import whole
from fsctl.admin.errors import AdminError
from fsctl.admin.groups import get_memory
from fsctl.admin.groups import whole as whole_group
from fsctl.admin.versions import Conflict, fingerprint
from fsctl.hunt.group import Group
from fsctl.web import conflicts
from fsctl.web.draft import Draft, empty_row
from fsctl.web.fields import GROUP_FIELDS, MEMBER_FIELDS
from fsctl.web.languages import gettext as _
from fsctl.web.languages import language, sentence
from fsctl.web.panel import domain, engine, explain, may_change, panel, say, visible_group
from fsctl.web.switches import Picture
from fsctl.web.telephones import (
    MOST_OFFERED,
    WORDS,
    offers,
    picture_of,
    silences,
    states_of,
    warnings_of,
)
from fsctl.web.timeline import opening, preview

pages = Blueprint("members", __name__)

EMPTY_ROWS = 1
"""Rows at the end of the table that wait for a member."""


@pages.get("/groups/<int:group_id>/configuration")
@pages.post("/groups/<int:group_id>/configuration")
def configuration(group_id: int) -> Response | str | tuple[str, int]:
    """Show the configuration of a group, and save it."""
    group = visible_group(group_id)
    if request.method == "GET":
        draft = Draft.of(group, comma=language() == "pl")
        return _page(group_id, group, draft, fingerprint(group))
    draft, seen = Draft.read(request.form), request.form.get("seen", "")
    if (act := request.form.get("act", "save")) != "save":
        draft.act(act, picked=request.form.getlist("picked"))
        return _page(group_id, group, draft, seen)
    wanted = draft.group(group)
    if wanted is None:
        problem = _("Nothing was saved. Look at what is marked.")
        return _page(group_id, group, draft, seen, problem), 422
    try:
        whole.change_group(engine(), group.name, wanted, seen=seen, domain=group.domain)
    except Conflict as error:
        now = error.now or group
        problem = explain(error)
        page = _page(
            group_id, now, draft, fingerprint(now), problem, conflicts.shown(error, wanted)
        )
        return page, 409
    except AdminError as error:
        return _page(group_id, group, draft, seen, explain(error)), 409
    say(_("Saved. It is in force within a second."))
    return redirect(url_for("members.configuration", group_id=group_id))


@pages.post("/groups/<int:group_id>/timeline")
def timeline(group_id: int) -> Response:
    """Draw what a form says that is not saved; and say what of it is wrong, by input."""
    group = visible_group(group_id)
    draft = Draft.read(request.form)
    drawn = draft.group(group)
    keys = request.form.getlist("row")
    errors = {name: sentence(text) for name, text in draft.errors.items()}
    for key, row in zip(keys, draft.rows, strict=False):
        errors |= {f"{name}-{key}": sentence(text) for name, text in row.errors.items()}
    picture = picture_of(domain(), [drawn or group])
    users = [row.user for row in draft.rows]
    states = dict(zip(keys, _in_words(group, users, picture), strict=False))
    html = None
    if drawn is not None:
        html = render_template("groups/_timeline.html", **_drawn(drawn, picture))
    return jsonify(html=html, errors=errors, states=states)


def _drawn(group: Group, picture: Picture | None) -> dict[str, object]:
    memory_of = partial(get_memory, panel().engine)
    external = bool(panel().settings.external_dial)
    drawn = whole_group(panel().engine, group)
    return {
        "svg": preview(drawn, memory_of(group), external, memory_of),
        "warnings": warnings_of(group, picture),
        "opening": opening(group, panel().now()),
    }


def _in_words(group: Group, users: list[str], picture: Picture | None) -> list[dict[str, str]]:
    """Return what is known of users: a class of the style, and words."""
    return [
        {"kind": state.value, "text": _(WORDS[state]) if WORDS[state] else ""}
        for state in states_of(group, users, picture)
    ]


def _page(
    group_id: int,
    group: Group,
    draft: Draft,
    seen: str,
    problem: str | None = None,
    conflict: conflicts.Shown | None = None,
) -> str:
    drawn = draft.group(group)
    picture = picture_of(domain(), [drawn or group])
    users = [row.user for row in draft.rows]
    offered = offers(group, users, picture) if may_change() else []
    if may_change():
        for _unused in range(EMPTY_ROWS - sum(not row.user for row in draft.rows)):
            draft.add_row()
    return render_template(
        "groups/configuration.html",
        id=group_id,
        group=group,
        draft=draft,
        seen=seen,
        problem=problem,
        conflict=conflict,
        group_fields=GROUP_FIELDS,
        member_fields=MEMBER_FIELDS,
        blank=empty_row(),
        states=_in_words(group, [row.user for row in draft.rows], picture),
        offered=offered[:MOST_OFFERED],
        not_offered=max(0, len(offered) - MOST_OFFERED),
        state_names=WORDS,
        silences=silences(picture),
        **(_drawn(drawn, picture) if drawn else {"svg": None, "warnings": [], "opening": None}),
    )
