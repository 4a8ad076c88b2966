"""What there is to translate, for pages and for mails: read from the source, and written into the
catalogs.

``python -m fsctl.web.extraction`` brings the catalogs up to date with the source: new messages come
in without a translation, which a test then asks for, and old ones go.
"""

from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from fsctl.admin.terms import GROUP_TERMS, MEMBER_TERMS
from fsctl.catalogs import LANGUAGES
from fsctl.web.sentences import CONTEXT, forms_of

PACKAGE = Path(__file__).parents[1]
HEADER = "# Polish. English is in the source."

METHODS = [("**.py", "python"), ("**.html", "jinja2.ext:babel_extract")]
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "N_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
}
MAKERS = (
    "WrongValue",
    "Refused",
    "Taken",
    "Conflict",
    "NumberError",
    "WrongFile",
    "append",
    "extend",
    "line",
    "ValueError",
)
"""Whoever is given a sentence that a page may show; what is yielded counts as well."""
MODULES = (
    "admin/*.py",
    "hunt/clock.py",
    "hunt/missed.py",
    "hunt/opening.py",
    "mail/address.py",
    "store/numbers.py",
    "web/*.py",
)
PARTS = (
    'group "{0}"',
    'group "{0}" of {1}',
    "line {0}: {1}",
    "write a domain's name, for example pbx.example.org",
    "another domain",
    "{0} {1} added",
    "{0} {1} added: {2}",
    "{0} added: {1}",
    "{0} removed: {1}",
    'user "{0}"',
    'user "{0}" of {1}',
    "password changed",
    "signed out everywhere",
    "role",
    "language",
    "token",
    "tokens",
    "member",
    "members",
    "number",
    "numbers",
    "name",
    "description",
    "group's name",
    *(term.words for term in (*GROUP_TERMS.values(), *MEMBER_TERMS.values())),
    "time",
)
"""Parts of sentences that are no call's argument."""


def messages() -> Catalog:
    """Return every message of the panel, without translations."""
    found = Catalog(project="fsctl", charset="utf-8", fuzzy=False)
    here = str(Path(__file__).parent)
    options = {"**.html": {"trimmed": "true"}}
    for file, _line, message, _comments, context in extract_from_dir(
        here,
        METHODS,
        options,
        keywords=KEYWORDS,
    ):
        found.add(message, locations=[(f"web/{file}", 0)], context=context)
    for form in sorted(sentences()):
        found.add(form, context=CONTEXT)
    return found


def mail_messages() -> Catalog:
    """Return every message of the mails, without translations."""
    found = Catalog(project="fsctl", charset="utf-8", fuzzy=False)
    for file, _line, message, _comments, context in extract_from_dir(
        str(PACKAGE / "mail"), METHODS, keywords=KEYWORDS
    ):
        found.add(message, locations=[(f"mail/{file}", 0)], context=context)
    return found


def sentences() -> set[str]:
    """Return the forms of the sentences that other parts make for the panel."""
    return {*PARTS, *(form for path in _modules() for form in forms_of(path, MAKERS))}


def _modules() -> Iterator[Path]:
    for pattern in MODULES:
        yield from PACKAGE.glob(pattern)


def update() -> None:
    """Bring every catalog up to date."""
    _update("web", "panel", messages())
    _update("mail", "mail", mail_messages())


def _update(part: str, name: str, template: Catalog) -> None:
    for language in LANGUAGES[1:]:
        file = PACKAGE / part / "catalogs" / language / "LC_MESSAGES" / f"{name}.po"
        with file.open("rb") as old:
            catalog = read_po(old, locale=language)
        made = catalog.creation_date
        catalog.update(template, no_fuzzy_matching=True)
        catalog.creation_date = made  # or any two changes of the source would collide in it
        catalog.obsolete.clear()
        catalog.header_comment = HEADER
        with file.open("wb") as new:
            write_po(new, catalog, width=100, no_location=True, sort_output=True, omit_header=False)


if __name__ == "__main__":
    update()
