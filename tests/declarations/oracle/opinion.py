"""What a second author says of one traveller, and the exact arithmetic that every country's reading shares.

Plain fractions; nothing here comes from the package under test.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from contracts.declaration import GoodsItem, Unit

NOTHING = Fraction(0)
WHOLE = Fraction(1)  # of an allowance that several kinds share

WITHIN, OVER, UNKNOWN, PROHIBITED = "within", "over", "unknown", "prohibited"


class Call(NamedTuple):
    """One reason to call a person: the row, the code, how the figure stands, the form's category, papers owed."""

    row: str | None
    code: str
    relation: str
    category: str | None = None
    papers: bool = False


class Sum(NamedTuple):
    """What is known of a total, and whether all of it is known."""

    known: Fraction
    exact: bool

    @property
    def empty(self) -> bool:
        return self.exact and not self.known


@dataclass(frozen=True)
class Figure:
    """A total against its norm. `duty` is None where no amount can be named; `norm` None where there is none."""

    relation: str
    total: Sum
    norm: Fraction | None = None
    duty: Fraction | None = NOTHING


@dataclass
class Opinion:
    """The whole answer for one person."""

    calls: list[Call] = field(default_factory=list)
    figures: dict[str, Figure] = field(default_factory=dict)
    duty: Fraction = NOTHING
    larger_of: Fraction = NOTHING  # the part of the duty that value and weight share
    taxed: dict[str, Fraction] = field(default_factory=dict)  # how much of a figure an excess makes dutiable
    taxed_at_most: dict[str, Fraction] = field(default_factory=dict)  # where amounts are rounded to choose
    complete: bool = True

    def state(self, subject: str, figure: Figure) -> None:
        """Enter a figure: what it costs is owed, and what is unknown or forbidden leaves the estimate open."""
        self.figures[subject] = figure
        self.duty += figure.duty or 0
        if figure.duty is None or not figure.total.exact or figure.relation in (UNKNOWN, PROHIBITED):
            self.complete = False


def exactly(number: Decimal) -> Fraction:
    return Fraction(*number.as_integer_ratio())


def cents(amount: Fraction) -> Fraction:
    """To the cent, half a cent upwards, as duties are rounded."""
    return Fraction((amount * 200 + 1) // 2, 100)


def total(parts: Iterable[Fraction | None]) -> Sum:
    known, exact = NOTHING, True
    for part in parts:
        if part is None:
            exact = False
        elif part:
            known += part
    return Sum(known, exact)


def quotes_of(
    base: str, rates: Mapping[str, Decimal], first_day: date, last_day: date | None, on: date
) -> dict[str, Fraction]:
    """Units of the base per unit of each currency; empty when the list is not that day's."""
    if not first_day <= on <= (last_day or first_day):
        return {}
    return {**{currency: exactly(rate) for currency, rate in rates.items()}, base: Fraction(1)}


def worth(amount: Decimal, currency: str, into: str, quotes: Mapping[str, Fraction]) -> Fraction | None:
    """An amount in another currency, or None without both rates. Nothing is nothing in any currency."""
    if currency == into or not amount:
        return exactly(amount)
    source, target = quotes.get(currency), quotes.get(into)
    if source is None or target is None:
        return None
    return exactly(amount) * source / target


def measured(item: GoodsItem, unit: Unit) -> Fraction | None:
    return None if item.quantity is None or item.unit is not unit else exactly(item.quantity)


def loose(item: GoodsItem) -> Fraction | None:
    """Kilograms of a quantity that is stated by mass."""
    if item.quantity is None or item.unit not in (Unit.KILOGRAM, Unit.GRAM):
        return None
    return exactly(item.quantity) / (1 if item.unit is Unit.KILOGRAM else 1000)


def net(item: GoodsItem) -> Fraction | None:
    """Kilograms without packaging, where they are stated; the stated weight where they are not."""
    quantity = loose(item)
    return exactly(item.weight_kg) if quantity is None and item.weight_kg is not None else quantity


def kilograms(item: GoodsItem) -> Fraction | None:
    """The weight of a line: the stated weight, or a quantity in kilograms or grams; the larger when both are."""
    quantity = loose(item)
    if item.weight_kg is None:
        return quantity
    weight = exactly(item.weight_kg)
    return weight if quantity is None else max(weight, quantity)
