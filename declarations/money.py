"""Exchange rates of one day, exact: a missing or stale rate is said, never guessed.

Rates are official figures, in units of `base` per one unit of a currency or the other way round. Amounts are
compared by multiplication, so that no quotient is ever rounded before it meets a threshold.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable
from decimal import Context, Decimal
from functools import cache
from math import lcm
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, model_validator

from contracts import canonical
from contracts.base import Contract, CurrencyCode, ShortText

DEMONSTRATION = "demonstration"

# Amounts have 15 digits at most, rates 18 and common multiples of rates 80: sums of hundreds of lines stay exact.
EXACT = Context(prec=120)
_LARGEST_MULTIPLE = 10**80
_ONE = Decimal(1)

Rate = Annotated[Decimal, Field(gt=0, max_digits=18, decimal_places=12, allow_inf_nan=False)]


class Rates(Contract):
    """The official rates of one day. They hold from `date` to `valid_through`, both included."""

    base: CurrencyCode
    date: datetime.date
    valid_through: datetime.date | None = None  # None: `date` only
    source: ShortText
    quote: Literal["base_per_unit", "units_per_base"] = "base_per_unit"
    rates: dict[CurrencyCode, Rate] = Field(
        description="as `quote` says, each official figure as it was published"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Rates:
        if self.rates.get(self.base, Decimal(1)) != 1:
            raise ValueError(f"rates: {self.base} is the base and its rate is 1")
        if self.valid_through is not None and self.valid_through < self.date:
            raise ValueError("valid_through lies before date")
        return self

    @property
    def demonstration(self) -> bool:
        """True for figures made for demonstrations; the production profile refuses them (rule 10)."""
        return self.source == DEMONSTRATION

    @property
    def content_hash(self) -> str:
        """SHA-256 of the canonical JSON."""
        return canonical.content_hash(self)

    def in_force(self, on: datetime.date) -> bool:
        return self.date <= on <= (self.valid_through or self.date)

    def rate(self, currency: str, on: datetime.date) -> Decimal | None:
        """The official figure of a currency on that day, or None: no rate, or not of that day."""
        if not self.in_force(on):
            return None
        return _ONE if currency == self.base else self.rates.get(currency)

    def weights(self, currencies: Iterable[str], on: datetime.date) -> dict[str, Decimal]:
        """What one unit of each currency is worth on that day, all in one and the same measure, exactly.

        A currency without a rate is left out, and all are where no common measure of reasonable size is found.
        """
        if not self.in_force(on):
            return {}
        known, base = self.rates, self.base
        quoted = {
            code: _ONE if code == base else known[code] for code in currencies if code == base or code in known
        }
        if self.quote == "base_per_unit":
            return quoted
        whole = {code: int(rate * 10**12) for code, rate in quoted.items()}
        multiple = lcm(*whole.values())
        if multiple > _LARGEST_MULTIPLE:
            return {}
        return {code: Decimal(multiple // units) for code, units in whole.items()}

    def words(self, currencies: Iterable[str], on: datetime.date) -> str:
        """The rates that a conversion used, with their date and source: `1 EUR = 3.445 BYN (2026-11-21, bank)`."""
        quoted = []
        for code in currencies:
            rate = self.rate(code, on)
            if rate is not None and code != self.base:
                pair = (code, self.base) if self.quote == "base_per_unit" else (self.base, code)
                quoted.append(f"1 {pair[0]} = {f'{rate:f}'} {pair[1]}")
        return f"{', '.join(quoted)} ({self.date}, {self.source})"


class Conversion(NamedTuple):
    """What a sum was converted by. Its text names the rates, with their date and source."""

    rates: Rates
    currencies: tuple[str, ...]
    on: datetime.date

    def __str__(self) -> str:
        return self.rates.words(self.currencies, self.on)


@cache
def currencies() -> frozenset[str]:
    """The ISO 4217 codes of money that is legal tender somewhere today (CLDR)."""
    from babel.core import get_global

    territories = get_global("territory_currencies").values()
    return frozenset(code for held in territories for code, _, end, tender in held if tender and end is None)


def known_currency(code: str) -> bool:
    """Whether a code of ISO 4217 is money in circulation."""
    return code in currencies()


def load_rates(path: Path) -> Rates:
    """Read a rates file. Raises ValueError with the place and the reason for a malformed one."""
    try:
        return Rates.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from error


def demonstration_rates() -> Rates:
    """The rates that ship for demonstrations: plausible figures, marked as such, official nowhere."""
    return load_rates(Path(__file__).parent / "packs" / "rates-demo.json")
