"""Groups: the list, adding one, its name, its numbers, copying and removing it."""

from dataclasses import replace
from typing import cast

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from fsctl.admin import groups as admin
from fsctl.admin import numbers as numbers_admin
from fsctl.admin import values, whole
from fsctl.admin.advice import unlikely_numbers
from fsctl.admin.errors import AdminError, Taken
from fsctl.admin.versions import GENERAL, NUMBERS, Conflict, fingerprint
from fsctl.hunt.group import Group
from fsctl.store.engine import reading
from fsctl.store.groups import number_owners
from fsctl.store.numbers import is_assigned
from fsctl.store.web_groups import find_page
from fsctl.web import conflicts
from fsctl.web.arguments import asked_number
from fsctl.web.languages import gettext as _
from fsctl.web.languages import ngettext
from fsctl.web.panel import (
    domain,
    engine,
    explain,
    id_of,
    pages_of,
    panel,
    say,
    shown_domain,
    visible_group,
)
from fsctl.web.redirects import own_path
from fsctl.web.telephones import picture_of, silences, warnings_of

pages = Blueprint("groups", __name__)

PAGE = 50
"""Groups on a page of the list."""
LAST_PAGE = 1_000_000
_BETWEEN = ",;\n"

View = Response | str | tuple[str, int]


@pages.get("/")
def home() -> Response:
    """Go to the list: it is what people come for."""
    return redirect(url_for("groups.list_groups"))


@pages.get("/groups")
def list_groups() -> str:
    """List the groups that hold what is looked for, a page at a time."""
    search = request.args.get("search", "")[:100].replace("\0", "")
    page = asked_number("page", 1, 1, LAST_PAGE)
    with reading(panel().engine, at_one_moment=True) as session:
        found = find_page(session, search, shown_domain(), (page - 1) * PAGE, PAGE)
    picture = picture_of(domain(), (group for _, group in found.groups))
    return render_template(
        "groups/list.html",
        found=found,
        warnings={group_id: warnings_of(group, picture) for group_id, group in found.groups},
        silences=silences(picture),
        with_domains=any(group.domain for _, group in found.groups) and not domain(),
        search=search,
        page=page,
        pages=pages_of(found.total, PAGE, page),
    )


@pages.get("/groups/add")
@pages.post("/groups/add")
def add() -> View:
    """Add a group by its name and description, and go on to its numbers."""
    form = request.form
    if request.method == "GET":
        return render_template("groups/add.html", form={}, user_domain=domain())
    where = domain() or form.get("domain", "").strip()
    try:
        change = admin.add_group(
            engine(),
            form.get("name", "").strip(),
            description=form.get("description", "").strip(),
            domain=where,
        )
    except AdminError as error:
        return render_template(
            "groups/add.html", form=form, user_domain=domain(), problem=explain(error)
        ), 422
    say(_("The group was added."))
    return redirect(url_for("groups.numbers", group_id=id_of(change.group)))


@pages.post("/groups/<int:group_id>/enabled")
def switch(group_id: int) -> Response:
    """Enable or disable a group."""
    group = visible_group(group_id)
    change = admin.enable_group if request.form.get("enabled") == "1" else admin.disable_group
    change(engine(), group.name, domain=group.domain)
    enabled = change is admin.enable_group
    say(_("The group is enabled.") if enabled else _("The group is disabled."))
    return redirect(_back(group_id))


def _back(group_id: int) -> str:
    """Return the page that a small form was on: the list, where it was, or the group's own."""
    wanted = own_path(request.form.get("back", ""), request.script_root) or ""
    on_list = wanted.partition("?")[0] == url_for("groups.list_groups")
    return wanted if on_list else url_for("groups.general", group_id=group_id)


@pages.get("/groups/<int:group_id>")
@pages.post("/groups/<int:group_id>")
def general(group_id: int) -> View:
    """Show and change a group's name and description."""
    group = visible_group(group_id)
    if request.method == "GET":
        return _tab("groups/general.html", group_id, group)
    name = request.form.get("name", "").strip()
    description = request.form.get("description", "").strip()
    typed = {"form": {"name": name, "description": description}}
    try:
        seen = conflicts.seen()
        whole.describe_group(
            engine(), group.name, name, description, domain=group.domain, seen=seen
        )
    except Conflict as error:
        wanted = replace(error.now or group, name=name, description=description)
        return _conflict("groups/general.html", group_id, error, wanted, **typed)
    except AdminError as error:
        return _again("groups/general.html", group_id, group, "general", error, **typed)
    say(_("The group was changed."))
    return redirect(url_for("groups.general", group_id=group_id))


