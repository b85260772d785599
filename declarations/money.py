"""Exchange rates of one day, exact: a missing or stale rate is said, never guessed.

Rates are official figures in units of `base` per one unit of a currency. Comparisons are made in the base
currency by multiplication, so that no quotient is ever rounded before it meets a threshold.
"""

from __future__ import annotations

import datetime
import json
from decimal import Context, Decimal
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from contracts import canonical
from contracts.base import Contract, CurrencyCode, ShortText

DEMONSTRATION = "demonstration"

# Amounts have 15 digits at most and rates 18: products and sums of hundreds of lines stay exact in 60.
EXACT = Context(prec=60)

Rate = Annotated[Decimal, Field(gt=0, max_digits=18, decimal_places=12, allow_inf_nan=False)]


class Rates(Contract):
    """The official rates of one day. They hold from `date` to `valid_through`, both included."""

    base: CurrencyCode
    date: datetime.date
    valid_through: datetime.date | None = None  # None: `date` only
    source: ShortText
    rates: dict[CurrencyCode, Rate] = Field(description="units of base per one unit of the currency")

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
        """Units of base per one unit of `currency` on that day, or None: no rate, or not of that day."""
        if not self.in_force(on):
            return None
        return Decimal(1) if currency == self.base else self.rates.get(currency)


def load_rates(path: Path) -> Rates:
    """Read a rates file. Raises ValueError with the place and the reason for a malformed one."""
    try:
        return Rates.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from error


def demonstration_rates() -> Rates:
    """The rates that ship for demonstrations: plausible figures, marked as such, official nowhere."""
    return load_rates(Path(__file__).parent / "packs" / "rates-demo.json")
