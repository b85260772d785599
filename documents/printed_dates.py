"""Dates as documents print them: by numbers or with a month's name in the languages of Europe's passports."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

# Each month's names: the beginnings by which they are told. Some words are different months in two languages
# (LIPIEC is Poland's July, LIPANJ Croatia's June): a word stands for all the months that it may be.
_NAMES = (
    "JAN JANV ENE GEN GENN IAN JAAN TAMMI SAU STY SIJ LED OCA ЯНВ ЯНУ СТУ СІЧ ЈАН ΙΑΝ",
    "FEB FEV FRA VEEB HELMI VAS LUT VEL UNO SHK SUB ФЕВ ЛЮТ ФЕБ ΦΕΒ",
    "MAR MRZ MAERZ MAA MRT KOV OZU BRE МАР САК БЕР ΜΑΡ",
    "APR AVR ABR HUH BAL KWI TRA DUB PRI NIS АПР КРА КВІ ΑΠΡ",
    "MAI MAY MAJ MAG MEI MEJ TOU GEG SVI KVE МАЙ МАЯ МАЈ ТРА ΜΑΙ ΜΑΪ",
    "JUN JUIN GIU IUN JUUN KES BIR CZE LIP CERV CVN GUN QER HAZ ИЮН ЧЭР ЧЕР ЈУН ЮНИ ΙΟΥΝ",
    "JUL JUIL LUG IUL JUUL HEI LIE LIP SRP CERVENEC CERVENC CVC LUL KOR TEM ИЮЛ ЛІП ЛИП ЈУЛ ЮЛИ ΙΟΥΛ",
    "AUG AOU AGO AGU ELO RUGP RGP SIE KOL SRP AVG AWW GUS АВГ ЖНІ СЕР ΑΥΓ",
    "SEP SET SZE SYY RUGS RGS WRZ RUJ ZAR SHT EYL СЕН СЕП ВЕР ΣΕΠ",
    "OCT OKT OUT OTT LOK SPA PAZ LIS RIJ TET EKI ОКТ КАС ЖОВ ΟΚΤ",
    "NOV MARRAS LAP LIS STU NEN KAS НОЯ НОЕ НОВ ЛІС ЛИС ΝΟΕ",
    "DEC DIC DEZ DES DET JOU GRD GRU PRO DHJ ARA ДЕК СНЕ ГРУ ДЕЦ ΔΕΚ",
)
_BY_BEGINNING: dict[str, frozenset[int]] = {}
for _number, _names in enumerate(_NAMES, 1):
    for _name in _names.split():
        _BY_BEGINNING[_name] = _BY_BEGINNING.get(_name, frozenset()) | {_number}

_NUMERIC = re.compile(r"(?<!\d)(\d{1,4})\s?[-./ ]\s?(\d{1,2})\s?[-./ ]\s?(\d{4}|\d{2})(?!\d)")
_CLOSE = re.compile(r"(?<!\d)(\d{8})(?!\d)")  # 23111959: the blanks were lost
_HALF_CLOSE = re.compile(r"(?<!\d)(\d{2})[-./ ]?(\d{2})[-./ ]?(\d{4})(?!\d)")
_DAY_FIRST = re.compile(
    r"(?<!\d)(\d{1,2}|XX|--)[^\S\n]?[-./ ]?\s?([^\W\d_]{3}[^\d]{0,24}?)[-./ ]{0,2}(\d{4}|\d{2})(?!\d)"
)
_MONTH_FIRST = re.compile(r"([^\W\d_]{3,10})[. ]{0,2}(\d{1,2})[, ]{1,2}(\d{4})(?!\d)")
_YEAR_FIRST = re.compile(r"(?<!\d)(\d{4})[-./ ]\s?([^\W\d_]{3,10})[-./ ]\s?(\d{1,2})(?!\d)")
# What an optical reader makes of 0 and 1 beside another digit.
_DIGITS_AS_LETTERS = re.compile(
    r"(?<=\d)[OQО](?![A-Z])|(?<![^\W\d_])[OQО](?=\d)|(?<=\d)[I|L](?![A-Z])|(?<![^\W\d_])[I|L](?=\d)"
)
_MONTH_BEFORE_DAY = frozenset({"USA", "PHL", "FSM", "MHL", "PLW"})  # issuers that print 12/31/1999


@dataclass(frozen=True)
class PrintedDate:
    """One date on a page: `year` is modulo 100, as the zone has it; `day` 0 where XX is printed."""

    year: int
    month: int
    day: int


def printed_dates(text: str, issuer: str = "") -> frozenset[PrintedDate]:
    """Every date that `text` may be read as. More than one where the print is ambiguous."""
    upper = _DIGITS_AS_LETTERS.sub(lambda found: "0" if found[0] in "OQО" else "1", _plain(text))
    return frozenset(date for date in _read(upper, issuer) if 0 <= date.day <= 31 and 1 <= date.month <= 12)


def _read(text: str, issuer: str) -> Iterator[PrintedDate]:
    for first, second, third in (*_NUMERIC.findall(text), *_HALF_CLOSE.findall(text)):
        if len(first) == 4 and len(third) == 2:
            yield _date(first, second, third)
        elif len(first) <= 2:
            yield _date(third, second, first)
            if issuer in _MONTH_BEFORE_DAY:
                yield _date(third, first, second)
    for eight in _CLOSE.findall(text):
        yield _date(eight[4:], eight[2:4], eight[:2])
        yield _date(eight[:4], eight[4:6], eight[6:])
    for day, names, year in _DAY_FIRST.findall(text):
        for month in _months(names):
            yield _date(year, str(month), day if day.isdigit() else "0")
    for name, day, year in _MONTH_FIRST.findall(text):
        for month in _months(name):
            yield _date(year, str(month), day)
    for year, name, day in _YEAR_FIRST.findall(text):
        for month in _months(name):
            yield _date(year, str(month), day)


def _date(year: str, month: str, day: str) -> PrintedDate:
    return PrintedDate(int(year) % 100, int(month), int(day))


def _months(names: str) -> frozenset[int]:
    """The months that a name may be, or the same month's names in two languages (AUG/AOUT)."""
    found: frozenset[int] | None = None
    for word in re.findall(r"[^\W\d_]{3,}", names):
        if months := _month(word):
            found = months if found is None or not found & months else found & months
    return found or frozenset()


@lru_cache(maxsize=512)
def _month(word: str) -> frozenset[int]:
    for length in range(len(word), 2, -1):  # the longest beginning that is known: MARRAS is not MAR
        if word[:length] in _BY_BEGINNING:
            return _BY_BEGINNING[word[:length]]
    return frozenset()


def _plain(text: str) -> str:
    """Upper case, Latin letters without their marks; others as they are (Й is not И)."""
    return "".join(
        unicodedata.normalize("NFD", character)[0] if "À" <= character < "Ͱ" else character
        for character in unicodedata.normalize("NFC", text).upper()
    )
