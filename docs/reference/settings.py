"""Every setting: its flag, variable and key, its default and what it means."""

from docs.reference import markdown
from docs.reference.markdown import code, definitions, plain
from fsctl.settings import SETTINGS
from fsctl.settings_reading import CONFIG_FLAG, CONFIG_VARIABLE
from fsctl.settings_row import Setting

INTRODUCTION = f"""\
A setting is taken from its flag, else from the environment, else from a file in TOML, else it has
its default. The file is the one that `{CONFIG_FLAG}` or `{CONFIG_VARIABLE}` names, else
`./fsctl.toml`, else `/etc/fsctl/fsctl.toml`. `fsctl config` shows what is in force and where each
value comes from. A key that is none of these is refused.
"""
EXAMPLE = """\
## Example

```toml
database_url = "postgresql://fsctl:secret@db.example.org/fsctl"
listen = "10.0.0.5:8084"
allow = ["10.0.0.7", "10.0.0.8"]
log_level = "warning"
```
"""


def told(row: Setting) -> str:
    """Return what is to be said of one setting."""
    default = f"The default is {code(row.default)}." if row.default else "It has no default."
    secret = " A password in it is masked wherever it is shown." if row.secret else ""
    names = f"Flag {code(f'{row.flag} {row.metavar}')}, variable {code(row.variable)}."
    return f"{plain(row.description)} {default}{secret} {names}"


def page() -> str:
    """Return the page of all settings, which is fsctl.toml(5) too."""
    every = definitions((code(row.name), told(row)) for row in SETTINGS)
    return markdown.page("fsctl.toml", INTRODUCTION, "## Settings\n\n" + every, EXAMPLE)
