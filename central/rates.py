"""Exchange rates by day: every import is kept, and of a day's imports the newest counts.

Nothing is carried over in silence: when the newest rates are not of the day that is asked for, they are given as
they are, the evaluator finds no rate for the day, and what depends on it is referred.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from central.storage import Storage
from central.storage.models import StoredRates
from declarations.money import Rates

# Rates that nobody has imported yet: of no day, without any figure.
NONE_YET = Rates(base="XXX", date=date(1970, 1, 1), source="none", rates={})


@dataclass(frozen=True)
class RatesVersion:
    """One import, without its figures."""

    number: int
    date: date
    source: str
    sha256: str
    origin: str
    imported_by: str
    imported_at: datetime


class RatesBook:
    """The imported rates of a site. Threads may share it."""

    def __init__(self, storage: Storage, site_id: str) -> None:
        self._storage = storage
        self._site = site_id
        self._newest: tuple[int, Rates] | None = None
        self._lock = threading.Lock()

    def on(self, day: date) -> Rates:
        """The newest import of the newest day up to `day`; `Rates.in_force(day)` tells whether it still holds."""
        with self._storage.read() as session:
            number = session.scalar(
                select(StoredRates.version)
                .where(StoredRates.site_id == self._site, StoredRates.date <= day.isoformat())
                .order_by(StoredRates.date.desc(), StoredRates.version.desc())
                .limit(1)
            )
        return NONE_YET if number is None else self.version(number)

    def version(self, number: int) -> Rates:
        """The rates of one import. Raises LookupError."""
        with self._lock:
            if self._newest is not None and self._newest[0] == number:
                return self._newest[1]
        with self._storage.read() as session:
            row = session.get(StoredRates, (self._site, number))
        if row is None:
            raise LookupError(number)
        rates = Rates.model_validate_json(row.content)
        with self._lock:
            self._newest = number, rates
        return rates

    def latest(self, days: int = 3) -> tuple[Rates, ...]:
        """The rates of the newest days that there are, the oldest first: what kiosks get."""
        numbers: dict[str, int] = {}
        for version in self.history(limit=50):
            numbers.setdefault(version.date.isoformat(), version.number)
        return tuple(self.version(number) for _, number in sorted(numbers.items())[-days:])

    def history(self, limit: int = 30) -> tuple[RatesVersion, ...]:
        """The imports, by day and then by number, newest first."""
        with self._storage.read() as session:
            rows = session.scalars(
                select(StoredRates)
                .where(StoredRates.site_id == self._site)
                .order_by(StoredRates.date.desc(), StoredRates.version.desc())
                .limit(limit)
            ).all()
        return tuple(
            RatesVersion(
                row.version,
                date.fromisoformat(row.date),
                row.source,
                row.sha256,
                row.origin,
                row.imported_by,
                row.imported_at,
            )
            for row in rows
        )
