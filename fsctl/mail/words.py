"""The language of the mails: their catalog, and how moments and times look in it."""

from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from babel.numbers import format_decimal

from fsctl.catalogs import locale_of, translations

PACKAGE, CATALOG = "fsctl.mail", "mail"


def N_(message: str) -> str:
    """Mark a text to be translated when it is written."""
    return message


class Words:
    """One language of ``fsctl.catalogs.LANGUAGES``."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._locale = locale_of(language)
        self._translations = translations(PACKAGE, CATALOG, language)

    def gettext(self, message: str, **values: str) -> str:
        """Translate a message; ``values`` fill its ``%(name)s``."""
        text = self._translations.ugettext(message)
        return text % values if values else text

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        """Translate a message about so many; ``%(num)s`` is the number."""
        return self._translations.ungettext(singular, plural, number) % {"num": str(number)}

    def moment(self, epoch: float, zone: ZoneInfo) -> str:
        """Write a moment of a time zone, with its weekday, to the second."""
        return self._written(epoch, zone, "EEEE d MMMM y, H:mm:ss")

    def short_moment(self, epoch: float, zone: ZoneInfo) -> str:
        """Write a moment of a time zone as a line of many has it."""
        return self._written(epoch, zone, "y-MM-dd H:mm:ss")

    def seconds(self, value: float) -> str:
        """Write a length of time to the tenth of a second: ``7.2 s``, in Polish ``7,2 s``."""
        return f"{format_decimal(round(value, 1), locale=self._locale)} s"

    def _written(self, epoch: float, zone: ZoneInfo, form: str) -> str:
        local = datetime.fromtimestamp(epoch, zone)
        return format_datetime(local, form, tzinfo=zone, locale=self._locale)
