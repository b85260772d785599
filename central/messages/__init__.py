"""Every sentence that staff read, in every language staff read it in.

One catalogue per language (`central/messages/<language>/messages.po`) with symbolic ids, read by Babel without a
compile step. A missing id is an error and never an empty label: tests hold the languages to the same ids and
placeholders.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date as CalendarDay
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.dates import format_date, format_datetime, format_time
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent

LANGUAGES = ("en", "ru", "be")
LANGUAGE_NAMES = {"en": "English", "ru": "Русский", "be": "Беларуская"}
# British English for dates and the 24-hour clock; the texts themselves need no region.
LOCALES = {"en": "en_GB", "ru": "ru", "be": "be"}


class UnknownMessageError(LookupError):
    """No language of the catalogue has this id."""


@dataclass(frozen=True)
class Catalogue:
    """All messages of all staff languages."""

    translations: Mapping[str, GNUTranslations]
    ids: Mapping[str, frozenset[str]]

    @classmethod
    def load(cls, directory: Path | None = None) -> Catalogue:
        """Read `<directory>/<language>/messages.po` of every language. Raises OSError or ValueError."""
        directory = directory or Path(__file__).parent
        translations: dict[str, GNUTranslations] = {}
        ids: dict[str, frozenset[str]] = {}
        for language in LANGUAGES:
            with (directory / language / "messages.po").open("rb") as file:
                catalogue = read_po(file, locale=language, abort_invalid=True)
            compiled = BytesIO()
            write_mo(compiled, catalogue)
            compiled.seek(0)
            translations[language] = GNUTranslations(compiled)
            ids[language] = frozenset(
                message.id if isinstance(message.id, str) else message.id[0] for message in catalogue if message.id
            )
        return cls(translations, ids)

    def has(self, message_id: str) -> bool:
        return message_id in self.ids["en"]

    def text(self, message_id: str, language: str, /, **values: object) -> str:
        """The sentence, its placeholders filled in; `count` chooses the plural form.

        Raises UnknownMessageError for an id that the language does not have.
        """
        translation = self._translation(message_id, language)
        count = values.get("count")
        if isinstance(count, int):
            pattern = translation.ngettext(message_id, message_id, count)
            if pattern == message_id:  # an id without plural forms
                pattern = translation.gettext(message_id)
            values["count"] = format_decimal(count, locale=LOCALES[language])
        else:
            pattern = translation.gettext(message_id)
        return pattern.format(**values)

    def pattern(self, message_id: str, language: str) -> str:
        """The sentence with its placeholders still in it. Raises UnknownMessageError."""
        return self._translation(message_id, language).gettext(message_id)

    def _translation(self, message_id: str, language: str) -> GNUTranslations:
        if message_id not in self.ids[language]:
            raise UnknownMessageError(f"{language}: no message {message_id}")
        return self.translations[language]


@dataclass(frozen=True)
class Words:
    """The catalogue in one reader's language and time zone: what pages and view models speak with."""

    catalogue: Catalogue
    language: str
    timezone: tzinfo

    @property
    def locale(self) -> str:
        return LOCALES[self.language]

    def __call__(self, message_id: str, /, **values: object) -> str:
        return self.catalogue.text(message_id, self.language, **values)

    def has(self, message_id: str) -> bool:
        return self.catalogue.has(message_id)

    def either(self, message_id: str, fallback: str) -> str:
        """The message, or `fallback` when no such id exists: for codes that data may add to."""
        return self(message_id) if self.has(message_id) else fallback

    def number(self, value: Decimal | int | float, places: int = 0) -> str:
        """A figure in the reader's form; at most `places` decimals, trailing noughts kept."""
        pattern = "#,##0" + ("." + "0" * places if places else "")
        return str(format_decimal(value, format=pattern, locale=self.locale))

    def share(self, value: float, places: int = 1) -> str:
        """A fraction of 1 as a percentage."""
        pattern = "0" + ("." + "0" * places if places else "") + "%"
        return str(format_percent(value, format=pattern, locale=self.locale))

    def points(self, value: float) -> str:
        """A fraction as a bare percentage figure, for "0.6 to 1.9"; whole above 10."""
        percent = value * 100
        return self.number(percent, 1 if percent < 10 else 0)

    def clock(self, moment: datetime) -> str:
        return str(format_time(moment.astimezone(self.timezone), "HH:mm", locale=self.locale))

    def day(self, moment: datetime) -> str:
        return str(format_date(moment.astimezone(self.timezone).date(), "d MMM", locale=self.locale))

    def date(self, moment: datetime) -> str:
        """A day with its year."""
        return str(format_date(moment.astimezone(self.timezone).date(), "d MMM y", locale=self.locale))

    def calendar_day(self, day: CalendarDay) -> str:
        """A day of the calendar, of no zone, with its year."""
        return str(format_date(day, "d MMM y", locale=self.locale))

    def country(self, code: str) -> str:
        """The name of a country by its two letters, or the letters where it has none."""
        return str(Locale.parse(self.locale).territories.get(code, code))

    def long_day(self, moment: datetime) -> str:
        return str(format_date(moment.astimezone(self.timezone).date(), "EEEE d MMMM y", locale=self.locale))

    def moment(self, moment: datetime) -> str:
        return str(format_datetime(moment.astimezone(self.timezone), "d MMM y, HH:mm:ss", locale=self.locale))

    @staticmethod
    def duration(seconds: float | timedelta) -> str:
        """Minutes and seconds as mm:ss; hours in front from one hour on."""
        total = int(seconds.total_seconds() if isinstance(seconds, timedelta) else seconds)
        total = max(total, 0)
        hours, rest = divmod(total, 3600)
        minutes, left = divmod(rest, 60)
        return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes:02}:{left:02}"
