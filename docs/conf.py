"""How Sphinx makes the site and the manual pages; ``make docs`` and ``make man`` run it.

The source is the whole checkout, so that README.md and the pages of docs/ link to each other here
as they do where the project is read.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from docs import reference  # noqa: E402 - not a package that is installed
from fsctl import __version__  # noqa: E402

reference.write()

project = "fsctl"
author = ""
release = __version__
root_doc = "docs/index"
extensions = ["myst_parser"]
include_patterns = ["*.md", "docs/*.md", "docs/reference/*.md"]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
nitpicky = True
smartquotes = False
# Of what we show, not everything is a language that Pygments knows.
highlight_language = "none"

html_theme = "alabaster"
html_title = f"fsctl {release}"
html_theme_options = {
    "description": "Hunt groups for FreeSWITCH",
    "fixed_sidebar": True,
    "page_width": "70rem",
    "sidebar_width": "17rem",
}
html_static_path: list[str] = []
html_extra_path = ["site"]
html_copy_source = False
html_show_copyright = False
html_show_sourcelink = False

man_pages = [
    (f"docs/reference/{source}", name, about, "", "1")
    for source, name, about in reference.commands.manual()
]
man_pages.append(("docs/reference/fsctl.toml", "fsctl.toml", "settings of fsctl", "", "5"))
man_show_urls = True
