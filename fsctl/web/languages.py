"""The panel's languages: which a request gets, how dates and numbers look."""

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_time
from babel.messages.catalog import Catalog
from babel.numbers import format_decimal, format_percent
from babel.support import NullTranslations
from flask import g, has_app_context, has_request_context, request

from fsctl import catalogs
from fsctl.catalogs import DEFAULT, LANGUAGES
from fsctl.web.sentences import Sentences

NAMES = {"en": "English", "pl": "Polski"}
COOKIE = "fsctl_language"


def catalog(language: str) -> Catalog:
    """Return a language's catalog as it is written."""
    return catalogs.catalog("fsctl.web", "panel", language)


def translations(language: str) -> NullTranslations:
    """Return a language's translations, ready to be asked."""
    return catalogs.translations("fsctl.web", "panel", language)


@cache
def _sentences(language: str) -> Sentences:
    return Sentences({} if language == DEFAULT else catalog(language))


def language() -> str:
    """Return the language of this request: the user's, else the one chosen, else the browser's."""
    if not has_app_context():
        return DEFAULT
    if "language" not in g and not has_request_context():
        return DEFAULT
    if "language" not in g:
        user = g.get("user")
        chosen = request.cookies.get(COOKIE, "")
        if chosen not in LANGUAGES:
            chosen = user.language if user else ""
        g.language = chosen or request.accept_languages.best_match(LANGUAGES) or DEFAULT
    return str(g.language)


def locale() -> Locale:
    """Return whose dates and numbers are meant."""
    return catalogs.locale_of(language())


def gettext(message: str, **values: Any) -> str:
    """Translate a message; ``values`` fill its ``%(name)s``."""
    text = translations(language()).ugettext(message)
    return text % values if values else text


def ngettext(singular: str, plural: str, number: int, **values: Any) -> str:
    """Translate a message about so many; ``%(num)s`` is the number."""
    text = translations(language()).ungettext(singular, plural, number)
    return text % {"num": decimal(number), **values}


def pgettext(context: str, message: str) -> str:
    """Translate a message that means different things in different places."""
    return translations(language()).upgettext(context, message)


def sentence(text: str) -> str:
    """Translate a sentence that ``fsctl.admin`` or the hunt has made (see ``Sentences``)."""
    return _sentences(language()).translate(text)


# Dates and numbers


def decimal(value: float, digits: int = 3) -> str:
    """Write a number: ``0.5``, in Polish ``0,5``."""
    return format_decimal(round(value, digits), locale=locale())


def seconds(value: float) -> str:
    """Write a length of time for people: ``0,5 s``."""
    return f"{decimal(value)}\N{NO-BREAK SPACE}s"


def clock(value: float) -> str:
    """Write a sum of lengths of time as hours, minutes and seconds."""
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


def percent(share: float) -> str:
    """Write a share, 0 to 1, with one decimal."""
    return format_percent(share, format="#,##0.0\N{NO-BREAK SPACE}%", locale=locale())


def moment(epoch: float) -> str:
    """Write a moment of the machine's time zone: day and time to the second."""
    return _formatted(format_datetime, epoch, "medium")


def moment_in(epoch: float, zone: ZoneInfo) -> str:
    """Write a moment of another time zone, with its weekday, to the minute."""
    local = datetime.fromtimestamp(epoch, zone)
    return format_datetime(local, "EEEE d MMMM y, H:mm", tzinfo=zone, locale=locale())


def day(epoch: float) -> str:
    """Write the day of a moment."""
    return _formatted(format_date, epoch, "medium")


def time_of_day(epoch: float) -> str:
    """Write the time of day of a moment, to the second."""
    return _formatted(format_time, epoch, "medium")


def _formatted(write: Callable[..., str], epoch: float, length: str) -> str:
    local = datetime.fromtimestamp(epoch).astimezone()
    if write is format_date:
        return write(local.date(), length, locale=locale())
    return write(local, length, locale=locale(), tzinfo=local.tzinfo)
