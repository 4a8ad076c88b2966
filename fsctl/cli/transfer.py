"""``fsctl export`` and ``fsctl import``: the whole configuration as a file."""

from collections import Counter
from collections.abc import Iterator

import click

from fsctl.admin.configuration import WrongFile, decode, read_groups
from fsctl.admin.csv_file import read_csv, write_csv
from fsctl.admin.difference import differences, summary, title
from fsctl.admin.documents import document_of
from fsctl.admin.errors import WrongValue
from fsctl.admin.import_advice import warnings_of
from fsctl.admin.transfer import Plan, Step, all_groups, import_groups, plan_import
from fsctl.admin.yaml_file import read_yaml, write_yaml
from fsctl.cli.context import Context, pass_context, settings_options
from fsctl.cli.csv_options import dialect, dialect_options
from fsctl.cli.output import write_warnings
from fsctl.files import private_text
from fsctl.hunt.group import Group

CSV_HELP = "Comma separated values, a row for each member; taken for granted for FILE.csv."


@click.command("export")
@click.argument("file", default="-")
@click.option("--csv", "as_csv", is_flag=True, help=CSV_HELP)
@dialect_options
@settings_options("domain")
@pass_context
def export(context: Context, file: str, as_csv: bool, separator: str | None, mark: bool) -> None:
    """Write every group with its numbers and members to FILE as YAML.

    Without FILE, or with -, it is written to standard output. A new FILE is readable by its owner
    only.
    """
    as_csv = as_csv or _is_csv(file)
    written = dialect(as_csv, separator, mark)
    with all_groups(context.engine(), context.settings.domain) as groups:
        pieces = write_csv(list(groups), written) if as_csv else write_yaml(groups)
        if file == "-":
            for piece in pieces:
                click.echo(piece, nl=False)
            return
        with private_text(file) as out:
            out.writelines(pieces)


@click.command("import")
@click.argument("file")
@click.option("--csv", "as_csv", is_flag=True, help=CSV_HELP)
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--keep", is_flag=True, help="Keep the groups that FILE does not have.")
@settings_options("domain", "region")
@pass_context
def import_(context: Context, file: str, as_csv: bool, dry_run: bool, keep: bool) -> None:
    """Make the groups be those of FILE, as "fsctl export" writes it, and show what changes.

    All of it happens or, if anything is wrong, nothing. Groups that FILE does not have are removed.
    With a domain, only that domain's groups are meant. With - standard input is read.
    """
    wanted = _read(context, file, as_csv or _is_csv(file))
    change = plan_import if dry_run else import_groups
    plan = change(context.engine(), wanted, domain=context.settings.domain, keep=keep)
    for step in plan:
        for line in _lines(step):
            click.echo(line)
    click.echo(_verdict(plan, dry_run))
    write_warnings(warnings_of(plan))


def _read(context: Context, file: str, as_csv: bool) -> list[Group]:
    with click.open_file(file, "rb") as source:
        content = source.read()
    settings = context.settings
    try:
        text = decode(content)
        raw = read_csv(text) if as_csv else read_yaml(text)
        return read_groups(raw, settings.region, settings.domain)
    except WrongFile as error:
        raise WrongValue(f"{'standard input' if file == '-' else file}, {error}") from None


def _is_csv(file: str) -> bool:
    return file.lower().endswith(".csv")


def _lines(step: Step) -> Iterator[str]:
    """Yield what becomes of a group: added, removed, or what of it changes."""
    before = document_of(step.before) if step.before else None
    after = document_of(step.after) if step.after else None
    if before and after:
        yield f"~ {title(before)}"
        yield from (f"    {line}" for line in differences(before, after))
    elif after:
        yield f"+ {title(after)}: {summary(after)}"
    elif before:
        yield f"- {title(before)}: {summary(before)}"


def _verdict(plan: Plan, dry_run: bool) -> str:
    if not plan:
        return "Nothing to change."
    count = Counter(
        "changed" if step.before and step.after else "added" if step.after else "removed"
        for step in plan
    )
    parts = ", ".join(f"{count[what]} {what}" for what in ("added", "changed", "removed"))
    return f"Groups: {parts}." + (" Nothing was changed: this was --dry-run." if dry_run else "")