@pages.post("/groups/<int:group_id>/copy")
def copy(group_id: int) -> View:
    """Add a group like this one, under another name."""
    group = visible_group(group_id)
    name = request.form.get("name", "").strip()
    seen = conflicts.seen()
    try:
        change = whole.copy_group(engine(), group.name, name, domain=group.domain, seen=seen)
    except Conflict as error:
        return _conflict("groups/general.html", group_id, error, copied=name)
    except AdminError as error:
        return _again("groups/general.html", group_id, group, "whole", error, copied=name)
    say(_("The group was copied; this is the copy."))
    return redirect(url_for("groups.numbers", group_id=id_of(change.group)))


@pages.get("/groups/<int:group_id>/remove")
@pages.post("/groups/<int:group_id>/remove")
def remove(group_id: int) -> View:
    """Ask whether a group is to go, and remove it."""
    group = visible_group(group_id)
    if request.method == "GET":
        return _tab("groups/remove.html", group_id, group)
    try:
        admin.remove_group(engine(), group.name, domain=group.domain, seen=conflicts.seen())
    except Conflict as error:
        return _conflict("groups/remove.html", group_id, error)
    say(_("The group was removed."))
    return redirect(url_for("groups.list_groups"))


@pages.get("/groups/<int:group_id>/numbers")
@pages.post("/groups/<int:group_id>/numbers")
def numbers(group_id: int) -> View:
    """Show the numbers that call a group, add some, take one away."""
    group = visible_group(group_id)
    if request.method == "GET":
        return _tab("groups/numbers.html", group_id, group)
    taken, typed = request.form.get("remove"), request.form.get("numbers", "")
    wanted = _split(typed) if taken is None else [taken]
    change = numbers_admin.add_numbers if taken is None else numbers_admin.remove_numbers
    region, seen = panel().settings.region, conflicts.seen()
    try:
        change(engine(), group.name, wanted, region, domain=group.domain, seen=seen)
    except Conflict as error:
        return _conflict("groups/numbers.html", group_id, error, typed=typed)
    except AdminError as error:
        return _again("groups/numbers.html", group_id, group, "numbers", error, typed=typed)
    if taken is None:
        say(ngettext("The number was added.", "The numbers were added.", len(wanted)))
    else:
        say(_("The number was taken away."))
    return redirect(url_for("groups.numbers", group_id=group_id))


@pages.get("/groups/<int:group_id>/numbers/check")
def check_number(group_id: int) -> Response:
    """Say of numbers as they are typed whether the group can have them."""
    group = visible_group(group_id)
    try:
        read = [_free(text, group) for text in _split(request.args.get("numbers", "")[:2000])]
    except AdminError as error:
        return jsonify(ok=False, text=explain(error))
    return jsonify(ok=True, text=", ".join(map(_with_doubt, read)))


def _with_doubt(number: str) -> str:
    if not number.startswith("+") or is_assigned(number):
        return number
    return _("%(number)s (number range not assigned; check it)", number=number)


def _free(text: str, group: Group) -> str:
    """Return a number as it would be kept. Raises AdminError when the group cannot have it."""
    number = values.number(text, panel().settings.region).value
    with reading(panel().engine) as session:
        owner = number_owners(session, [number], group.domain).get(number)
        if owner is not None:
            raise Taken(f"{number} belongs to {admin.named(owner)}", number, owner.domain)
    return number


def _split(typed: str) -> list[str]:
    for char in _BETWEEN:
        typed = typed.replace(char, "\n")
    return [part.strip() for part in typed.split("\n") if part.strip()]


def _tab(template: str, group_id: int, group: Group, **shown: object) -> str:
    """Return one of the pages of a group. Its forms carry the version that they are made from."""
    versions = {
        "general": fingerprint(group, *GENERAL),
        "numbers": fingerprint(group, *NUMBERS),
        "whole": fingerprint(group),
        **cast(dict[str, str], shown.pop("versions", {})),
    }
    return render_template(
        template,
        id=group_id,
        group=group,
        warnings=warnings_of(group, picture_of(domain(), [group])),
        doubts=list(unlikely_numbers(group)),
        versions=versions,
        **shown,
    )


def _again(
    template: str, group_id: int, group: Group, part: str, error: AdminError, **typed: object
) -> tuple[str, int]:
    """Return a page whose form was refused. It is still made from the version that it was."""
    seen = conflicts.seen()
    versions = {} if seen is None else {part: seen}
    page = _tab(template, group_id, group, problem=explain(error), versions=versions, **typed)
    return page, 422


def _conflict(
    template: str, group_id: int, error: Conflict, wanted: Group | None = None, **typed: object
) -> tuple[str, int]:
    """Return a page whose group somebody else has changed meanwhile, as the group is now."""
    now = error.now or visible_group(group_id)
    shown = conflicts.shown(error, wanted)
    page = _tab(template, group_id, now, problem=explain(error), conflict=shown, **typed)
    return page, 409
