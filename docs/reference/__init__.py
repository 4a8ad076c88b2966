"""The reference part of the documents, made from the code: nothing in it is written twice.

``pages`` returns every page; Sphinx has them written beside this package when it builds the site
or the manual pages, and git ignores them. What only a person can say (what a channel variable is
for) stands in the module of its page, which refuses to make a page that lacks it.
"""

from collections.abc import Mapping
from pathlib import Path

from docs.reference import commands, metrics, settings, tables, terms, variables

FOLDER = Path(__file__).parent


def pages() -> Mapping[str, str]:
    """Return the text (MyST Markdown) of every page by its file's name."""
    found = dict(commands.pages())
    found["fsctl.toml.md"] = settings.page()
    found["terms.md"] = terms.page()
    found["variables.md"] = variables.page()
    found["tables.md"] = tables.page()
    found["metrics.md"] = metrics.page()
    return found


def write(folder: Path = FOLDER) -> None:
    """Write what has changed, and remove the pages of what is no more."""
    wanted = pages()
    for stale in {path.name for path in folder.glob("*.md")} - set(wanted):
        (folder / stale).unlink()
    for name, text in wanted.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
