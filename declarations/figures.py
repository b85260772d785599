"""Sums of a declaration, as far as they are known: litres, kilograms, pieces, mixtures, shares, money.

Sums are exact; what is not stated, or cannot be converted, leaves a sum incomplete and never makes it smaller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_CEILING, Decimal
from math import lcm
from typing import NamedTuple

from contracts.declaration import Declaration, GoodsItem, GoodsKind, Manner, MoneyKind, Unit
from declarations.money import Rates
from declarations.packs import Measure, Rule, natural_unit
from declarations.person import Goods

CENT = Decimal("0.01")
ZERO = Decimal(0)
ONE = Decimal(1)
THOUSAND = Decimal(1000)
HUNDRED = Decimal(100)


# Bound once: every look into an enumeration costs more than the sum that it is for.
_KILOGRAM, _GRAM, _PIECE = Unit.KILOGRAM, Unit.GRAM, Unit.PIECE
_ACCOMPANIED, _DELIVERED = Manner.ACCOMPANIED, Manner.DELIVERED


class Terms(NamedTuple):
    """How people read a figure: in `unit`, which is `times / per` of the unit of the norm."""

    unit: str = ""
    times: Decimal = ONE
    per: Decimal = ONE
    rounded: bool = False  # to the cent, as quotients have no end
    counted: bool = True


_UNCOUNTED = Terms(counted=False)


class Figure(NamedTuple):
    """A sum as far as it is known: `scaled / scale` in the unit of the norm.

    Scaling spares comparisons a division. People read it in other terms: a mixture of one kind is shown in that
    kind's own unit.
    """

    scaled: Decimal = ZERO
    scale: Decimal = ONE
    complete: bool = True
    present: bool = False  # something of the kind is on the declaration
    positive: bool = False  # and it is certainly more than nothing
    vague: bool = False  # something counts with what is stated, and nothing is stated of it anywhere
    terms: Terms = Terms()
    weights: Mapping[str, Decimal] | None = None  # of money: what a unit of each currency is worth, scaled as here

    @property
    def unit(self) -> str:
        return self.terms.unit

    @property
    def shown(self) -> Decimal:
        """The figure for people. A quotient is rounded up to the cent: over never looks like equal."""
        return self.in_words_of(self.scaled)

    def in_words_of(self, scaled: Decimal) -> Decimal:
        """A part of the figure, scaled as it is, for people."""
        _, times, per, rounded, _ = self.terms
        if not rounded and self.scale == times == per == ONE:
            return scaled
        shown = scaled * times / (self.scale * per)
        return shown.quantize(CENT, ROUND_CEILING) if rounded else shown

    def norm(self, amount: Decimal) -> Decimal:
        """A norm of the figure, for people."""
        _, times, per, _, _ = self.terms
        return amount if times == per else amount * times / per


_ABSENT = Figure()


@dataclass(slots=True)
class Heap:
    """Everything of one kind, added up in each way in which it may be counted."""

    items: Sequence[GoodsItem] = ()
    worth: dict[str, Decimal] = field(default_factory=dict)  # by currency
    unpriced: int = 0
    mass: Decimal = ZERO  # kg, with packing where both are stated
    net: Decimal = ZERO  # kg, without
    unweighed: int = 0
    quantity: dict[Unit, Decimal] = field(default_factory=dict)
    quantities: dict[Unit, int] = field(default_factory=dict)  # how many items state one
    pieces: list[tuple[Decimal, Decimal]] = field(default_factory=list)  # a line's, and what they weigh together

    @staticmethod
    def of(items: Sequence[GoodsItem]) -> Heap:
        worth: dict[str, Decimal] = {}
        quantities: dict[Unit, Decimal] = {}
        stated: dict[Unit, int] = {}
        pieces: list[tuple[Decimal, Decimal]] = []
        unpriced, unweighed, total, contents = 0, 0, ZERO, ZERO
        for item in items:
            value, currency = item.value, item.currency
            if value is None or currency is None:
                unpriced += 1
            else:
                worth[currency] = worth.get(currency, ZERO) + value
            mass = net = item.weight_kg
            unit, quantity = item.unit, item.quantity
            if unit is not None and quantity is not None:
                quantities[unit] = quantities.get(unit, ZERO) + quantity
                stated[unit] = stated.get(unit, 0) + 1
                if unit is _KILOGRAM or unit is _GRAM:
                    # Weight and quantity may both be stated: the larger counts, unless only the contents do.
                    net = quantity if unit is _KILOGRAM else quantity / THOUSAND
                    mass = net if mass is None else max(mass, net)
                elif unit is _PIECE and quantity and mass is not None:
                    pieces.append((quantity, mass))
            if mass is None or net is None:
                unweighed += 1
            else:
                total += mass
                contents += net
        return Heap(items, worth, unpriced, total, contents, unweighed, quantities, stated, pieces)

    def in_unit(self, unit: Unit | None) -> tuple[Decimal, int]:
        """The stated quantity, and how many items state none; grams and kilograms convert, nothing else does."""
        total, stated = ZERO, 0
        for own, quantity in self.quantity.items():
            if own is unit:
                total += quantity
            elif own is _KILOGRAM and unit is _GRAM:
                total += quantity * THOUSAND
            elif own is _GRAM and unit is _KILOGRAM:
                total += quantity / THOUSAND
            else:
                continue
            stated += self.quantities[own]
        return total, len(self.items) - stated


class Sheet(NamedTuple):
    """What one person carries, sorted and added up once for all rules."""

    heaps: Mapping[GoodsKind, Heap]
    money: Mapping[MoneyKind, Mapping[str, Decimal]]  # by currency
    apart: bool | None  # baggage that travels apart; None: not answered
    delivered: bool = False  # some of it crosses without the person
    misplaced: bool = False  # some of it is said to be another's, and is not

    @staticmethod
    def of(goods: Goods, declarations: Iterable[Declaration]) -> Sheet:
        """`goods` are to be judged; money and the answer on baggage are those of the own declarations."""
        kinds: dict[GoodsKind, list[GoodsItem]] = {}
        money: dict[MoneyKind, dict[str, Decimal]] = {}
        apart: bool | None = False
        delivered = False
        for item in goods.items:
            alike = kinds.get(item.kind)
            if alike is None:
                kinds[item.kind] = [item]
            else:
                alike.append(item)
            if item.manner is not _ACCOMPANIED:
                apart = True
                delivered = delivered or item.manner is _DELIVERED
        for declaration in declarations:
            if not apart and declaration.unaccompanied_baggage is not False:
                apart = declaration.unaccompanied_baggage
            for stated in declaration.money:
                sums = money.setdefault(stated.kind, {})
                sums[stated.currency] = sums.get(stated.currency, ZERO) + stated.amount
        heaps = {kind: Heap.of(items) for kind, items in kinds.items()}
        return Sheet(heaps, money, apart, delivered, goods.misplaced)


@dataclass(frozen=True, slots=True)
class Meter:
    """Measures one figure, as the rules of one subject tell it."""

    measure: Measure
    read: Callable[[Meter, Sheet, Rates | None, date], Figure]
    kinds: frozenset[GoodsKind]  # what counts and must be known
    counted: frozenset[GoodsKind]  # and what counts with what is stated
    vague: frozenset[GoodsKind]  # and of that, what no other subject counts either
    only_with: frozenset[GoodsKind]  # nothing is measured where none of these is stated; empty: always
    money: tuple[MoneyKind, ...]
    unit: Unit | None
    currency: str
    terms: Terms
    converted: Terms  # of what is added up over several currencies or kinds
    # Mixtures and shares: the unit people count a kind in, what one such unit weighs, and how it is read alone.
    units: Mapping[GoodsKind, Unit]
    weights: Mapping[GoodsKind, Decimal]
    alone: Mapping[GoodsKind, Terms]
    scale: Decimal

    @staticmethod
    def of(rule: Rule, elsewhere: frozenset[GoodsKind] = frozenset()) -> Meter:
        """`elsewhere` are the kinds that another subject counts, so that nobody need state them here."""
        measure = rule.measure or Measure.PRESENCE
        units = {kind: natural_unit(kind, rule) for kind in rule.kinds} if measure in _MIXED else {}
        weights: dict[GoodsKind, Decimal] = {}
        alone: dict[GoodsKind, Terms] = {}
        scale = ONE
        terms = converted = Terms(rule.currency or (rule.unit.value if rule.unit is not None else ""))
        if measure is Measure.MIXTURE:
            weights = rule.equivalents
            alone = {kind: Terms(units[kind].value, ONE, grams) for kind, grams in weights.items()}
        elif measure is Measure.SHARE:
            # Per cent of several norms add up exactly over their least common multiple.
            whole = {kind: int(norm * THOUSAND) for kind, norm in rule.norms.items()}
            multiple = lcm(*whole.values())
            weights = {kind: Decimal(multiple // norm) * THOUSAND * HUNDRED for kind, norm in whole.items()}
            alone = {kind: Terms(units[kind].value, norm, HUNDRED) for kind, norm in rule.norms.items()}
            scale = Decimal(multiple)
            converted = Terms("%", rounded=True)
        elif measure in _CONVERTED:
            converted = terms._replace(rounded=True)
        kinds = frozenset(rule.kinds)
        counted = kinds.union(rule.also)
        return Meter(
            measure=measure,
            read=_READINGS[measure],
            kinds=kinds,
            counted=counted,
            vague=counted - kinds - elsewhere,
            only_with=frozenset(rule.only_with),
            money=rule.money,
            unit=rule.unit,
            currency=rule.currency or "",
            terms=alone[rule.kinds[0]] if alone else terms,
            converted=converted,
            units=units,
            weights=weights,
            alone=alone,
            scale=scale,
        )

    def reading(self, sheet: Sheet, rates: Rates | None, on: date) -> Figure:
        """The figure of a sheet. Call it within `money.EXACT`."""
        if self.only_with and self.only_with.isdisjoint(sheet.heaps):
            return _ABSENT
        return self.read(self, sheet, rates, on)

    def items(self, sheet: Sheet) -> Iterable[GoodsItem]:
        """The items that count, one by one."""
        for _, heap in self._heaps(sheet):
            yield from heap.items

    def _heaps(self, sheet: Sheet) -> list[tuple[GoodsKind, Heap]]:
        counted = self.counted
        return [found for found in sheet.heaps.items() if found[0] in counted]

    def _unaccompanied(self, sheet: Sheet, rates: Rates | None, on: date) -> Figure:
        apart = sheet.apart is True
        return Figure(ZERO, ONE, sheet.apart is not None, apart, apart, terms=_UNCOUNTED)

    def _presence(self, sheet: Sheet, rates: Rates | None, on: date) -> Figure:
        there = not self.kinds.isdisjoint(sheet.heaps)
        return Figure(ZERO, ONE, True, there, there, terms=_UNCOUNTED)

    def _money(self, sheet: Sheet, rates: Rates | None, on: date) -> Figure:
        return self._sum(_added(sheet.money[kind] for kind in self.money if kind in sheet.money), rates, on)

    def _value(self, sheet: Sheet, rates: Rates | None, on: date) -> Figure:
        heaps = self._heaps(sheet)
        totals = _added([heap.worth for _, heap in heaps])
        return self._sum(totals, rates, on, *self._unpriced(heaps))

    def _dearest(self, sheet: Sheet, rates: Rates | None, on: date) -> Figure:
        """The dearest line: lines in the target's own currency need no rate."""
        heaps, dearest = self._heaps(sheet), dict[str, Decimal]()
        for _, heap in heaps:
            for item in heap.items:
                if item.value is not None and item.currency is not None:
                    dearest[item.currency] = max(dearest.get(item.currency, ZERO), item.value)
        return self._sum(dearest, rates, on, *self._unpriced(heaps), dearest=True)

    def _unpriced(self, heaps: Iterable[tuple[GoodsKind, Heap]]) -> tuple[bool, bool]:
        """Whether something without a value must be known, and whether it leaves the figure vague."""
        without = [kind for kind, heap in heaps if heap.unpriced]
        return not self.kinds.isdisjoint(without), not self.vague.isdisjoint(without)

    def _sum(
        self,
        totals: Mapping[str, Decimal],
        rates: Rates | None,
        on: date,
        unpriced: bool = False,
        vague: bool = False,
        *,
        dearest: bool = False,
    ) -> Figure:
        """Money in the rule's currency, or in the measure of the rates when currencies differ."""
        target = self.currency
        foreign = [currency for currency, amount in totals.items() if amount and currency != target]
        weights = rates.weights((target, *sorted(foreign)), on) if foreign and rates is not None else {}
        scale, terms = weights.get(target), self.converted
        if scale is None:
            weights, scale, terms = {target: ONE}, ONE, self.terms
        known = [amount * weights[currency] for currency, amount in totals.items() if currency in weights]
        return Figure(
            max(known, default=ZERO) if dearest else sum(known, ZERO),
            scale,
            not unpriced and weights.keys() >= set(foreign),
            unpriced or bool(totals),
            unpriced or any(totals.values()),
            vague,
            terms,
            weights,
        )

    def _mass(self, sheet: Sheet, rates: Rates | None, on: date) -> Figure:
        total, missing, present, vague = ZERO, 0, False, False
        gross = self.measure is Measure.MASS
        for kind, heap in self._heaps(sheet):
            total += heap.mass if gross else heap.net
            owing = kind in self.kinds
            missing += heap.unweighed if owing else 0
            present = present or owing or heap.unweighed < len(heap.items)
            vague = vague or (heap.unweighed > 0 and kind in self.vague)
        return Figure(total, ONE, not missing, present, bool(missing) or total > 0, vague, self.terms)

    def _heaviest(self, sheet: Sheet, rates: Rates | None, on: date) -> Figure:
        """What the heaviest single piece weighs at least, of the lines that state pieces and weight."""
        heaviest, several, present = ZERO, False, False
        for _, heap in self._heaps(sheet):
            for pieces, weight in heap.pieces:
                if pieces == pieces.to_integral_value():
                    present = True
                    heaviest = max(heaviest, weight / pieces)
                    several = several or pieces != 1
        terms = self.terms._replace(rounded=True) if several else self.terms
        return Figure(heaviest, ONE, True, present, heaviest > 0, terms=terms)

    def _quantity(self, sheet: Sheet, rates: Rates | None, on: date) -> Figure:
        total, missing, present, vague = ZERO, 0, False, False
        for kind, heap in self._heaps(sheet):
            quantity, unstated = heap.in_unit(self.unit)
            total += quantity
            owing = kind in self.kinds
            missing += unstated if owing else 0
            present = present or owing or unstated < len(heap.items)
            vague = vague or (unstated > 0 and kind in self.vague)
        return Figure(total, ONE, not missing, present, bool(missing) or total > 0, vague, self.terms)

    def _mixed(self, sheet: Sheet, rates: Rates | None, on: date) -> Figure:
        """Grams of a mixture, or per cent of shares; one kind alone is shown in its own unit."""
        heaps = self._heaps(sheet)
        total, missing = ZERO, 0
        for kind, heap in heaps:
            quantity, unstated = heap.in_unit(self.units[kind])
            total += quantity * self.weights[kind]
            missing += unstated
        terms = self.converted if len(heaps) > 1 else self.alone[heaps[0][0]] if heaps else self.terms
        return Figure(total, self.scale, not missing, bool(heaps), bool(missing) or total > 0, terms=terms)


_MIXED = (Measure.MIXTURE, Measure.SHARE)
_CONVERTED = (Measure.VALUE, Measure.SINGLE_VALUE, Measure.MONEY)
_READINGS: Mapping[Measure, Callable[[Meter, Sheet, Rates | None, date], Figure]] = {
    Measure.VALUE: Meter._value,
    Measure.SINGLE_VALUE: Meter._dearest,
    Measure.MASS: Meter._mass,
    Measure.NET_MASS: Meter._mass,
    Measure.SINGLE_MASS: Meter._heaviest,
    Measure.QUANTITY: Meter._quantity,
    Measure.MIXTURE: Meter._mixed,
    Measure.SHARE: Meter._mixed,
    Measure.PRESENCE: Meter._presence,
    Measure.MONEY: Meter._money,
    Measure.UNACCOMPANIED: Meter._unaccompanied,
}


def _added(sums: Iterable[Mapping[str, Decimal]]) -> dict[str, Decimal]:
    """By currency."""
    totals: dict[str, Decimal] = {}
    for one in sums:
        for currency, amount in one.items():
            totals[currency] = totals.get(currency, ZERO) + amount
    return totals
