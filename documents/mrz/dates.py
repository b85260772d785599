"""Dates as the zone prints them: two digits of a year, parts that may be unknown, a century by rule."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

LONGEST_LIFE_YEARS = 50  # two digits of a year: at most fifty ahead, else the past

Century = Literal["latest_not_in_future", "nearest_within_fifty_years", "unknown_year", "impossible"]


@dataclass(frozen=True, repr=False)
class MrzDate:
    """A date with its unknown parts (9303-3 §4.8). `century` names the rule that settled the year's first digits.

    A part is None where `<<` is printed, and so are all parts of a date that is in no calendar ("impossible").
    """

    printed: str  # YYMMDD, "<" where unknown
    year: int | None = None  # four digits
    month: int | None = None
    day: int | None = None
    century: Century = "unknown_year"

    def __repr__(self) -> str:
        return f"MrzDate(…, {self.century})"

    @property
    def date(self) -> date | None:
        """The whole date, or None where a part is unknown."""
        if self.year is None or self.month is None or self.day is None:
            return None
        return date(self.year, self.month, self.day)

    @property
    def possible(self) -> bool:
        return self.century != "impossible"


def birth_date(printed: str, today: date) -> MrzDate:
    """A birth lies in the past: the latest century in which it does. `printed` has six characters 0-9 or <."""
    return _settled(printed, today, expiring=False)


def expiry_date(printed: str, today: date) -> MrzDate:
    """An expiry may lie ahead, but no document is valid for more than fifty years: the century that is nearest."""
    return _settled(printed, today, expiring=True)


def _settled(printed: str, today: date, *, expiring: bool) -> MrzDate:
    impossible = MrzDate(printed, century="impossible")
    if not re.fullmatch(r"([0-9]{2}|<<){3}", printed):
        return impossible
    year, month, day = (None if part == "<<" else int(part) for part in (printed[:2], printed[2:4], printed[4:]))
    if not _in_calendar(None, month, day):
        return impossible
    if year is None:
        return MrzDate(printed, None, month, day)
    this_century = today.year // 100 * 100
    centuries = (
        (this_century, this_century + 100, this_century - 100) if expiring else (this_century, this_century - 100)
    )
    for century in centuries:
        full = century + year
        if not _in_calendar(full, month, day):
            continue
        if expiring:
            if LONGEST_LIFE_YEARS - 100 < full - today.year <= LONGEST_LIFE_YEARS:
                return MrzDate(printed, full, month, day, "nearest_within_fifty_years")
        elif (full, month or 1, day or 1) <= (today.year, today.month, today.day):
            return MrzDate(printed, full, month, day, "latest_not_in_future")
    return impossible


def _in_calendar(year: int | None, month: int | None, day: int | None) -> bool:
    """Whether the known parts fit together; an unknown year may be a leap year, an unknown month a long one."""
    try:
        date(2000 if year is None else year, 1 if month is None else month, 1 if day is None else day)
    except ValueError:
        return False
    return True
