"""Export and import of the whole configuration, in a browser."""

from collections import Counter

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from fsctl.admin.configuration import decode, read_groups
from fsctl.admin.csv_file import read_csv, write_csv
from fsctl.admin.difference import told
from fsctl.admin.documents import document_of
from fsctl.admin.errors import AdminError, WrongValue
from fsctl.admin.import_advice import warnings_of
from fsctl.admin.spreadsheet import Dialect
from fsctl.admin.transfer import Plan, Step, all_groups, import_groups, plan_import, plan_version
from fsctl.admin.versions import Conflict
from fsctl.admin.yaml_file import read_yaml, write_yaml
from fsctl.hunt.group import Group
from fsctl.web import conflicts
from fsctl.web.downloads import file_answer, for_people
from fsctl.web.languages import gettext as _
from fsctl.web.languages import sentence
from fsctl.web.panel import domain, engine, explain, panel, say

pages = Blueprint("transfer", __name__)

CARRIED = 1_000_000
"""Characters of a file that a page carries along from looking to importing."""
MOST_WARNINGS = 20
"""Doubtful things that a page shows."""
MOST_SAID = 5
"""Doubtful things that the next page tells: a cookie carries them there."""
MOST_STEPS = 500
"""Changes of groups that a page shows."""


@pages.get("/export.<any(yaml, csv):form>")
def export(form: str) -> Response:
    """Send every group that this user may see, as a file."""
    try:
        return as_file(form, for_people())
    except WrongValue as error:
        return Response(sentence(str(error)), 422, mimetype="text/plain")


def as_file(form: str, dialect: Dialect) -> Response:
    """Return every group that this user may see, as ``yaml`` or ``csv``."""
    with all_groups(panel().engine, domain()) as groups:
        pieces = write_csv(list(groups), dialect) if form == "csv" else write_yaml(groups)
        return file_answer("".join(pieces), f"groups.{form}")


@pages.get("/import")
@pages.post("/import")
def import_() -> AnyResponse | str | tuple[str, int]:
    """Show what a file would change, and change it."""
    if request.method == "GET":
        return render_template("transfer.html")
    keep, seen = "keep" in request.form, conflicts.seen()
    text = ""
    problem = None
    try:
        text = _text()
        wanted = read_file(text)
        if request.form.get("act") == "import":
            plan = import_groups(engine(), wanted, domain=domain(), keep=keep, seen=seen)
            say(_("Imported: %(what)s.", what=_verdict(plan)))
            for line in warnings_of(plan)[:MOST_SAID]:
                say(sentence(line), "doubt")
            return redirect(url_for("groups.list_groups"))
        plan = plan_import(engine(), wanted, domain=domain(), keep=keep)
    except Conflict as error:
        problem = explain(error)
        plan = plan_import(engine(), wanted, domain=domain(), keep=keep)
    except AdminError as error:
        return render_template("transfer.html", problem=explain(error), keep=keep), 422
    page = _planned(plan, text, keep, problem)
    return (page, 409) if problem else page


def _planned(plan: Plan, text: str, keep: bool, problem: str | None) -> str:
    """Return the page that shows what a file would change, and carries that to the import."""
    return render_template(
        "transfer.html",
        problem=problem,
        version=plan_version(plan),
        steps=[lines_of(step) for step in plan[:MOST_STEPS]],
        left_out=max(0, len(plan) - MOST_STEPS),
        warnings=warnings_of(plan)[:MOST_WARNINGS],
        verdict=_verdict(plan),
        carried=text if len(text) <= CARRIED else None,
        keep=keep,
    )


def _text() -> str:
    """Return the file that was sent, or that the page carried along."""
    file = request.files.get("file")
    content = file.read() if file else b""
    text = decode(content) if content else request.form.get("carried", "")
    if not text.strip():
        raise WrongValue("choose a file: this one is empty")
    return text


def read_file(text: str) -> list[Group]:
    """Return the groups of a file, YAML or CSV, whichever it is."""
    is_yaml = text.lstrip().startswith(("version", "#", "---", "groups"))
    raw = read_yaml(text) if is_yaml else read_csv(text)
    return read_groups(raw, panel().settings.region, domain())


def lines_of(step: Step) -> list[str]:
    """Say what an import does to a group, a line for each thing."""
    before = document_of(step.before) if step.before else None
    return told(before, document_of(step.after) if step.after else None)


def kind_of(step: Step) -> str:
    """Return what an import does to a group: added, changed or removed."""
    return "changed" if step.before and step.after else "added" if step.after else "removed"


def _verdict(plan: Plan) -> str:
    if not plan:
        return _("nothing to change")
    count = Counter(kind_of(step) for step in plan)
    return _(
        "%(added)s added, %(changed)s changed, %(removed)s removed",
        added=count["added"],
        changed=count["changed"],
        removed=count["removed"],
    )
