"""Sums of a declaration, as far as they are known: litres, kilograms, pieces, mixtures, shares, money.

Sums are exact; what is not stated, or cannot be converted, leaves a sum incomplete and never makes it smaller.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_CEILING, Decimal
from math import lcm
from typing import NamedTuple

from contracts.declaration import Declaration, GoodsItem, GoodsKind, Manner, MoneyKind, Unit
from declarations.money import Rates
from declarations.packs import Measure, Rule, natural_unit

CENT = Decimal("0.01")
ZERO = Decimal(0)
ONE = Decimal(1)
THOUSAND = Decimal(1000)
HUNDRED = Decimal(100)


class Figure(NamedTuple):
    """A sum as far as it is known: `scaled / scale` in the unit of the norm.

    Scaling spares comparisons a division. People read it in `unit`, which is `times / per` of it: a mixture of one
    kind is shown in that kind's own unit.
    """

    scaled: Decimal = ZERO
    scale: Decimal = ONE
    complete: bool = True
    present: bool = False  # something of the kind is on the declaration
    positive: bool = False  # and it is certainly more than nothing
    counted: bool = True
    unit: str = ""
    times: Decimal = ONE
    per: Decimal = ONE
    rounded: bool = False  # shown to the cent, as quotients have no end
    weights: Mapping[str, Decimal] | None = None  # of money: what a unit of each currency is worth, scaled as here
    converted: bool = False  # by the rates of the day
    vague: bool = False  # something counts with what is stated, and nothing is stated of it anywhere

    @property
    def shown(self) -> Decimal:
        """The figure for people. A quotient is rounded up to the cent: over never looks like equal."""
        return self.in_words_of(self.scaled)

    def in_words_of(self, scaled: Decimal) -> Decimal:
        """A part of the figure, scaled as it is, for people."""
        if not self.rounded and self.scale == self.times == self.per == ONE:
            return scaled
        shown = scaled * self.times / (self.scale * self.per)
        return shown.quantize(CENT, ROUND_CEILING) if self.rounded else shown

    def norm(self, amount: Decimal) -> Decimal:
        """A norm of the figure, for people."""
        return amount if self.times == self.per else amount * self.times / self.per


@dataclass(slots=True)
class Heap:
    """Everything of one kind, added up in each way in which it may be counted."""

    items: list[GoodsItem] = field(default_factory=list)
    worth: dict[str, Decimal] = field(default_factory=dict)  # by currency
    unpriced: int = 0
    mass: Decimal = ZERO  # kg, with packing where both are stated
    net: Decimal = ZERO  # kg, without
    unweighed: int = 0
    quantity: dict[Unit, Decimal] = field(default_factory=dict)
    quantities: dict[Unit, int] = field(default_factory=dict)  # how many items state one

    def add(self, item: GoodsItem) -> None:
        self.items.append(item)
        if item.value is None or item.currency is None:
            self.unpriced += 1
        else:
            self.worth[item.currency] = self.worth.get(item.currency, ZERO) + item.value
        mass = net = item.weight_kg
        unit, quantity = item.unit, item.quantity
        if unit is not None and quantity is not None:
            self.quantity[unit] = self.quantity.get(unit, ZERO) + quantity
            self.quantities[unit] = self.quantities.get(unit, 0) + 1
            if unit is Unit.KILOGRAM or unit is Unit.GRAM:
                # Weight and quantity may both be stated: the larger counts, unless only the contents do.
                net = quantity if unit is Unit.KILOGRAM else quantity / THOUSAND
                mass = net if mass is None else max(mass, net)
        if mass is None or net is None:
            self.unweighed += 1
        else:
            self.mass += mass
            self.net += net

    def in_unit(self, unit: Unit | None) -> tuple[Decimal, int]:
        """The stated quantity, and how many items state none; grams and kilograms convert, nothing else does."""
        total, stated = ZERO, 0
        for own, quantity in self.quantity.items():
            if own is unit:
                total += quantity
            elif own is Unit.KILOGRAM and unit is Unit.GRAM:
                total += quantity * THOUSAND
            elif own is Unit.GRAM and unit is Unit.KILOGRAM:
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

    @staticmethod
    def of(items: Iterable[GoodsItem], *declarations: Declaration) -> Sheet:
        """`items` are the goods to judge; money and the answer on baggage are those of the own declarations."""
        heaps: dict[GoodsKind, Heap] = {}
        money: dict[MoneyKind, dict[str, Decimal]] = {}
        answers = [declaration.unaccompanied_baggage for declaration in declarations]
        apart = True if True in answers else None if None in answers else False
        delivered = False
        for item in items:
            heap = heaps.get(item.kind)
            if heap is None:
                heap = heaps[item.kind] = Heap()
            heap.add(item)
            if item.manner is not Manner.ACCOMPANIED:
                apart = True
                delivered = delivered or item.manner is Manner.DELIVERED
        for one in declarations:
            for stated in one.money:
                sums = money.setdefault(stated.kind, {})
                sums[stated.currency] = sums.get(stated.currency, ZERO) + stated.amount
        return Sheet(heaps, money, apart, delivered)


@dataclass(frozen=True, slots=True)
class Meter:
    """Measures one figure, as the rules of one subject tell it."""

    measure: Measure
    kinds: frozenset[GoodsKind]  # what counts and must be known
    counted: frozenset[GoodsKind]  # and what counts with what is stated
    vague: frozenset[GoodsKind]  # and of that, what no other subject counts either
    only_with: frozenset[GoodsKind]  # nothing is measured where none of these is stated; empty: always
    order: tuple[GoodsKind, ...]
    money: tuple[MoneyKind, ...]
    unit: Unit | None
    currency: str
    # Mixtures and shares: the unit people count a kind in, what one such unit weighs, and what it is shown as.
    units: Mapping[GoodsKind, Unit]
    weights: Mapping[GoodsKind, Decimal]
    shown: Mapping[GoodsKind, tuple[Decimal, Decimal]]
    scale: Decimal

    @staticmethod
    def of(rule: Rule, elsewhere: frozenset[GoodsKind] = frozenset()) -> Meter:
        """`elsewhere` are the kinds that another subject counts, so that nobody need state them here."""
        units: dict[GoodsKind, Unit] = {}
        weights: dict[GoodsKind, Decimal] = {}
        shown: dict[GoodsKind, tuple[Decimal, Decimal]] = {}
        scale = ONE
        if rule.measure is Measure.MIXTURE:
            units = {kind: natural_unit(kind, rule) for kind in rule.kinds}
            weights = rule.equivalents
            shown = {kind: (ONE, grams) for kind, grams in rule.equivalents.items()}
        elif rule.measure is Measure.SHARE:
            # Per cent of several norms add up exactly over their least common multiple.
            whole = {kind: int(norm * THOUSAND) for kind, norm in rule.norms.items()}
            multiple = lcm(*whole.values())
            units = {kind: natural_unit(kind, rule) for kind in rule.kinds}
            weights = {kind: Decimal(multiple // norm) * THOUSAND * HUNDRED for kind, norm in whole.items()}
            shown = {kind: (norm, HUNDRED) for kind, norm in rule.norms.items()}
            scale = Decimal(multiple)
        kinds = frozenset(rule.kinds)
        counted = kinds.union(rule.also)
        return Meter(
            measure=rule.measure or Measure.PRESENCE,
            kinds=kinds,
            counted=counted,
            vague=counted - kinds - elsewhere,
            only_with=frozenset(rule.only_with),
            order=rule.kinds,
            money=rule.money,
            unit=rule.unit,
            currency=rule.currency or "",
            units=units,
            weights=weights,
            shown=shown,
            scale=scale,
        )

    def reading(self, sheet: Sheet, rates: Rates | None, on: date) -> Figure:
        """The figure of a sheet. Call it within `money.EXACT`."""
        if self.only_with and self.only_with.isdisjoint(sheet.heaps):
            return Figure()
        match self.measure:
            case Measure.UNACCOMPANIED:
                apart = sheet.apart is True
                return Figure(complete=sheet.apart is not None, present=apart, positive=apart, counted=False)
            case Measure.PRESENCE:
                there = not self.kinds.isdisjoint(sheet.heaps)
                return Figure(present=there, positive=there, counted=False)
            case Measure.MONEY:
                return self._worth([sheet.money[kind] for kind in self.money if kind in sheet.money], rates, on)
            case Measure.VALUE:
                heaps = self._heaps(sheet)
                unpriced = sum(heap.unpriced for kind, heap in heaps if kind in self.kinds)
                vague = any(heap.unpriced for kind, heap in heaps if kind in self.vague)
                return self._worth([heap.worth for _, heap in heaps], rates, on, unpriced=unpriced, vague=vague)
            case Measure.SINGLE_VALUE:
                return self._dearest(self._heaps(sheet), rates, on)
            case Measure.MASS | Measure.NET_MASS:
                return self._mass(self._heaps(sheet))
            case Measure.SINGLE_MASS:
                return self._heaviest(self._heaps(sheet))
            case Measure.QUANTITY:
                return self._quantity(self._heaps(sheet))
            case Measure.MIXTURE | Measure.SHARE:
                return self._mixed(self._heaps(sheet))

    def items(self, sheet: Sheet) -> Iterable[GoodsItem]:
        """The items that count, one by one."""
        for _, heap in self._heaps(sheet):
            yield from heap.items

    def _heaps(self, sheet: Sheet) -> list[tuple[GoodsKind, Heap]]:
        return [(kind, heap) for kind, heap in sheet.heaps.items() if kind in self.counted]

    def _worth(
        self,
        sums: Iterable[Mapping[str, Decimal]],
        rates: Rates | None,
        on: date,
        *,
        unpriced: int = 0,
        vague: bool = False,
        dearest: bool = False,
    ) -> Figure:
        """Money in the rule's currency, or in the measure of the rates when currencies differ."""
        totals: dict[str, Decimal] = {}
        for one in sums:
            for currency, amount in one.items():
                totals[currency] = totals.get(currency, ZERO) + amount
        target = self.currency
        foreign = sorted(currency for currency, amount in totals.items() if currency != target and amount)
        weights = rates.weights((target, *foreign), on) if foreign and rates is not None else {}
        scale = weights.get(target)
        if scale is None:
            weights = {target: ONE}
        known = [amount * weights[currency] for currency, amount in totals.items() if currency in weights]
        return Figure(
            scaled=max(known, default=ZERO) if dearest else sum(known, ZERO),
            scale=scale or ONE,
            complete=not unpriced and weights.keys() >= set(foreign),
            present=bool(totals) or bool(unpriced),
            positive=bool(unpriced) or any(totals.values()),
            unit=target,
            rounded=scale is not None,
            weights=weights,
            converted=scale is not None,
            vague=vague,
        )

    def _dearest(self, heaps: list[tuple[GoodsKind, Heap]], rates: Rates | None, on: date) -> Figure:
        """The dearest line: lines in the target's own currency need no rate."""
        dearest: dict[str, Decimal] = {}
        for _, heap in heaps:
            for item in heap.items:
                if item.value is not None and item.currency is not None:
                    dearest[item.currency] = max(dearest.get(item.currency, ZERO), item.value)
        unpriced = sum(heap.unpriced for kind, heap in heaps if kind in self.kinds)
        vague = any(heap.unpriced for kind, heap in heaps if kind in self.vague)
        return self._worth([dearest], rates, on, unpriced=unpriced, vague=vague, dearest=True)

    def _mass(self, heaps: list[tuple[GoodsKind, Heap]]) -> Figure:
        total, missing, present, vague = ZERO, 0, False, False
        for kind, heap in heaps:
            total += heap.mass if self.measure is Measure.MASS else heap.net
            missing += heap.unweighed if kind in self.kinds else 0
            present = present or kind in self.kinds or heap.unweighed < len(heap.items)
            vague = vague or (heap.unweighed > 0 and kind in self.vague)
        return Figure(
            total, ONE, not missing, present, positive=bool(missing) or total > 0, unit="kg", vague=vague
        )

    def _heaviest(self, heaps: list[tuple[GoodsKind, Heap]]) -> Figure:
        """What the heaviest single piece weighs at least, of the lines that state pieces and weight."""
        heaviest, several, present = ZERO, False, False
        for _, heap in heaps:
            for item in heap.items:
                pieces = item.quantity if item.unit is Unit.PIECE else None
                if pieces and item.weight_kg is not None and pieces == pieces.to_integral_value():
                    present = True
                    heaviest = max(heaviest, item.weight_kg / pieces)
                    several = several or pieces != 1
        return Figure(heaviest, ONE, True, present, heaviest > 0, unit="kg", rounded=several)

    def _quantity(self, heaps: list[tuple[GoodsKind, Heap]]) -> Figure:
        total, missing, present, vague = ZERO, 0, False, False
        for kind, heap in heaps:
            quantity, unstated = heap.in_unit(self.unit)
            total += quantity
            missing += unstated if kind in self.kinds else 0
            present = present or kind in self.kinds or unstated < len(heap.items)
            vague = vague or (unstated > 0 and kind in self.vague)
        unit = self.unit.value if self.unit is not None else ""
        return Figure(
            total, ONE, not missing, present, positive=bool(missing) or total > 0, unit=unit, vague=vague
        )

    def _mixed(self, heaps: list[tuple[GoodsKind, Heap]]) -> Figure:
        """Grams of a mixture, or per cent of shares; one kind alone is shown in its own unit."""
        total, missing = ZERO, 0
        for kind, heap in heaps:
            quantity, unstated = heap.in_unit(self.units[kind])
            total += quantity * self.weights[kind]
            missing += unstated
        positive = bool(missing) or total > 0
        if len(heaps) > 1:
            unit, rounded = ("g", False) if self.measure is Measure.MIXTURE else ("%", True)
            return Figure(total, self.scale, not missing, True, positive, unit=unit, rounded=rounded)
        kind = heaps[0][0] if heaps else self.order[0]
        times, per = self.shown[kind]
        own = self.units[kind].value
        return Figure(total, self.scale, not missing, bool(heaps), positive, unit=own, times=times, per=per)
