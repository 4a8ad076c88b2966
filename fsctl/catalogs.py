"""Catalogs of translations: gettext ``.po`` files beside the code whose texts they have.

Babel reads them when they are first asked for: what a translator writes is what runs, and there is
no compiled file beside it that could be older. English is the language of the source. Knows nobody
of ours.
"""

import io
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # every command knows which languages there are, few write in one
    from babel import Locale
    from babel.messages.catalog import Catalog
    from babel.support import NullTranslations

LANGUAGES = ("en", "pl")
DEFAULT = LANGUAGES[0]


@cache
def catalog(package: str, name: str, language: str) -> "Catalog":
    """Return a language's catalog of that name in a package, as it is written."""
    from babel.messages.pofile import read_po  # noqa: PLC0415

    place = files(package) / "catalogs" / language / "LC_MESSAGES" / f"{name}.po"
    with place.open("rb") as file:
        return read_po(file, locale=language)


@cache
def translations(package: str, name: str, language: str) -> "NullTranslations":
    """Return a language's translations, ready to be asked."""
    from babel.messages.mofile import write_mo  # noqa: PLC0415
    from babel.support import NullTranslations, Translations  # noqa: PLC0415

    if language == DEFAULT:
        return NullTranslations()
    compiled = io.BytesIO()
    write_mo(compiled, catalog(package, name, language))
    compiled.seek(0)
    return Translations(compiled)


def locale_of(language: str) -> "Locale":
    """Return whose dates and numbers are meant. English ones with a day of 24 hours: en_GB."""
    from babel import Locale  # noqa: PLC0415

    return Locale.parse("en_GB" if language == DEFAULT else language)
