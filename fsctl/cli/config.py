"""``fsctl config``: the settings in force."""

import click

from fsctl.cli.context import Context, json_option, pass_context
from fsctl.cli.output import write_json, write_table
from fsctl.settings import SETTINGS


@click.command("config")
@json_option
@pass_context
def config(context: Context, as_json: bool) -> None:
    """Show every setting, its value and where that comes from; passwords are masked."""
    rows = context.loaded.rows
    if not as_json:
        heads = ("SETTING", "VALUE", "SOURCE", "DESCRIPTION")
        write_table(heads, [(row.name, row.value, row.source, row.description) for row in rows])
        return
    write_json(
        [
            {
                "name": row.name,
                "value": row.value,
                "source": row.source,
                "description": row.description,
                "flag": setting.flag,
                "environment": setting.variable,
                "default": setting.default,
                "secret": setting.secret,
            }
            for row, setting in zip(rows, SETTINGS, strict=True)
        ]
    )
