"""Sums of a declaration, as far as they are known: litres, kilograms, pieces, mixtures, money.

Sums are exact; what is not stated, or cannot be converted, leaves a sum incomplete and never makes it smaller.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, Decimal

from contracts.declaration import Declaration, GoodsItem, GoodsKind, Manner, Unit
from declarations.money import Rates
from declarations.packs import Measure, Rule, natural_unit, plain

CENT = Decimal("0.01")
ZERO = Decimal(0)
GRAMS_PER_KILOGRAM = Decimal(1000)


@dataclass(frozen=True, slots=True)
class Figure:
    """A sum as far as it is known: `scaled / scale` units. Scaling keeps comparisons free of division."""

    scaled: Decimal = ZERO
    scale: Decimal = Decimal(1)
    complete: bool = True
    present: bool = False  # something of the kind is on the declaration
    positive: bool = False  # and it is certainly more than nothing
    counted: bool = True
    unit: str = ""
    exchange: str = ""
    grams_per_unit: Decimal = Decimal(1)  # a mixture of one kind is shown in that kind's own unit

    @property
    def shown(self) -> Decimal:
        """The figure for people. A converted sum is rounded up to the cent: over never looks like equal."""
        if not self.exchange:
            return self.scaled / self.grams_per_unit
        return (self.scaled / self.scale).quantize(CENT, ROUND_CEILING)


def measure(rule: Rule, declaration: Declaration, rates: Rates | None, on: date) -> Figure:
    """The figure that a rule judges. Call it within `money.EXACT`."""
    match rule.measure:
        case Measure.UNACCOMPANIED:
            apart = declaration.unaccompanied_baggage is True or any(
                item.manner is not Manner.ACCOMPANIED for item in declaration.items
            )
            answered = declaration.unaccompanied_baggage is not None
            return Figure(complete=answered or apart, present=apart, positive=apart, counted=False)
        case Measure.MONEY:
            sums = [(money.amount, money.currency) for money in declaration.money if money.kind in rule.money]
            return _money(rule, sums, 0, rates, on)
        case Measure.VALUE:
            items = [item for item in declaration.items if item.kind in rule.kinds or item.kind in rule.also]
            sums = [(item.value, item.currency) for item in items if item.value is not None and item.currency]
            unstated = sum(item.value is None and item.kind in rule.kinds for item in items)
            return _money(rule, sums, unstated, rates, on)
        case Measure.PRESENCE:
            there = any(item.kind in rule.kinds for item in declaration.items)
            return Figure(present=there, positive=there, counted=False)
        case _:
            return _physical(rule, declaration.items)


def _money(rule: Rule, sums: list[tuple[Decimal, str]], unstated: int, rates: Rates | None, on: date) -> Figure:
    """Add money up in the rule's currency, or in the rates' base when currencies differ."""
    target = str(rule.currency)
    foreign = sorted({currency for amount, currency in sums if amount and currency != target})
    known = {currency: rates.rate(currency, on) if rates else None for currency in (target, *foreign)}
    scale = known[target] if foreign else None
    scaled = ZERO
    missing = unstated
    for amount, currency in sums:
        if currency == target:
            scaled += amount * (scale or 1)
        elif amount:
            rate = known[currency] if scale else None
            if rate is None:
                missing += 1
            else:
                scaled += amount * rate
    exchange = ""
    if scale and rates:
        quoted = [
            f"1 {code} = {plain(rate)} {rates.base}" for code, rate in known.items() if rate and code != rates.base
        ]
        exchange = f"{', '.join(quoted)} ({rates.date}, {rates.source})"
    return Figure(
        scaled=scaled,
        scale=scale or Decimal(1),
        complete=not missing,
        present=bool(sums) or bool(unstated),
        positive=bool(unstated) or any(amount for amount, _ in sums),
        unit=target,
        exchange=exchange,
    )


def _physical(rule: Rule, items: tuple[GoodsItem, ...]) -> Figure:
    """Add up litres, kilograms, pieces or, in a mixture, grams."""
    total = ZERO
    complete, present, positive = True, False, False
    kinds: set[GoodsKind] = set()
    for item in items:
        if item.kind not in rule.kinds and item.kind not in rule.also:
            continue
        if rule.measure is Measure.SINGLE_MASS and (item.unit is not Unit.PIECE or item.quantity != 1):
            continue
        amount = _amount(rule, item)
        if amount is None and (item.kind in rule.also or rule.measure is Measure.SINGLE_MASS):
            continue
        present = True
        kinds.add(item.kind)
        complete &= amount is not None
        positive |= amount is None or amount > 0
        if amount is not None:
            total = max(total, amount) if rule.measure is Measure.SINGLE_MASS else total + amount
    unit, grams = rule.unit, Decimal(1)
    if rule.measure is Measure.MIXTURE and len(kinds) <= 1:
        kind = next(iter(kinds), rule.kinds[0])
        unit, grams = natural_unit(kind, rule), rule.equivalents[kind]
    return Figure(
        scaled=total,
        complete=complete,
        present=present,
        positive=positive,
        unit=unit.value if unit else "",
        grams_per_unit=grams,
    )


def _amount(rule: Rule, item: GoodsItem) -> Decimal | None:
    """One item in the rule's unit, or None when the declaration does not say."""
    match rule.measure:
        case Measure.MASS | Measure.SINGLE_MASS:
            # Weight and quantity may both be stated: the larger counts.
            stated = [mass for mass in (item.weight_kg, _kilograms(item)) if mass is not None]
            return max(stated, default=None)
        case Measure.MIXTURE:
            unit = natural_unit(item.kind, rule)
            quantity = _in_unit(item, unit)
            return None if quantity is None else quantity * rule.equivalents[item.kind]
        case _:
            return _in_unit(item, rule.unit)


def _kilograms(item: GoodsItem) -> Decimal | None:
    grams = _in_unit(item, Unit.GRAM)
    return None if grams is None else grams / GRAMS_PER_KILOGRAM


def _in_unit(item: GoodsItem, unit: Unit | None) -> Decimal | None:
    """The stated quantity in `unit`; grams and kilograms convert, nothing else does."""
    if item.quantity is None or item.unit is None:
        return None
    if item.unit is unit:
        return item.quantity
    match item.unit, unit:
        case Unit.KILOGRAM, Unit.GRAM:
            return item.quantity * GRAMS_PER_KILOGRAM
        case Unit.GRAM, Unit.KILOGRAM:
            return item.quantity / GRAMS_PER_KILOGRAM
        case _:
            return None
